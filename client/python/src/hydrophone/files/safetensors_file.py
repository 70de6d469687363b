"""Writes .safetensors files, array by array from the arrays' own memory.

The file is opened by whole_file.replace, so that a full disk is told, the bytes reach the disk before they have their
name, and a killed process leaves one known temporary file. The safetensors library (0.8) does one or the other:
`serialize` makes a copy of the whole file, and `save_file` renames a temporary file of its own, closed to other users,
whose errors have no number.
"""

from __future__ import annotations

import json
import pathlib
from collections.abc import Mapping
from typing import IO, Any

import numpy as np

from hydrophone.errors import InvalidArgument
from hydrophone.files import whole_file
from hydrophone.wire.tensors import Array

_LENGTH_BYTES = 8
_TYPES = {
    **{"<f8": "F64", "<f4": "F32", "<f2": "F16", "|b1": "BOOL"},
    **{"<i8": "I64", "<i4": "I32", "<i2": "I16", "|i1": "I8"},
    **{"<u8": "U64", "<u4": "U32", "<u2": "U16", "|u1": "U8"},
}


def write(path: pathlib.Path, arrays: Mapping[str, Array], metadata: Mapping[str, str], *, mark: str = "") -> None:
    """Writes the arrays, larger elements first and then by name, and the metadata, in the order given. InvalidArgument
    names an array of a type that the format lacks; the errors and `mark` are else whole_file.replace's."""
    header: dict[str, Any] = {"__metadata__": dict(metadata)}
    order = sorted(arrays, key=lambda name: (-arrays[name].itemsize, name))
    end = 0
    for name in order:
        each = arrays[name]
        begin, end = end, end + each.nbytes
        header[name] = {"dtype": type_name(each.dtype, name), "shape": list(each.shape), "data_offsets": [begin, end]}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # so that arrays begin at multiples of eight

    def write_all(file: IO[bytes]) -> None:
        file.write(len(text).to_bytes(_LENGTH_BYTES, "little") + text)
        for name in order:
            each = arrays[name]
            file.write(np.ascontiguousarray(each, dtype=each.dtype.newbyteorder("<")).data)

    whole_file.replace(path, write_all, mark=mark)


def read_header(path: pathlib.Path) -> dict[str, Any]:
    """The arrays' types, shapes and places by name, and "__metadata__", of a file that `write` made."""
    with path.open("rb") as file:
        header: dict[str, Any] = json.loads(file.read(int.from_bytes(file.read(_LENGTH_BYTES), "little")))
    return header


def type_name(dtype: Any, array: str = "dtype") -> str:
    """The format's name of a NumPy type; InvalidArgument names the `array` of a type that it has none for."""
    kind = np.dtype(dtype).newbyteorder("<")
    if kind.str not in _TYPES:
        raise InvalidArgument.of(array, f"got {kind}, expected one of {', '.join(_TYPES.values())}")
    return _TYPES[kind.str]
