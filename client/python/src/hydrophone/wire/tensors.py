"""Puts a stream's chunks together into arrays, and notices when they are damaged or not all there.

A chunk's data is copied once, from the message into the tensor's own memory: in the message it lies at an odd address,
where arithmetic is slow, and cannot be written to.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from hydrophone.errors import DamagedStream
from hydrophone.proto import v1
from hydrophone.wire.checksum import crc32

Array = npt.NDArray[Any]

# bfloat16, which NumPy lacks, comes as its upper halves of float32.
_DTYPES = {v1.DTYPE_FLOAT32: "<f4", v1.DTYPE_FLOAT16: "<f2", v1.DTYPE_BFLOAT16: "<u2"}


def elements(data: Any, dtype: int, shape: tuple[int, ...]) -> Array:
    """The array that the bytes are: a view of them, or, for bfloat16, the float32 numbers of the same values."""
    array = np.frombuffer(data, dtype=_DTYPES[dtype]).reshape(shape)
    if dtype == v1.DTYPE_BFLOAT16:
        return (array.astype("<u4") << 16).view("<f4")
    return array


def misplaced(what: str) -> DamagedStream:
    return DamagedStream(f"damaged stream: {what}")


def mismatch(what: str, got: object, expected: object) -> DamagedStream:
    return misplaced(f"{what}: got {got}, expected {expected}")


class _Partial:
    """A tensor whose chunks are coming."""

    def __init__(self, info: Any, size: int) -> None:
        self.info = info
        self.data = np.empty(size, dtype=np.uint8)  # untouched memory costs nothing until bytes come
        self.received = 0


class TensorAssembler:
    """Checks each chunk's CRC-32 and place, each tensor's size against its shape, and the counts announced.

    `tensors` and `data_bytes` are what the stream's header announced.
    """

    def __init__(self, tensors: int, data_bytes: int) -> None:
        self._tensors = tensors
        self._data_bytes = data_bytes
        self._announced = self._received = 0  # bytes of the tensors begun, and of those come
        self._partial: dict[int, _Partial] = {}
        self._complete: set[int] = set()

    def add_chunk(self, chunk: Any, data: memoryview) -> tuple[Any, Array] | None:
        """Takes a chunk, `data` in place of its own: the tensor's TensorInfo and array if this completes it."""
        self._check_may_come(chunk.tensor)
        partial = self._partial.get(chunk.tensor)
        if partial is None:
            partial = self._start(chunk)
        elif chunk.HasField("info"):
            raise misplaced("a tensor is described twice")
        self._append(chunk, data, partial)
        if partial.received < len(partial.data):
            return None
        del self._partial[chunk.tensor]
        self._complete.add(chunk.tensor)
        return partial.info, elements(partial.data, partial.info.dtype, tuple(partial.info.shape))

    def add_whole(self, tensor: int) -> None:
        """Notes a tensor that did not come in chunks."""
        self._check_may_come(tensor)
        if tensor in self._partial:
            raise misplaced("one tensor comes both as chunks and as values")
        self._complete.add(tensor)

    def finish(self, tensors: int, data_bytes: int) -> None:
        """Checks that everything announced has come, and that the trailer's counts say so too."""
        for partial in self._partial.values():
            raise mismatch(f"bytes of {partial.info.name}", partial.received, len(partial.data))
        for what, got, expected in (
            ("tensors", len(self._complete), self._tensors),
            ("bytes", self._received, self._data_bytes),
            ("the trailer's tensors", tensors, self._tensors),
            ("the trailer's bytes", data_bytes, self._data_bytes),
        ):
            if got != expected:
                raise mismatch(what, got, expected)

    def progress(self) -> str:
        """How much has come: "2 of 3 tensors and 96 of 128 bytes"."""
        return f"{len(self._complete)} of {self._tensors} tensors and {self._received} of {self._data_bytes} bytes"

    def _check_may_come(self, tensor: int) -> None:
        if tensor >= self._tensors:
            raise misplaced(f"got tensor {tensor}, but the header announced {self._tensors} tensors")
        if tensor in self._complete:
            raise misplaced("more of a tensor that was complete")

    def _start(self, chunk: Any) -> _Partial:
        if not chunk.HasField("info"):
            raise misplaced("a tensor's first chunk does not say which tensor it is")
        info = chunk.info
        item = np.dtype(_DTYPES[info.dtype]).itemsize if info.dtype in _DTYPES else 0
        size = item * math.prod(info.shape)
        if not item or size > self._data_bytes - self._announced:
            raise misplaced(
                f"tensor {info.name} has type {info.dtype} and a shape that does not fit the {self._data_bytes} bytes "
                "that the header announced"
            )
        self._announced += size
        partial = self._partial[chunk.tensor] = _Partial(info, size)
        return partial

    def _append(self, chunk: Any, data: memoryview, partial: _Partial) -> None:
        name, end = partial.info.name, partial.received + len(data)
        if chunk.offset != partial.received:
            raise mismatch(f"offset of a chunk of {name}", chunk.offset, partial.received)
        if end > len(partial.data):
            raise mismatch(f"size of {name}", end, len(partial.data))
        crc = crc32(data)
        if crc != chunk.crc32:
            raise mismatch(f"CRC-32 of a chunk of {name} at byte {chunk.offset}", crc, chunk.crc32)
        partial.data[partial.received : end] = np.frombuffer(data, dtype=np.uint8)
        partial.received = end
        self._received += len(data)
