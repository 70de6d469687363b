"""A directory that a job has made."""

from __future__ import annotations

import dataclasses
import pathlib

INDEX = "index.json"


@dataclasses.dataclass(frozen=True)
class Bulk:
    """A finished directory, or a finished part of one: its `shards` in order, the `rows` and `bytes` of them all, and
    why texts were `skipped`, by their numbers."""

    path: pathlib.Path
    shards: tuple[pathlib.Path, ...]
    texts: int
    rows: int
    bytes: int
    skipped: dict[int, str]
