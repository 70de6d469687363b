"""No work for the dead: what a caller does not wait for any more is not computed, as the server's metrics show.

The scheduler's own tests say in which layer a job stops; here a whole server does it, for callers that cancel, whose
time runs out, and whose connection ends.
"""

import contextlib
import subprocess

import grpc
import numpy as np
import pytest
from conftest import Server, build_directory
from google.protobuf import json_format
from server_metrics import Metrics

LAYERS, CONTEXT, VOCABULARY = 12, 1024, 300
SIZES = ["--n-layer", LAYERS, "--n-embd", 640, "--n-head", 10, "--vocab-size", VOCABULARY]


@pytest.fixture(scope="module")
def busy_server(random_checkpoint):
    """A server that a run as long as the context keeps busy for a second or so, alone: it fills a batch."""
    model = random_checkpoint("dead_work", *map(str, SIZES))
    with Server(model, flags=[f"--max_batch_tokens={CONTEXT}", "--threads=1"]) as server:
        server.metrics = Metrics(server.metrics_address)
        yield server


def request(pb, length):
    ids = np.random.default_rng(1).integers(0, VOCABULARY, length).tolist()
    return pb.ExtractRequest(
        inputs=[pb.Input(token_ids=ids)], hook_points=["hook_resid_post"], view=pb.VIEW_SUMMARY, layout=pb.LAYOUT_ROWS
    )


def long_request(pb):
    """Every layer gives a value as soon as it is computed."""
    return request(pb, CONTEXT)


def short_request(pb):
    return request(pb, 5)


class Computed:
    """What the engine did since the making of this."""

    def __init__(self, metrics):
        self._metrics = metrics
        self._before = self._now()

    def _now(self):
        return {
            name: self._metrics.value(f"hydrophone_{name}")
            for name in ("tokens_total", "compute_seconds_sum", "compute_seconds_count")
        }

    def await_batches(self, count):
        """Waits for that many batches; gives (tokens, seconds)."""
        wanted = self._before["compute_seconds_count"] + count
        self._metrics.await_value("hydrophone_compute_seconds_count", lambda value: value >= wanted)
        now = self._now()
        assert now["compute_seconds_count"] == wanted
        return tuple(now[name] - self._before[name] for name in ("tokens_total", "compute_seconds_sum"))


def whole_seconds(api, server):
    """How long the engine takes for the long request when its caller stays."""
    with api.connect(server.address) as client:
        computed = Computed(server.metrics)
        stream = client.stub.Extract(long_request(client.pb))
        assert sum(each.HasField("values") for each in stream) == LAYERS
        return computed.await_batches(1)[1]


def await_first_layer(stream):
    for each in stream:
        if each.WhichOneof("part") == "values":
            return
    raise AssertionError("the stream ended before its first capture")


@contextlib.contextmanager
def other_process(server, asked, directory):
    """The program `hydrophone` asking that; killed in the end, which ends its connection."""
    path = directory / "request.json"
    path.write_text(json_format.MessageToJson(asked))
    command = [build_directory() / "bin/hydrophone", "--server", server.address, "extract", "--request", path]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.kill()
        process.wait()


def leave_by_cancelling(api, server, _whole, _directory):
    with api.connect(server.address) as client:
        stream = client.stub.Extract(long_request(client.pb))
        await_first_layer(stream)
        stream.cancel()


def leave_by_dying(api, server, _whole, directory):
    with other_process(server, long_request(api.pb), directory):
        server.metrics.await_value("hydrophone_response_budget_used_bytes", lambda used: used > 0)


def leave_by_deadline(api, server, whole, _directory):
    with api.connect(server.address) as client:
        with pytest.raises(grpc.RpcError) as ended:
            list(client.stub.Extract(long_request(client.pb), timeout=whole / 4))
        assert ended.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED


@pytest.mark.parametrize("leave", [leave_by_cancelling, leave_by_dying, leave_by_deadline])
def test_a_forward_pass_stops_when_its_only_caller_has_left(leave, api, busy_server, tmp_path):
    whole = whole_seconds(api, busy_server)
    computed = Computed(busy_server.metrics)
    leave(api, busy_server, whole, tmp_path)
    _, seconds = computed.await_batches(1)
    assert seconds < whole * 0.75, f"{seconds:.2f} s of {whole:.2f} s were computed"


class Held:
    """A long request that the engine is computing; use as a context manager, and `read` it in the end."""

    def __init__(self, api, server):
        self._api, self._server = api, server

    def __enter__(self):
        self._stack = contextlib.ExitStack()
        client = self._stack.enter_context(self._api.connect(self._server.address))
        self._stream = client.stub.Extract(long_request(client.pb))
        await_first_layer(self._stream)
        return self

    def __exit__(self, *_):
        self._stack.close()

    def read(self):
        for _ in self._stream:
            pass
        assert self._stream.code() == grpc.StatusCode.OK


def test_queued_work_whose_caller_left_never_starts(api, busy_server, tmp_path):
    metrics = busy_server.metrics
    computed = Computed(metrics)
    with Held(api, busy_server) as held, api.connect(busy_server.address) as client:
        cancelled = client.stub.Extract(long_request(client.pb))
        with other_process(busy_server, long_request(api.pb), tmp_path):
            metrics.await_value("hydrophone_queue_depth_requests", lambda depth: depth == 2)
            cancelled.cancel()
            metrics.await_value("hydrophone_queue_depth_requests", lambda depth: depth == 1)
        metrics.await_value("hydrophone_queue_depth_requests", lambda depth: depth == 0)
        held.read()
    tokens, _ = computed.await_batches(1)
    assert tokens == CONTEXT


def test_a_deadline_that_the_queue_ate_is_answered_without_computing(api, busy_server):
    computed = Computed(busy_server.metrics)
    with Held(api, busy_server) as held, api.connect(busy_server.address) as client:
        late = client.stub.Extract(long_request(client.pb), timeout=0.1)
        with pytest.raises(grpc.RpcError) as ended:
            list(late)
        assert ended.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
        held.read()
    tokens, _ = computed.await_batches(1)
    assert tokens == CONTEXT


def test_a_continuation_ends_with_its_caller(api, busy_server):
    """Its steps are short batches of their own: after the caller has left, no further step is counted."""
    metrics = busy_server.metrics
    with api.connect(busy_server.address) as client:
        asked = request(client.pb, 8)
        asked.max_new_tokens = CONTEXT - 8
        stream = client.stub.Extract(asked)
        before = metrics.value("hydrophone_compute_seconds_count")
        metrics.await_value("hydrophone_compute_seconds_count", lambda count: count > before)
        stream.cancel()
    metrics.await_value("hydrophone_queue_depth_requests", lambda depth: depth == 0)
    with api.connect(busy_server.address) as client:
        for _ in range(3):  # whatever was under way has ended when these have had their turns
            list(client.stub.Extract(short_request(client.pb)))
        steps = metrics.value("hydrophone_compute_seconds_count")
        list(client.stub.Extract(short_request(client.pb)))
        metrics.await_value("hydrophone_compute_seconds_count", lambda count: count > steps)
        assert metrics.value("hydrophone_compute_seconds_count") == steps + 1
