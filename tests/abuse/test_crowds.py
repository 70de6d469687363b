"""Many callers at once: what they hold stays within the bound, what they get is right, and others are answered.

The crowds are small and meet the default model; tests/run --long brings all of them to a GPT-2 of 124M.
"""

import concurrent.futures
import statistics
import threading
import time

import grpc
import pytest
from conftest import DEFAULT_MODEL, FIGURES, LONG, SERVICE, Server
from watch import CONSTANT_MIB, KEPT_MIB, given_back, memory_mib, peak_mib

SLOW_READERS = [200, 300] if LONG else [20]
EVERYTHING = ["hidden_states", "attn.c_proj", "mlp.c_proj"]
PATIENCE = 120  # seconds for any call here


@pytest.fixture(scope="module")
def model(random_checkpoint):
    return random_checkpoint("124M", "--preset", "gpt2") if LONG else DEFAULT_MODEL


def percentile(seconds, share):
    return sorted(seconds)[int(share * (len(seconds) - 1))]


class ShortCalls(threading.Thread):
    """Meanwhile a caller asks for 16 tokens again and again, and has to get the same bytes each time."""

    def __init__(self, api, address):
        super().__init__(daemon=True)
        self.api, self.address = api, address
        self.seconds, self.different, self.failed = [], 0, []
        self._over = threading.Event()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self.join()

    def run(self):
        first = None
        with self.api.connect(self.address) as client:
            while not self._over.is_set():
                begin = time.monotonic()
                try:
                    got = client.extract(
                        inputs=[client.pb.Input(token_ids=list(range(16)))], hook_points=EVERYTHING, timeout=PATIENCE
                    )
                except grpc.RpcError as error:
                    self.failed.append(f"{error.code()}: {error.details()}")
                    continue
                self.seconds.append(time.monotonic() - begin)
                bits = [array.tobytes() for _, array in got.tensors]
                first = first or bits
                self.different += bits != first


def read_slowly(api, address, over, number, codes):
    """Asks for everything about 16 long texts, which is 0.9 GB of 124M's, and reads a message a second."""
    with api.connect(address) as client:
        pb = client.pb
        inputs = [pb.Input(token_ids=[number, text, *range(498)]) for text in range(16)]
        request = pb.ExtractRequest(inputs=inputs, hook_points=EVERYTHING)
        stream = client.stub.Extract(request, timeout=600)
        try:
            for _ in stream:
                if over.wait(1):
                    break
        except grpc.RpcError as error:
            codes.append(error.code())
        stream.cancel()


@pytest.mark.parametrize("count", SLOW_READERS)
def test_slow_readers_hold_no_more_than_the_budget_and_do_not_delay_others(api, model, count):
    over, codes = threading.Event(), []
    with Server(model) as server:
        pid = server.process.pid
        at_rest = memory_mib(pid)
        with api.connect(server.address) as client:
            budget = client.model().limits.response_budget_bytes / (1 << 20)
        bound = at_rest + budget + CONSTANT_MIB
        readers = [
            threading.Thread(target=read_slowly, args=(api, server.address, over, i, codes), daemon=True)
            for i in range(count)
        ]
        with ShortCalls(api, server.address) as short:
            for reader in readers:
                reader.start()
            over.wait(60 if LONG else 5)
        peak = peak_mib(pid)
        over.set()
        for reader in readers:
            reader.join()
        after, settled = given_back(pid, at_rest + KEPT_MIB)
        assert server.stop() == 0
    FIGURES.append(
        f"{count} slow readers: peak {peak:.0f} of {bound:.0f} MiB, {len(short.seconds)} short calls, median "
        f"{1000 * statistics.median(short.seconds):.0f} ms, slowest {max(short.seconds):.2f} s; ended early: "
        f"{len(codes)}; {after:.0f} MiB after {settled:.0f} s (at rest {at_rest:.0f})"
    )
    assert peak <= bound
    assert not short.failed and not short.different
    assert set(codes) <= {grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.CANCELLED}
    assert after <= at_rest + KEPT_MIB


def test_many_small_callers_all_get_the_bytes_of_a_solo_run(api, model):
    callers, seconds = (64, 60) if LONG else (16, 4)
    with Server(model) as server:
        with api.connect(server.address) as client:
            alone = [ask(client, number) for number in range(callers)]
        memory = memory_mib(server.process.pid)
        until = time.monotonic() + seconds
        with concurrent.futures.ThreadPoolExecutor(callers) as executor:
            results = list(
                executor.map(lambda number: keep_asking(api, server.address, number, alone, until), range(callers))
            )
        after, _ = given_back(server.process.pid, memory + KEPT_MIB)
    took = [each for seconds_each, _ in results for each in seconds_each]
    p50, p99 = (1000 * percentile(took, share) for share in (0.5, 0.99))
    FIGURES.append(
        f"{callers} callers of 16 tokens for {seconds} s: {len(took)} answers, p50 {p50:.0f} ms, p99 {p99:.0f} ms; "
        f"memory {memory:.0f} MiB before, {after:.0f} after"
    )
    assert not any(different for _, different in results)
    assert after <= memory + KEPT_MIB


def ask(client, number):
    inputs = [client.pb.Input(token_ids=[number, *range(15)])]
    return [array.tobytes() for _, array in client.extract(inputs=inputs, hook_points=EVERYTHING).tensors]


def keep_asking(api, address, number, alone, until):
    seconds, different = [], 0
    with api.connect(address) as client:
        while (begin := time.monotonic()) < until:
            different += ask(client, number) != alone[number]
            seconds.append(time.monotonic() - begin)
    return seconds, different


def test_large_texts_to_tokenize_do_not_hold_up_a_small_one(api):
    """Small texts take their turns: many are answered while the large ones wait. Without turns it would be one."""
    large = "a word and another " * ((1 << 20) // 19)
    count = 40 if LONG else 12
    with (
        Server() as server,
        grpc.insecure_channel(server.address) as many,
        api.connect(server.address) as one,
    ):
        pb = api.pb
        one.stub.Tokenize(pb.TokenizeRequest(texts=["small"]))
        # Answers stay bytes: to read them takes the interpreter long enough to hold up the small caller by itself.
        tokenize, request = (
            many.unary_unary(f"/{SERVICE}/Tokenize"),
            pb.TokenizeRequest(texts=[large]).SerializeToString(),
        )
        begin = time.monotonic()
        calls = [tokenize.future(request, timeout=PATIENCE) for _ in range(count)]
        small = []
        while not all(call.done() for call in calls):
            start = time.monotonic()
            one.stub.Tokenize(pb.TokenizeRequest(texts=["small"]), timeout=PATIENCE)
            small.append(time.monotonic() - start)
        whole = time.monotonic() - begin
        assert all(call.code() == grpc.StatusCode.OK for call in calls)
    FIGURES.append(
        f"{count} Tokenize calls of 1 MB take {whole:.1f} s; meanwhile {len(small)} small ones, median "
        f"{1000 * statistics.median(small):.0f} ms, slowest {1000 * max(small):.0f} ms"
    )
    assert len(small) >= count // 4
