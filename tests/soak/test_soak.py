"""The soak's own comparer: what it must find, it finds."""

import zlib

import answers
import callers
import pytest
from soak_questions import Question


def stream(pb, data=b"abcdefgh", **trailer):
    """An Extract answer with one tensor in two chunks."""

    def chunk(first, last, **more):
        part = data[first:last]
        return pb.ExtractResponse(chunk=pb.Chunk(offset=first, crc32=zlib.crc32(part), data=part, **more))

    info = pb.TensorInfo(name="hook_embed", dtype=pb.DTYPE_FLOAT32, shape=[2])
    return [
        pb.ExtractResponse(header=pb.Header(inputs=1, tensors=1, data_bytes=8)),
        pb.ExtractResponse(input=pb.InputInfo(index=0, token_ids=[5])),
        chunk(0, 4, info=info),
        chunk(4, 8),
        pb.ExtractResponse(trailer=pb.Trailer(tensors=1, data_bytes=8, **trailer)),
    ]


@pytest.fixture
def pb(api):
    return api.pb


def compared(pb, got, whole=True):
    return answers.differences(answers.of_stream(got), answers.of_stream(stream(pb)), whole)


def test_the_same_bytes_are_the_same_whatever_the_times(pb):
    assert compared(pb, stream(pb, queue_seconds=1.5, compute_seconds=2, batch_tokens=7)) == []


def test_one_wrong_byte_is_found_where_it_is(pb):
    assert compared(pb, stream(pb, data=b"abcdeXgh")) == ["tensor 0: byte 5 is 88, expected 102 (of 8 bytes)"]


def test_a_wrong_byte_in_any_other_message_is_found(pb):
    for place, change in {
        0: lambda message: setattr(message.header, "tokens", 9),
        1: lambda message: message.input.token_ids.__setitem__(0, 6),
        2: lambda message: setattr(message.chunk.info, "layer", 3),
        4: lambda message: setattr(message.trailer, "nonfinite", 1),
    }.items():
        got = stream(pb)
        change(got[place])
        assert len(compared(pb, got)) == 1, place


def test_a_part_that_is_missing_or_too_much_is_found(pb):
    assert compared(pb, stream(pb)[:-1]) == ["trailer: missing"]
    assert compared(pb, stream(pb)[:3] + stream(pb)[4:]) == ["tensor 0: 4 bytes, expected 8"]
    more = [*stream(pb), pb.ExtractResponse(values=pb.Values(tensor=1))]
    assert compared(pb, more) == ["values 1: not expected"]


def test_an_answer_that_broke_off_must_be_a_beginning(pb):
    assert compared(pb, stream(pb)[:3], whole=False) == []
    assert compared(pb, stream(pb, data=b"aXcdefgh")[:3], whole=False) != []


def test_a_chunk_that_is_damaged_or_out_of_place_is_found(pb):
    for field, value in {"crc32": 1, "offset": 3}.items():
        got = stream(pb)
        setattr(got[3].chunk, field, value)
        with pytest.raises(answers.DamagedAnswer):
            answers.of_stream(got)


def test_grpcurls_answers_are_compared_without_their_times():
    expected = answers.of_json([{"chunk": {"data": "YWI="}}, {"trailer": {"tensors": 1, "queue_seconds": 0.5}}])
    again = answers.of_json([{"chunk": {"data": "YWI="}}, {"trailer": {"tensors": 1}}])
    assert answers.differences(again, expected) == []
    assert answers.differences(answers.of_json([{"chunk": {"data": "YWM="}}, {"trailer": {"tensors": 1}}]), expected)


class FakeStage:
    def __init__(self, restarted):
        self.found, self._restarted, self.over = [], restarted, self

    def find(self, text):
        self.found.append(text)

    def was_restarted_since(self, _begun):
        return self._restarted

    def wait(self, _seconds):
        """As the event `over` does."""


class OneAnswer(callers.Caller):
    """Gives the same answer to everything, or is told that there is no server."""

    kind = "one answer"

    def __init__(self, stage, answer):
        super().__init__(stage, [], 1)
        self.expected = {"q": {"message": b"right"}}
        self._answer = answer

    def ask(self, _question):
        if self._answer is None:
            raise callers.Unavailable("nobody there")
        return {"message": self._answer}


@pytest.mark.parametrize(
    "answer, restarted, found",
    [(b"right", False, 0), (b"wrong", False, 1), (b"wrong", True, 1), (None, True, 0), (None, False, 1)],
)
def test_a_caller_finds_wrong_answers_and_failures_without_a_restart(answer, restarted, found):
    stage = FakeStage(restarted)
    caller = OneAnswer(stage, answer)
    caller.turn(Question("q", "Tokenize", b""))
    assert len(stage.found) == found, stage.found
    assert caller.tally.different == (1 if answer == b"wrong" else 0)
