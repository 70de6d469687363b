"""Finding a chunk's data in a message without parsing it."""

import python_client  # noqa: F401

from hydrophone.proto import v1
from hydrophone.wire.chunk_message import read_chunk


def chunk(**fields):
    return v1.Chunk(tensor=300, offset=1 << 40, crc32=7, info=v1.TensorInfo(name="a" * 200), **fields)


def test_fields_and_data_are_what_protobuf_would_have_parsed():
    message = v1.ExtractResponse(chunk=chunk(data=bytes(range(256)) * 9)).SerializeToString()
    fields, data = read_chunk(message)
    assert fields == chunk()
    assert bytes(data) == bytes(range(256)) * 9
    assert data.obj is message, "the data is a view of the message"


def test_a_chunk_without_data_is_a_chunk():
    fields, data = read_chunk(v1.ExtractResponse(chunk=chunk()).SerializeToString())
    assert fields == chunk() and len(data) == 0


def test_other_messages_are_left_to_protobuf():
    assert read_chunk(v1.ExtractResponse(trailer=v1.Trailer(tensors=1)).SerializeToString()) is None
    assert read_chunk(b"") is None


def test_no_cut_or_lengthened_message_is_taken_for_a_chunk():
    whole = v1.GetParametersResponse(chunk=chunk(data=b"elements")).SerializeToString()
    assert read_chunk(whole) is not None
    for end in range(len(whole)):
        assert read_chunk(whole[:end]) is None, end
    assert read_chunk(whole + b"\0") is None
    assert read_chunk(b"\x7a" + b"\xff" * 20) is None  # a length without end
