"""An answer as named parts of bytes, and how two of them differ."""

import json
import zlib

# Of a trailer, what differs from one time to the next.
TIMES = ("queue_seconds", "compute_seconds", "batch_tokens")


class DamagedAnswer(Exception):
    """A chunk's checksum or place is wrong."""


def of_stream(messages):
    """The parts of an Extract or GetParameters stream, tensors put together."""
    parts, tensors = {}, {}
    for message in messages:
        part = message.WhichOneof("part")
        content = getattr(message, part)
        if part == "chunk":
            _add_chunk(content, parts, tensors)
            continue
        name = part
        if part == "input":
            name = f"input {content.index}"
        elif part == "values":
            name = f"values {content.tensor}"
        elif part == "trailer":
            _leave_out_times(content)
        parts[name] = content.SerializeToString(deterministic=True)
    return {**parts, **{name: bytes(data) for name, data in tensors.items()}}


def _leave_out_times(trailer):
    for field in TIMES:
        if field in trailer.DESCRIPTOR.fields_by_name:
            trailer.ClearField(field)


def _add_chunk(chunk, parts, tensors):
    name = f"tensor {chunk.tensor}"
    data = tensors.setdefault(name, bytearray())
    if zlib.crc32(chunk.data) != chunk.crc32 or chunk.offset != len(data):
        raise DamagedAnswer(f"{name}: the chunk at byte {chunk.offset}, after {len(data)}, is damaged")
    if chunk.HasField("info"):
        parts[f"{name}'s info"] = chunk.info.SerializeToString(deterministic=True)
    data += chunk.data


def of_json(messages):
    """The parts of an answer as grpcurl prints it."""
    for message in messages:
        for field in TIMES:
            message.get("trailer", {}).pop(field, None)
    return {f"message {i}": json.dumps(each, sort_keys=True).encode() for i, each in enumerate(messages)}


def of_status(code, message, details=b""):
    """The parts of a refusal."""
    return {"code": code.encode(), "message": message.encode(), "details": details}


def differences(got, expected, whole=True):
    """What is wrong with an answer, a text for each part; `whole`: it did not break off."""
    found = [f"{name}: not expected" for name in got if name not in expected]
    for name, wanted in expected.items():
        have = got.get(name)
        if have is None:
            if whole:
                found.append(f"{name}: missing")
        elif have != (wanted if whole else wanted[: len(have)]):
            found.append(f"{name}: {_first_difference(have, wanted)}")
    return found


def _first_difference(have, wanted):
    for at, (one, other) in enumerate(zip(have, wanted, strict=False)):
        if one != other:
            return f"byte {at} is {one}, expected {other} (of {len(wanted)} bytes)"
    return f"{len(have)} bytes, expected {len(wanted)}"
