"""Streams of messages: whole ones are arrays, and every damage is found."""

import itertools
import zlib

import numpy as np
import pytest
from python_client import hp
from python_fakes import ARRAY, answer, chunk, header, input_info, trailer

from hydrophone.proto import v1
from hydrophone.wire.streams import ExtractAssembler
from hydrophone.wire.tensors import elements

SIZE = ARRAY.nbytes


def read(messages, empty=False):
    assembler = ExtractAssembler(empty)
    events = [event for message in messages for event in assembler.add(message.SerializeToString())]
    assembler.finish()
    return events


def damaged(messages, said, empty=False):
    with pytest.raises(hp.DamagedStream, match=said):
        read(messages, empty)


def test_a_whole_stream_gives_the_array_aligned_and_writable():
    kinds = read(answer(ARRAY))
    assert [kind for kind, _ in kinds] == ["header", "input", "tensor", "trailer"]
    info, array = kinds[2][1]
    assert info.name == "blocks.0.hook_attn_out"
    np.testing.assert_array_equal(array, ARRAY)
    assert array.flags.aligned and array.flags.writeable


def test_a_tensor_in_pieces_is_put_together():
    first = chunk(ARRAY)
    first.chunk.data = first.chunk.data[:8]
    first.chunk.crc32 = zlib.crc32(first.chunk.data)
    events = read([header(1, SIZE), input_info(), first, chunk(ARRAY, offset=8, described=False), trailer(1, SIZE)])
    np.testing.assert_array_equal(events[2][1][1], ARRAY)


def test_every_cut_is_found():
    whole = answer(ARRAY)
    for length in range(len(whole)):
        damaged(whole[:length], "cut stream")


def test_no_order_but_the_right_one_is_taken():
    right = answer(ARRAY)
    for order in itertools.permutations(range(4)):
        if order != (0, 1, 2, 3):
            damaged([right[place] for place in order], "damaged stream")


def test_a_flipped_bit_is_found():
    bad = chunk(ARRAY)
    bad.chunk.data = b"\1" + bad.chunk.data[1:]
    damaged([header(1, SIZE), input_info(), bad], "CRC-32 of a chunk of blocks.0.hook_attn_out at byte 0")


@pytest.mark.parametrize(
    "messages, said",
    [
        ([header(1, SIZE), input_info(), chunk(ARRAY, described=False)], "does not say which tensor"),
        ([header(1, SIZE), input_info(), chunk(ARRAY, tensor=1)], "got tensor 1, but the header announced 1"),
        ([header(1, SIZE), input_info(), chunk(ARRAY), chunk(ARRAY)], "more of a tensor that was complete"),
        ([header(1, SIZE), input_info(), chunk(ARRAY, offset=4)], "offset of a chunk"),
        ([header(1, SIZE - 4), input_info(), chunk(ARRAY)], "does not fit the 20 bytes"),
        ([header(2, SIZE), input_info(), chunk(ARRAY), trailer(2, SIZE)], "tensors: got 1, expected 2"),
        ([header(1, SIZE + 4), input_info(), chunk(ARRAY), trailer(1, SIZE + 4)], "bytes: got 24, expected 28"),
        ([header(1, SIZE), input_info(), chunk(ARRAY), trailer(2, SIZE)], "the trailer's tensors"),
        ([header(1, SIZE), input_info(), chunk(ARRAY), trailer(1, 0)], "the trailer's bytes"),
        ([header(0, 0), input_info(1)], "an input's index: got 1, expected 0"),
        ([header(0, 0), input_info(), input_info(1)], "inputs: got 2, expected 1"),
        ([header(1, SIZE), chunk(ARRAY)], "inputs before the first capture"),
        ([header(), header()], "a second header"),
        ([header(), input_info(), trailer(), trailer()], "a message after the trailer"),
        ([v1.ExtractResponse()], "a kind that this client does not know"),
    ],
)
def test_what_does_not_fit_together_is_found(messages, said):
    damaged(messages, said)


def test_a_chunk_that_is_longer_than_its_tensor_is_found():
    long = chunk(np.concatenate([ARRAY, ARRAY]))
    long.chunk.info.shape[:] = ARRAY.shape
    damaged([header(1, 2 * SIZE), input_info(), long], "size of .*: got 48, expected 24")


def test_an_unfinished_tensor_is_found():
    first = chunk(ARRAY)
    first.chunk.data = first.chunk.data[:8]
    first.chunk.crc32 = zlib.crc32(first.chunk.data)
    damaged([header(1, SIZE), input_info(), first, trailer(1, SIZE)], "bytes of .*: got 8, expected 24")


def test_validating_announces_captures_and_has_none():
    read([header(1, SIZE), input_info(), trailer()], empty=True)
    damaged([header(1, SIZE), input_info(), chunk(ARRAY)], "a capture in an answer that was to have none", empty=True)


def test_bytes_that_are_no_message_are_found():
    with pytest.raises(hp.DamagedStream, match="no ExtractResponse"):
        list(ExtractAssembler().add(b"\xff\xff"))


def test_narrow_types_have_the_values_that_were_sent():
    halves = np.array([1.5, -2.0], dtype="<f2")
    np.testing.assert_array_equal(elements(halves.tobytes(), v1.DTYPE_FLOAT16, (2,)), halves)
    upper = np.array([1.5, -2.0], dtype="<f4").view("<u4") >> 16
    found = elements(upper.astype("<u2").tobytes(), v1.DTYPE_BFLOAT16, (2,))
    assert found.dtype == np.float32 and found.tolist() == [1.5, -2.0]
