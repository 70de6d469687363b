"""Writes safetensors files one tensor at a time: any checkpoint in the memory of one tensor.

The file: an unsigned 64-bit little-endian header length, the header (JSON: name -> dtype, shape,
data_offsets, which count from the header's end), then the tensors' bytes without gaps. As the
safetensors library does it, tensors lie in the order of their alignment and then of their names,
and spaces fill the header to a multiple of eight bytes.
"""

import dataclasses
import json
import math
import struct
from collections.abc import Callable

import numpy as np

DTYPES = {"float32": ("F32", 4), "float16": ("F16", 2), "bfloat16": ("BF16", 2)}


@dataclasses.dataclass(frozen=True)
class Tensor:
    name: str
    shape: tuple
    dtype: str  # a key of DTYPES
    make: Callable[[], np.ndarray]  # its float32 values, of that shape; called once, when they are written

    @property
    def elements(self):
        return math.prod(self.shape)

    @property
    def nbytes(self):
        return self.elements * DTYPES[self.dtype][1]


def round_to(values, dtype):
    """Little-endian storage of float32 values in `dtype`, rounded to nearest, ties to even."""
    values = np.ascontiguousarray(values, dtype="<f4")
    if dtype == "float32":
        return values
    if dtype == "float16":
        return values.astype("<f2")
    bits = values.view("<u4")
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype("<u2")


def write(path, tensors):
    ordered = sorted(tensors, key=lambda tensor: (-DTYPES[tensor.dtype][1], tensor.name))
    header, offset = {"__metadata__": {"format": "pt"}}, 0
    for tensor in ordered:
        header[tensor.name] = {
            "dtype": DTYPES[tensor.dtype][0],
            "shape": list(tensor.shape),
            "data_offsets": [offset, offset + tensor.nbytes],
        }
        offset += tensor.nbytes
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)))
        file.write(text)
        for tensor in ordered:
            file.write(round_to(tensor.make(), tensor.dtype).data)
