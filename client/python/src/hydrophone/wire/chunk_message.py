"""Finds a chunk's data in a serialized message, so that protobuf does not copy it twice.

A server lays out a chunk's message as

    Response.chunk tag | length | Chunk fields 1-4, in any order | Chunk.data tag | length | data

and ExtractResponse and GetParametersResponse have the chunk under one number, 15, which `data` has in Chunk.
"""

from __future__ import annotations

from typing import Any

from google.protobuf.message import DecodeError

from hydrophone.proto import v1

_FIFTEEN = 15 << 3 | 2  # the tag of field 15, length-delimited
_VARINT, _LENGTH, _FIXED32 = 0, 2, 5


def read_chunk(message: bytes) -> tuple[Any, memoryview] | None:
    """The chunk without its data, and the data within the message.

    None for every message that is not laid out like that, which protobuf is then asked about.
    """
    try:
        if message[0] != _FIFTEEN:
            return None
        length, begin = _varint(message, 1)
        if begin + length != len(message):
            return None
        at = begin
        while at < len(message) and message[at] != _FIFTEEN:
            at = _after_field(message, at)
        if at >= len(message):
            return v1.Chunk.FromString(message[begin:]), memoryview(b"")
        size, data = _varint(message, at + 1)
        if data + size != len(message):
            return None
        return v1.Chunk.FromString(message[begin:at]), memoryview(message)[data:]
    except (IndexError, ValueError, DecodeError):
        return None


def _varint(message: bytes, at: int) -> tuple[int, int]:
    """The number that begins here, and where what follows begins. IndexError when the message ends in it."""
    value = shift = 0
    while True:
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
        if shift > 63:
            raise ValueError("a varint of more than ten bytes")


def _after_field(message: bytes, at: int) -> int:
    kind = message[at] & 7
    if message[at] >= 0x80:
        raise ValueError("a field above 15")
    if kind == _VARINT:
        return _varint(message, at + 1)[1]
    if kind == _FIXED32:
        return at + 5
    if kind == _LENGTH:
        length, begin = _varint(message, at + 1)
        return begin + length
    raise ValueError("a field of another kind than a chunk has")
