"""The check of comments finds what it should and nothing else."""

import subprocess
import sys
from pathlib import Path

import pytest
from prose import findings


@pytest.mark.parametrize("word", ["who", "Whom", "he", "him", "his", "she", "Somebody", "nobody", "anyone", "everyone"])
def test_a_person_in_a_comment_is_found(word):
    assert findings(f"int x;\n// The job, {word}, waits.\n") == [(2, word)]


def test_a_comment_after_code_and_a_block_comment_are_read():
    assert findings("int x;  // he\n/* one\n   she */ int y;\n") == [(1, "he"), (3, "she")]


def test_quotations_strings_code_and_longer_words_are_left_alone():
    text = '// Says "who is there" to the caller.\nauto s = "// nobody";\nint who = 1;\n// the whole of this\n'
    assert findings(text) == []


def test_an_escaped_quote_does_not_end_a_string():
    assert findings('auto s = "a\\" // nobody";  // everybody\n') == [(1, "everybody")]


def test_a_quote_as_a_character_and_a_raw_string_begin_no_comment():
    assert findings("char c = '\"';  // she\n") == [(1, "she")]
    assert findings('auto s = R"(// nobody "says" so)";  // him\n') == [(1, "him")]


def test_the_program_names_the_place_and_fails(tmp_path):
    bad = tmp_path / "bad.cc"
    bad.write_text("// Nobody waits.\n")
    program = [sys.executable, str(Path(__file__).with_name("prose.py"))]
    done = subprocess.run([*program, str(bad)], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stdout.startswith(f'{bad}:1: "Nobody"')
    bad.write_text("// The job waits.\n")
    assert subprocess.run([*program, str(bad)]).returncode == 0
