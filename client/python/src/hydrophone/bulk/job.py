"""What a job is, kept in its directory, so that a rerun goes on with the same job alone."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import pathlib
from typing import Any

import numpy as np
from google.protobuf import json_format

from hydrophone.errors import InvalidArgument, Precondition
from hydrophone.files import whole_file
from hydrophone.results.records import Provenance

FILE = "job.json"
_FORMAT = "hydrophone.bulk 1"
_MODEL = ("weights_sha256", "tokenizer_sha256", "numerics")
_SHOWN_CHARACTERS = 60
_DEFAULT_FILES = "safetensors"


@dataclasses.dataclass(frozen=True)
class Job:
    """`request` asks for one text, whichever it is; its bits are those of the model that `weights_sha256`,
    `tokenizer_sha256` and `numerics` tell. `files` is the name of the shards' format."""

    request: Any
    corpus_sha256: str
    texts: int
    texts_per_shard: int
    shuffle: int | None
    files: str
    model: str
    weights_sha256: str
    tokenizer_sha256: str
    numerics: str

    @property
    def shards(self) -> int:
        return -(-self.texts // self.texts_per_shard)

    @property
    def digest(self) -> str:
        """Equal for equal jobs, hexadecimal."""
        return hashlib.sha256(json.dumps(self._fields(), sort_keys=True).encode()).hexdigest()

    def order(self) -> Any:
        """The texts' numbers in the order of the shards, int64 [texts]."""
        if self.shuffle is None:
            return np.arange(self.texts)
        return np.random.RandomState(self.shuffle).permutation(self.texts)  # its numbers never change, says NumPy

    def rows_order(self, shard: int, rows: int) -> Any:
        """The order of a shard's rows, int64 [rows]; None as they come."""
        if self.shuffle is None:
            return None
        return np.random.RandomState((self.shuffle + 1 + shard) % (1 << 32)).permutation(rows)

    def begin(self, directory: pathlib.Path) -> None:
        """Writes the job into a directory without one. Of a directory that holds another job, or this one of another
        model, says so."""
        path = directory / FILE
        if not path.exists():
            if any(directory.glob("shard-*")):
                raise InvalidArgument.of("out", f"{directory} holds shards and no {FILE}, expected a new directory")
            whole_file.write_json(path, self._fields())
            return
        begun = json.loads(path.read_text())
        mine = self._fields()
        for name in sorted(begun.keys() | mine.keys()):
            if name not in _MODEL and name != "model" and begun.get(name) != mine.get(name):
                raise InvalidArgument.of(
                    "out",
                    f"{directory} holds another job: its {name} is {_shown(begun.get(name))}, this one's "
                    f"{_shown(mine.get(name))}; another directory takes another job",
                )
        self._check_model(begun, mine, directory)

    def check(self, provenance: Provenance, directory: pathlib.Path) -> None:
        """Refuses an answer of another model than the job's."""
        self._check_model(self._fields(), dataclasses.asdict(provenance), directory)

    def _check_model(self, begun: dict[str, Any], now: dict[str, Any], directory: pathlib.Path) -> None:
        what = {
            "weights_sha256": "has other weights than",
            "tokenizer_sha256": "has another tokenizer than",
            "numerics": "has the same weights, but computes other bits (numerics) than",
        }
        for name in _MODEL:
            if begun[name] != now[name]:
                raise Precondition(
                    f"the server {what[name]} the one that {directory} was begun with: got {now[name]}, expected "
                    f"{begun[name]} (model {begun['model']}); ask that server again, or take another directory"
                )

    def _fields(self) -> dict[str, Any]:
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        request = json_format.MessageToDict(self.request, preserving_proto_field_name=True)
        if self.files == _DEFAULT_FILES:  # `hydrophone extract --shards` knows no other, and has no such field
            del fields["files"]
        return {"format": _FORMAT, **fields, "request": request}


def _shown(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}..."
