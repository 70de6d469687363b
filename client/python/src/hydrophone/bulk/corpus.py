"""A corpus: inputs that can be read again in any order, and told from others."""

from __future__ import annotations

import array
import base64
import hashlib
import json
import os
import pathlib
from collections.abc import Iterable
from typing import Any, Protocol

from hydrophone.errors import InvalidArgument
from hydrophone.requests import inputs as input_messages
from hydrophone.requests.inputs import Input, Text


class Corpus(Protocol):
    """`digest` is equal for equal inputs in equal order, written in the same way."""

    @property
    def digest(self) -> str: ...
    def __len__(self) -> int: ...
    def __getitem__(self, number: int) -> Input: ...


def as_corpus(given: Iterable[Input] | os.PathLike[str]) -> Corpus:
    """Inputs as they are, or the lines of a JSON-lines file, given as a pathlib.Path."""
    if isinstance(given, (str, bytes, Text)):
        raise InvalidArgument.of("corpus", "got one text, expected several, or a pathlib.Path of a JSON-lines file")
    corpus: Corpus = Lines(given) if isinstance(given, os.PathLike) else Listed(given)
    if not len(corpus):
        raise InvalidArgument.of("corpus", "got no text, expected at least one")
    return corpus


class Listed:
    """Inputs in memory."""

    def __init__(self, inputs: Iterable[Input]) -> None:
        self._inputs = list(inputs)
        digest = hashlib.sha256()
        for number, each in enumerate(self._inputs):
            message = input_messages.message(each, f"corpus[{number}]").SerializeToString(deterministic=True)
            digest.update(len(message).to_bytes(8, "little") + message)
        self.digest = digest.hexdigest()

    def __len__(self) -> int:
        return len(self._inputs)

    def __getitem__(self, number: int) -> Input:
        return self._inputs[number]


class Lines:
    """A file of which each line is a JSON string, or an object with "text", "token_ids" or "text_bytes_base64", and
    perhaps "key", as `hydrophone extract --jsonl` takes them; empty lines count for nothing. Memory holds where each
    line begins, eight bytes a line. Thread-safe."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._file = pathlib.Path(path).open("rb")  # noqa: SIM115 (read from as long as this lives)
        self._begins = array.array("q")
        digest = hashlib.sha256()
        begin = 0
        for number, line in enumerate(self._file, 1):
            digest.update(line)
            if line.strip():
                _input(line, f"{os.fspath(path)}, line {number}")
                self._begins.append(begin)
            begin += len(line)
        self._begins.append(begin)
        self.digest = digest.hexdigest()

    def __len__(self) -> int:
        return len(self._begins) - 1

    def __getitem__(self, number: int) -> Input:
        begin, end = self._begins[number], self._begins[number + 1]
        return _input(os.pread(self._file.fileno(), end - begin, begin), f"corpus[{number}]")


def _input(line: bytes, where: str) -> Input:
    """What a line says. The lines that follow it up to the next one that counts are empty."""
    try:
        value: Any = json.loads(line)
    except ValueError as error:
        raise InvalidArgument.of("corpus", f"{where}: got no JSON ({error})") from None
    if isinstance(value, str):
        return value
    content = _content(value) if isinstance(value, dict) else None
    if content is not None:
        return Text(content, key=str(value.get("key", "")))
    got = line.decode(errors="replace").strip()
    shown = got if len(got) <= 60 else f"{got[:60]}..."
    expected = 'a JSON string, or an object with "text", "token_ids" or "text_bytes_base64"'
    raise InvalidArgument.of("corpus", f"{where}: got {shown}, expected {expected}")


def _content(line: dict[str, Any]) -> str | bytes | list[int] | None:
    """The one input of an object; None when it has none, or several."""
    text, ids, raw = (line.get(name) for name in ("text", "token_ids", "text_bytes_base64"))
    if sum(each is not None for each in (text, ids, raw)) != 1:
        return None
    if isinstance(text, str):
        return text
    if isinstance(ids, list) and all(isinstance(each, int) for each in ids):
        return ids
    try:
        return base64.b64decode(raw, validate=True) if isinstance(raw, str) else None
    except ValueError:
        return None
