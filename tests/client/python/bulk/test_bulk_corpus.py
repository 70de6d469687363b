"""What a bulk job reads: inputs in memory, or the lines of a file."""

import pathlib

import pytest
from python_client import hp

from hydrophone.bulk.corpus import as_corpus


def write(path, *lines):
    path.write_bytes(b"\n".join(lines) + b"\n")
    return path


def test_the_lines_of_a_file_are_read_in_any_order(tmp_path):
    path = write(
        tmp_path / "c.jsonl",
        b'"caf\xc3\xa9"',
        b"",
        b'{"text": "two", "key": "k"}',
        b" ",
        b'{"token_ids": [1, 2]}',
        b'{"text_bytes_base64": "/w=="}',
    )
    corpus = as_corpus(path)
    assert len(corpus) == 4 and corpus[3] == hp.Text(b"\xff")
    assert [corpus[number] for number in (2, 0, 1)] == [hp.Text([1, 2]), "café", hp.Text("two", key="k")]


@pytest.mark.parametrize(
    "line",
    [
        b"no JSON",
        b"7",
        b'{"texts": "a"}',
        b'{"text": 7}',
        b'{"token_ids": ["a"]}',
        b"null",
        b'{"text_bytes_base64": "!"}',
        b'{"text": "a", "token_ids": [1]}',
    ],
)
def test_a_line_of_another_kind_is_named(tmp_path, line):
    path = write(tmp_path / "c.jsonl", b'"good"', b"", line)
    with pytest.raises(hp.InvalidArgument, match="c.jsonl, line 3: got") as caught:
        as_corpus(path)
    assert caught.value.argument == "corpus"


def test_no_text_and_one_text_are_no_corpus(tmp_path):
    for nothing in ([], write(tmp_path / "c.jsonl", b"")):
        with pytest.raises(hp.InvalidArgument, match="corpus: got no text"):
            as_corpus(nothing)
    with pytest.raises(hp.InvalidArgument, match=r"corpus: got one text, expected several, or a pathlib.Path"):
        as_corpus("corpus.jsonl")
    with pytest.raises(FileNotFoundError):
        as_corpus(pathlib.Path(tmp_path / "missing"))


def test_equal_inputs_alone_have_equal_digests(tmp_path):
    digests = [
        as_corpus(given).digest
        for given in (["a", "b"], ["b", "a"], ["ab"], ["a", "b", "c"], ["a", b"b"], ["a", [1, 2]], ["a", [12]])
    ]
    assert len(set(digests)) == len(digests) and digests[0] == as_corpus(iter(["a", "b"])).digest
    first, second = (as_corpus(write(tmp_path / "c.jsonl", *lines)).digest for lines in ([b'"a"'], [b'"b"']))
    assert first != second
