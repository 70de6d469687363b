"""How calls fare: repeated, failed over, ended and cancelled, by both clients."""

import asyncio
import os
import signal
import threading

import grpc
import numpy as np
import pytest
from python_client import hp
from python_fakes import ARRAY, Endless, FakeServer, answer, chunk, closed_port, header, input_info, refuse

Code = grpc.StatusCode


def blocking(address, content="a", **options):
    with hp.Client(address, **options) as client:
        return client.extract(content, "attn.c_proj")


def awaited(address, content="a", **options):
    async def ask():
        async with hp.aio.Client(address, **options) as client:
            return await client.extract(content, "attn.c_proj")

    return asyncio.run(ask())


both = pytest.mark.parametrize("extract", [blocking, awaited])


def busy(times, retry_seconds=0.01):
    """Refuses that many calls, then answers."""
    left = [times]

    def extract(request, context):
        if left[0]:
            left[0] -= 1
            refuse(context, Code.RESOURCE_EXHAUSTED, "no room", "OVERLOADED", retry_seconds=retry_seconds)
        return iter(answer(ARRAY))

    return extract


@both
def test_an_answer_is_an_array(extract):
    with FakeServer() as server:
        np.testing.assert_array_equal(extract(server.address)["attn.c_proj"], ARRAY)


@both
def test_a_busy_server_is_asked_again_when_it_says(extract):
    with FakeServer(busy(4)) as server:
        np.testing.assert_array_equal(extract(server.address)["attn.c_proj", 0], ARRAY)
        assert server.calls.count("Extract") == 5


@both
def test_a_large_request_is_asked_again_too(extract):
    with FakeServer(busy(1)) as server:
        extract(server.address, content="a" * (2 << 20))
        assert server.calls.count("Extract") == 2


@both
def test_a_server_that_stays_busy_is_an_error_with_its_time(extract):
    with FakeServer(busy(100)) as server:
        with pytest.raises(hp.Busy, match="no room") as caught:
            extract(server.address)
        assert server.calls.count("Extract") == 5
    assert caught.value.reason == "OVERLOADED"
    assert caught.value.retry_after == pytest.approx(0.01)
    assert caught.value.request_id == "r1"


@both
def test_what_was_begun_is_not_asked_again(extract):
    def stalled(request, context):
        yield header(1, ARRAY.nbytes)
        refuse(context, Code.RESOURCE_EXHAUSTED, "not read", "STALLED", retry_seconds=0.01)

    with FakeServer(stalled) as server:
        with pytest.raises(hp.Busy, match="not read"):
            extract(server.address)
        assert server.calls.count("Extract") == 1


@both
def test_what_one_server_began_no_other_is_asked_for(extract):
    def gone(request, context):
        yield header(1, ARRAY.nbytes)
        refuse(context, Code.UNAVAILABLE, "about to stop", "DRAINING")

    with FakeServer(gone) as first, FakeServer(gone) as second:
        with pytest.raises(hp.Unavailable, match="about to stop"):
            extract([first.address, second.address])
        assert (first.calls + second.calls).count("Extract") == 1


@both
def test_a_damaged_stream_gives_nothing(extract):
    bad = chunk(ARRAY)
    bad.chunk.crc32 ^= 1
    messages = [header(1, ARRAY.nbytes), input_info(), bad]
    with FakeServer(lambda request, context: iter(messages)) as server, pytest.raises(hp.DamagedStream, match="CRC-32"):
        extract(server.address)


@both
def test_a_cut_stream_gives_nothing(extract):
    said = pytest.raises(hp.DamagedStream, match="without a trailer, after 1 of 1 inputs, 1 of 1 tensors")
    with FakeServer(lambda request, context: iter(answer(ARRAY)[:3])) as server, said:
        extract(server.address)


@both
def test_a_deadline_ends_the_call_here_and_there(extract):
    endless = Endless()
    with FakeServer(endless) as server:
        with pytest.raises(hp.DeadlineExceeded):
            extract(server.address, timeout=0.5)
        assert endless.was_cancelled()


@both
def test_the_next_server_is_asked_when_one_does_not_answer(extract):
    with closed_port() as nobody, FakeServer() as server:
        np.testing.assert_array_equal(extract([nobody, server.address])["attn.c_proj"], ARRAY)


@both
def test_nobody_there_is_an_error(extract):
    with closed_port() as nobody, pytest.raises(hp.Unavailable) as caught:
        extract(nobody)
    assert isinstance(caught.value, ConnectionError)


def test_servers_take_turns():
    with FakeServer() as first, FakeServer() as second, hp.Client([first.address, second.address]) as client:
        for _ in range(4):
            client.model()
        assert first.calls == second.calls == ["GetModel"] * 2


@both
def test_refused_fields_are_the_callers_arguments(extract):
    def refused(request, context):
        violations = [("hooks[0].hook_point", "no hook point is called that"), ("inputs[0].text", "got no tokens")]
        refuse(context, Code.INVALID_ARGUMENT, "refused", "BAD_REQUEST", violations)
        yield

    with FakeServer(refused) as server, pytest.raises(hp.InvalidArgument) as caught:
        extract(server.address)
    assert [each.argument for each in caught.value.violations] == ["hooks[0]", "inputs[0]"]
    assert caught.value.argument == "hooks[0]"
    assert isinstance(caught.value, ValueError)
    assert str(caught.value).splitlines()[0] == "hooks[0]: no hook point is called that"


@pytest.mark.parametrize(
    "code, kind",
    [
        (Code.FAILED_PRECONDITION, hp.Precondition),
        (Code.UNIMPLEMENTED, hp.NotBuilt),
        (Code.UNAUTHENTICATED, hp.AccessDenied),
        (Code.PERMISSION_DENIED, hp.AccessDenied),
        (Code.CANCELLED, hp.Cancelled),
        (Code.INTERNAL, hp.ServerError),
        (Code.UNKNOWN, hp.ServerError),
    ],
)
def test_every_status_has_its_exception(code, kind):
    def refused(request, context):
        refuse(context, code, "because", "REASON")
        yield

    with FakeServer(refused) as server, pytest.raises(kind, match="because") as caught:
        blocking(server.address)
    assert type(caught.value) is kind and caught.value.reason == "REASON"


@pytest.fixture
def ctrl_c():
    """Ctrl-C interrupts, also where the tests were started in the background, which ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def one_extract(client, directory):
    client.extract("a", "attn.c_proj")


def operations_within_operations(client, directory):
    hp.bulk(client, ["a", "b"], "attn.c_proj", directory, texts_per_shard=1, patience=0)


@pytest.mark.parametrize("ask", [one_extract, operations_within_operations])
def test_ctrl_c_cancels_on_the_server(ask, ctrl_c, tmp_path):
    endless = Endless()

    def interrupt():
        endless.begun.wait(30)
        os.kill(os.getpid(), signal.SIGINT)

    with FakeServer(endless) as server, hp.Client(server.address) as client:
        thread = threading.Thread(target=interrupt)
        thread.start()
        with pytest.raises(KeyboardInterrupt):
            ask(client, tmp_path)
        assert endless.was_cancelled()
        thread.join()


def test_a_cancelled_task_cancels_on_the_server():
    endless = Endless()

    async def ask(address):
        async with hp.aio.Client(address) as client:
            task = asyncio.ensure_future(client.extract("a", "attn.c_proj"))
            await asyncio.to_thread(endless.begun.wait, 30)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    with FakeServer(endless) as server:
        asyncio.run(ask(server.address))
        assert endless.was_cancelled()


def test_a_stream_that_is_given_up_is_cancelled_on_the_server():
    endless = Endless()

    def one_then_nothing(request, context):
        for number, message in enumerate(endless(request, context)):
            yield message
            if number == 1:
                yield chunk(ARRAY)

    with FakeServer(one_then_nothing) as server, hp.Client(server.address) as client:
        captures = client.stream("a", "attn.c_proj")
        np.testing.assert_array_equal(next(captures).array, ARRAY)
        captures.close()
        assert endless.was_cancelled()


def several(address):
    with hp.Client(address) as client:
        client.extract(["bad", "b", "c", "d"], "attn.c_proj")


def several_awaited(address):
    async def ask():
        async with hp.aio.Client(address) as client:
            await client.extract(["bad", "b", "c", "d"], "attn.c_proj")

    asyncio.run(ask())


@pytest.mark.parametrize("extract", [several, several_awaited])
def test_the_first_failure_of_several_requests_cancels_the_others(extract):
    endless = Endless()

    def first_fails(request, context):
        if request.inputs[0].text == "bad":
            endless.begun.wait(30)
            refuse(context, Code.INTERNAL, "broken", "INTERNAL")
        return endless(request, context)

    with FakeServer(first_fails) as server:
        with pytest.raises(hp.ServerError, match="broken"):
            extract(server.address)
        assert endless.was_cancelled()


def test_an_awaited_stream_gives_its_captures_and_its_errors():
    def two(request, context):
        if request.inputs[0].text == "bad":
            refuse(context, Code.INVALID_ARGUMENT, "refused", "BAD_REQUEST", [("inputs[0].text", "is bad")])
        return iter(answer(ARRAY))

    async def ask(address, inputs):
        async with hp.aio.Client(address) as client:
            return [capture.runs async for capture in client.stream(inputs, "attn.c_proj")]

    with FakeServer(two) as server:
        assert asyncio.run(ask(server.address, ["a", "b", "c"])) == [(0,), (2,)]
        with pytest.raises(hp.InvalidArgument) as caught:
            asyncio.run(ask(server.address, ["a", "b", "bad"]))
        assert caught.value.argument == "inputs[2]"
