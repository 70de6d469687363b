"""Files that are there whole or not at all, also after SIGKILL or a power cut."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import pathlib
from collections.abc import Callable, Iterator, Mapping
from typing import IO, Any

import numpy as np

from hydrophone.errors import DiskFull, InvalidArgument
from hydrophone.wire.tensors import Array

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
_TYPES = {"<f4": "F32", "<f2": "F16", "<i8": "I64"}
_LENGTH_BYTES = 8


def replace(path: pathlib.Path, write: Callable[[IO[bytes]], object]) -> None:
    """Writes a file beside its place, has the disk keep it, and renames it. A file beside it that a killed process left
    is written over. DiskFull when there is no room."""
    temporary = path.with_name(f".{path.name}.partial")
    try:
        try:
            with temporary.open("wb") as file:
                write(file)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        _keep_names(path.parent)
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise DiskFull(f"there is no room for {path}: {error.strerror}") from error
        raise


def _keep_names(directory: pathlib.Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def alone(directory: pathlib.Path) -> Iterator[None]:
    """While this lasts, no other process writes here. The lock ends with the process, however that ends."""
    import fcntl  # which Windows lacks

    descriptor = os.open(directory, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InvalidArgument.of("out", f"another process is writing into {directory}") from None
        yield
    finally:
        os.close(descriptor)


def write_json(path: pathlib.Path, value: Any) -> None:
    text = json.dumps(value, indent=1, sort_keys=True) + "\n"
    replace(path, lambda file: file.write(text.encode()))


def write_arrays(path: pathlib.Path, arrays: Mapping[str, Array], description: Any) -> None:
    """A .safetensors file whose bytes depend on the arrays and the description alone, and are those of `hydrophone
    extract --shards` and of the safetensors library: larger elements first, then by name; the metadata has one entry,
    "hydrophone.shard" (JSON). Of each array, no more than one copy is made."""
    header: dict[str, Any] = {"__metadata__": {"hydrophone.shard": _compact(description)}}
    order = sorted(arrays, key=lambda name: (-arrays[name].itemsize, name))
    end = 0
    for name in order:
        each = arrays[name]
        begin, end = end, end + each.nbytes
        kind = _TYPES[each.dtype.newbyteorder("<").str]
        header[name] = {"dtype": kind, "shape": list(each.shape), "data_offsets": [begin, end]}
    text = _compact(header, sort_keys=False).encode()
    text += b" " * (-len(text) % 8)  # so that arrays begin at multiples of eight

    def write(file: IO[bytes]) -> None:
        file.write(len(text).to_bytes(_LENGTH_BYTES, "little") + text)
        for name in order:
            file.write(np.ascontiguousarray(arrays[name]).data)

    replace(path, write)


def _compact(value: Any, sort_keys: bool = True) -> str:
    return json.dumps(value, sort_keys=sort_keys, separators=(",", ":"))


def read_header(path: pathlib.Path) -> tuple[dict[str, Any], Any]:
    """The arrays' types and shapes by name, and the description."""
    with path.open("rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(_LENGTH_BYTES), "little")))
    description = json.loads(header.pop("__metadata__")["hydrophone.shard"])
    return header, description
