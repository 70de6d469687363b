"""A caller that does not read delays others for --stall_seconds at most, and is told so when it reads again."""

import time

import grpc
import pytest
from conftest import DEFAULT_MODEL, Server

STALL_SECONDS = 1
FLAGS = ["--response_budget_bytes=100000000", f"--stall_seconds={STALL_SECONDS}"]


@pytest.fixture(scope="module")
def small_budget():
    with Server(DEFAULT_MODEL, FLAGS) as server:
        yield server


def scores(pb, tokens):
    """A run that cannot be cut: 192 bytes times the square of its tokens."""
    return pb.ExtractRequest(inputs=[pb.Input(token_ids=[7] * tokens)], hook_points=["attn.hook_attn_scores"])


def large(pb):
    """94 MB: more than the network holds for a client that does not read."""
    return scores(pb, 700)


@pytest.mark.parametrize(
    "tokens, code",
    [
        # 60 MB: fits beside the message under way, so the stalled stream is left its status.
        (560, grpc.StatusCode.RESOURCE_EXHAUSTED),
        # 94 MB: needs what the message under way holds.
        (700, grpc.StatusCode.CANCELLED),
    ],
)
def test_a_stream_that_is_not_read_is_ended_when_others_wait(small_budget, api, tokens, code):
    pb = api.pb
    with api.connect(small_budget.address) as idle, api.connect(small_budget.address) as other:
        stalled = idle.stub.Extract(large(pb))
        next(stalled)  # the header: the captures follow
        answer = other.read(other.stub.Extract(scores(pb, tokens), timeout=300))
        assert answer.header.tensors == 12
        with pytest.raises(grpc.RpcError) as ended:
            for _ in stalled:
                pass
    assert ended.value.code() == code
    if code is grpc.StatusCode.RESOURCE_EXHAUSTED:
        assert b"STALLED" in dict(ended.value.trailing_metadata())["grpc-status-details-bin"]
        assert "was not read" in ended.value.details()


def test_a_stream_that_nobody_waits_for_is_kept(small_budget, api):
    pb = api.pb
    with api.connect(small_budget.address) as idle, api.connect(small_budget.address) as other:
        stalled = idle.stub.Extract(large(pb))
        messages = [next(stalled)]
        # Small requests fit beside it. They go on until the stream has stood still for longer than it otherwise may.
        enough = time.monotonic() + 1.5 * STALL_SECONDS
        while time.monotonic() < enough:
            other.extract(texts=["Hello"], hook_points=["hook_embed"])
        messages.extend(stalled)
    assert messages[-1].WhichOneof("part") == "trailer"
