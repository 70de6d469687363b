"""The formats of a shard's file."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from hydrophone.errors import InvalidArgument
from hydrophone.extras import need
from hydrophone.files import safetensors_file, whole_file
from hydrophone.wire.tensors import Array

# Where a file's metadata have the description of the shard, as JSON.
METADATA = "hydrophone.shard"


class Format(Protocol):
    """How a shard is written. Its bytes depend on the arrays, the description, and the writing package's version."""

    @property
    def name(self) -> str: ...
    @property
    def suffix(self) -> str: ...

    def check(self) -> None:
        """Raises the ImportError of a package that is missing."""

    def write(self, path: pathlib.Path, arrays: Mapping[str, Array], description: Any) -> None:
        """Writes a shard's arrays, whole or not at all."""

    def read_header(self, path: pathlib.Path) -> tuple[dict[str, Any], Any]:
        """The arrays' types (safetensors' names) and shapes by name, and the description."""
        ...

    def finish(self, directory: pathlib.Path, files: Sequence[str], job: Any) -> None:
        """Writes what the format has beside the shards, once they are all there; `job` is the job's record."""


class Safetensors:
    """A .safetensors file, whose bytes are those of `hydrophone extract --shards` and of the safetensors library:
    larger elements first, then by name; the metadata have one entry, "hydrophone.shard" (JSON)."""

    name, suffix = "safetensors", ".safetensors"

    def check(self) -> None:
        pass

    def write(self, path: pathlib.Path, arrays: Mapping[str, Array], description: Any) -> None:
        safetensors_file.write(path, arrays, {METADATA: described(description)})

    def read_header(self, path: pathlib.Path) -> tuple[dict[str, Any], Any]:
        header = safetensors_file.read_header(path)
        return header, json.loads(header.pop("__metadata__")[METADATA])

    def finish(self, directory: pathlib.Path, files: Sequence[str], job: Any) -> None:
        pass


class Parquet:
    """A Parquet file of one row group, with a row for each token: int64 "positions", "texts" and "token_ids", and by
    canonical name a list of fixed size (of heads, which are such lists of numbers, where there are heads). The schema's
    metadata have "hydrophone.shard" (JSON). Neither compressed nor by dictionary: activations hardly get smaller.

    pyarrow's columns are the arrays' own memory. Needs hydrophone[parquet].
    """

    name, suffix = "parquet", ".parquet"

    def check(self) -> None:
        need("pyarrow.parquet", "parquet")

    def write(self, path: pathlib.Path, arrays: Mapping[str, Array], description: Any) -> None:
        arrow, parquet = need("pyarrow", "parquet"), need("pyarrow.parquet", "parquet")
        table = arrow.table({name: _column(arrow, arrays[name]) for name in sorted(arrays)})
        table = table.replace_schema_metadata({METADATA: described(description)})
        options = {"compression": "NONE", "use_dictionary": False, "row_group_size": max(1, len(table))}
        whole_file.replace(path, lambda file: parquet.write_table(table, file, **options))

    def read_header(self, path: pathlib.Path) -> tuple[dict[str, Any], Any]:
        parquet = need("pyarrow.parquet", "parquet")
        with parquet.ParquetFile(path) as file:
            schema, rows = file.schema_arrow, file.metadata.num_rows
        header = {field.name: _column_header(field.type, rows) for field in schema}
        return header, json.loads(schema.metadata[METADATA.encode()])

    def finish(self, directory: pathlib.Path, files: Sequence[str], job: Any) -> None:
        pass


def described(description: Any) -> str:
    return json.dumps(description, sort_keys=True, separators=(",", ":"))


def _column(arrow: Any, array: Array) -> Any:
    """Rows of any shape as lists of fixed size in each other."""
    made = arrow.array(np.ascontiguousarray(array).reshape(-1))
    for size in reversed(array.shape[1:]):
        made = arrow.FixedSizeListArray.from_arrays(made, size)
    return made


def _column_header(kind: Any, rows: int) -> dict[str, Any]:
    shape = [rows]
    while hasattr(kind, "list_size"):
        shape.append(kind.list_size)
        kind = kind.value_type
    return {"dtype": safetensors_file.type_name(kind.to_pandas_dtype()), "shape": shape}


FORMATS: dict[str, Format] = {each.name: each for each in (Safetensors(), Parquet())}


def named(name: str) -> Format:
    """The format of the argument `format`."""
    if name not in FORMATS:
        raise InvalidArgument.of("format", f"got {name!r}, expected one of {', '.join(FORMATS)}")
    FORMATS[name].check()
    return FORMATS[name]
