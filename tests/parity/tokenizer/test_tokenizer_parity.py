"""The C++ tokenizer against Hugging Face's GPT2TokenizerFast: equal ids, pieces and offsets.

Needs the built program tests/tokenize_dump in the build directory: $HYDROPHONE_BUILD_DIR (from the
repository's root), else build/.
"""

import os
import pathlib
import struct
import subprocess
import sys

import pytest
import tokenizer_inputs
import transformers

ROOT = pathlib.Path(__file__).resolve().parents[3]
MODEL = ROOT / "server/models/hydrophone-gpt2-tiny"
# Shakespeare, in the public domain.
CORPUS = pathlib.Path(__file__).with_name("data") / "tinyshakespeare.txt"

AS_TOKENS, AS_LITERAL = 0, 1


def build_directory():
    return ROOT / os.environ.get("HYDROPHONE_BUILD_DIR", "build")


def encode_all(texts, mode, directory=MODEL, *options):
    """For each of `texts` (bytes) the list of (id, begin, end) of the C++ tokenizer loaded from `directory`."""
    command = [build_directory() / "tests/tokenize_dump", directory, *options]
    request = b"".join(struct.pack("=BI", mode, len(text)) + text for text in texts)
    answer = subprocess.run(command, input=request, stdout=subprocess.PIPE, check=True).stdout
    lists, at = [], 0
    for _ in texts:
        (count,) = struct.unpack_from("=I", answer, at)
        end = at + 4 + 12 * count
        lists.append(list(struct.iter_unpack("=III", answer[at + 4 : end])))
        at = end
    assert at == len(answer)
    return lists


def printable_bytes():
    """GPT-2's printable character of each byte, as the original encoder.py makes them."""
    own = [
        *range(ord("!"), ord("~") + 1),
        *range(ord("¡"), ord("¬") + 1),
        *range(ord("®"), ord("ÿ") + 1),
    ]
    others = [byte for byte in range(256) if byte not in own]
    return {byte: chr(byte) for byte in own} | {byte: chr(256 + i) for i, byte in enumerate(others)}


PRINTABLE = printable_bytes()


@pytest.fixture(scope="session")
def reference():
    return transformers.GPT2TokenizerFast.from_pretrained(MODEL)


def expect_equal(reference, texts, mode):
    """Compares every text; returns how many tokens were compared."""
    reference.backend_tokenizer.encode_special_tokens = mode == AS_LITERAL
    expected = reference.backend_tokenizer.encode_batch(texts, add_special_tokens=False)
    got = encode_all([text.encode() for text in texts], mode)
    for text, tokens, theirs in zip(texts, got, expected, strict=True):
        assert [token[0] for token in tokens] == theirs.ids, repr(text)
        expect_offsets(text, tokens, theirs)
    return sum(len(tokens) for tokens in got)


def expect_offsets(text, tokens, theirs):
    """Ours are bytes; theirs are the characters that hold those bytes, and the printable pieces."""
    character_of = [index for index, character in enumerate(text) for _ in character.encode()]
    data = text.encode()
    for (_, begin, end), piece, (first, last) in zip(tokens, theirs.tokens, theirs.offsets, strict=True):
        assert "".join(PRINTABLE[byte] for byte in data[begin:end]) == piece, repr(text)
        assert (character_of[begin], character_of[end - 1] + 1) == (first, last), repr(text)


@pytest.fixture(scope="session")
def texts():
    generated = tokenizer_inputs.generated_texts()
    assert len(generated) >= 20_000
    return generated


def test_generated_texts_cover_what_they_should(texts):
    everything = "".join(texts)
    assert {ord(character) >> 16 for character in everything} == set(range(17))
    for part in tokenizer_inputs.PARTS:
        assert part in everything, repr(part)


@pytest.mark.parametrize("mode", [AS_TOKENS, AS_LITERAL], ids=["specials", "literal"])
def test_generated_texts(reference, texts, mode):
    print(f"{len(texts)} texts, {expect_equal(reference, texts, mode)} tokens equal")


def test_literal_is_split_special_tokens(reference):
    """The switch that the tests above flip is the one behind Hugging Face's documented argument."""
    specials = [f"a {special} b{special}" for special in tokenizer_inputs.SPECIALS]
    expected = [reference.encode(text, split_special_tokens=True) for text in specials]
    got = encode_all([text.encode() for text in specials], AS_LITERAL)
    assert [[token[0] for token in tokens] for tokens in got] == expected


def test_corpus_whole(reference):
    corpus = CORPUS.read_text(encoding="utf-8")
    assert len(corpus) > 1_000_000
    print(f"corpus: {expect_equal(reference, [corpus], AS_TOKENS)} tokens equal")


def test_corpus_line_by_line(reference):
    lines = CORPUS.read_text(encoding="utf-8").splitlines(keepends=True)
    expect_equal(reference, lines, AS_TOKENS)


def test_the_one_file_that_transformers_saves(reference, texts, tmp_path):
    reference.backend_tokenizer.encode_special_tokens = False  # which would be saved
    reference.save_pretrained(tmp_path)
    assert (tmp_path / "tokenizer.json").exists() and not (tmp_path / "vocab.json").exists()
    some = [text.encode() for text in texts[::20]]
    assert encode_all(some, AS_TOKENS, tmp_path) == encode_all(some, AS_TOKENS)


def test_unicode_tables_are_the_splitters():
    """Every code point is in the class that Hugging Face's splitter puts it in."""
    script = ROOT / "server/tokenizer/make_unicode_tables.py"
    subprocess.run([sys.executable, script, "--check"], check=True)
