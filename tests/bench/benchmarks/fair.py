"""fair: short requests beside bulk callers, bulk callers beside each other, and what slices cost a bulk caller."""

import concurrent.futures
import contextlib
import statistics
import threading
import time

import workload
from measure import Samples
from result import Result

SHORT, BULK_CALLERS, LAYER = 16, 8, 6
CALLS, QUICK_CALLS = 200, 20  # short ones, a round
BULK_SECONDS, QUICK_SECONDS = 20, 3
CASES = {"2048 tokens": (16, 128), "16384 tokens": (16, 1024)}  # of a bulk request: inputs, length


def short_request():
    return workload.request(workload.batch(1, SHORT), workload.hooks(workload.DELTAS, [LAYER]))


def bulk_request(shape, seed=0):
    return workload.request(workload.batch(*shape, seed=seed), workload.hooks(workload.DELTAS, [LAYER]))


class Bulk:
    """Callers with a connection each, which ask again as soon as they are answered, until the block ends."""

    def __init__(self, clients, shape):
        self.clients, self.shape = clients, shape
        self.tokens = [0] * len(clients)
        self.stop = threading.Event()

    def call_again_and_again(self, number):
        wanted = [bulk_request(self.shape, seed=number)]
        while not self.stop.is_set():
            self.clients[number].load(wanted, keep=False)
            self.tokens[number] += self.shape[0] * self.shape[1]

    @contextlib.contextmanager
    def calling(self):
        with concurrent.futures.ThreadPoolExecutor(len(self.clients)) as threads:
            calls = [threads.submit(self.call_again_and_again, number) for number in range(len(self.clients))]
            try:
                yield
            finally:
                self.stop.set()
        for call in calls:
            call.result()


def latencies(client, calls):
    answer = client.load([short_request()], calls=calls)
    return sorted(sample["end"] - sample["start"] for sample in answer["samples"])


def p99(sorted_values):
    return sorted_values[min(len(sorted_values) - 1, int(len(sorted_values) * 0.99))]


def beside_bulk(context, result, server, idle):
    calls = QUICK_CALLS if context.quick else CALLS
    short = context.client(server.address)
    bulk_clients = [context.client(server.address) for _ in range(BULK_CALLERS)]
    for case, shape in CASES.items():
        found = {"p50": [], "p99": []}
        for _ in range(context.rounds):
            context.progress.say(f"fair: {calls} short calls beside {BULK_CALLERS} callers of {case}")
            with Bulk(bulk_clients, shape).calling():
                time.sleep(2)  # until all callers are being served
                measured = latencies(short, calls)
            found["p50"].append(statistics.median(measured) * 1e3)
            found["p99"].append(p99(measured) * 1e3)
        for figure, values in found.items():
            result.add(f"{figure} beside {BULK_CALLERS} x {case}", "Hydrophone", Samples(values), "ms")
        ratio = Samples(found["p99"]).median / idle["p99"].median
        result.at_most(f"p99 of {SHORT} tokens beside {BULK_CALLERS} callers of {case}, over idle", ratio, 5)


def idle_latencies(context, result, client):
    calls = QUICK_CALLS if context.quick else CALLS
    rounds = [latencies(client, calls) for _ in range(context.rounds)]
    idle = {
        "p50": Samples([statistics.median(values) * 1e3 for values in rounds]),
        "p99": Samples([p99(values) * 1e3 for values in rounds]),
    }
    for figure, samples in idle.items():
        result.add(f"{figure} idle", "Hydrophone", samples, "ms")
    return idle


def shares(context, result, server):
    """Two bulk callers with requests of different sizes get as much of the engine."""
    seconds = QUICK_SECONDS if context.quick else BULK_SECONDS
    clients = [context.client(server.address) for _ in range(2)]
    small, large = Bulk(clients[:1], (16, 128)), Bulk(clients[1:], (16, 512))
    context.progress.say(f"fair: two bulk callers, {seconds} s")
    with small.calling(), large.calling():
        time.sleep(seconds)
    ratio = small.tokens[0] / large.tokens[0]
    result.at_least("tokens of a caller of 2048 over those of one of 8192", ratio, 0.9)
    result.at_most("tokens of a caller of 2048 over those of one of 8192", ratio, 1.1)


def bulk_rate(client):
    shape = CASES["2048 tokens"]
    wanted = [bulk_request(shape, seed=number) for number in range(8)]  # alike ones would be computed once

    def run():
        return len(wanted) * shape[0] * shape[1] / client.load(wanted, callers=4, keep=False)["wall"]

    return run


def throughput(context, result, server):
    """What slices cost: the same requests, computed in slices and whole."""
    whole = context.server("--slice_tokens=16384", "--short_tokens=1")
    rates = {"in slices": bulk_rate(context.client(server.address)), "whole": bulk_rate(context.client(whole.address))}
    found = {name: [] for name in rates}
    for number in range(context.rounds + 1):
        context.progress.say(f"fair: bulk throughput, round {number}")
        for name, rate in rates.items():
            measured = rate()
            if number > 0:
                found[name].append(measured)
    for name, values in found.items():
        result.add("bulk, 4 callers of 2048 tokens", name, Samples(values), "tokens/s")
    result.at_least(
        "bulk throughput in slices over whole",
        Samples(found["in slices"]).median / Samples(found["whole"]).median,
        0.95,
    )


def run(context):
    result = Result("fair", f"{SHORT} tokens, layer {LAYER}'s deltas, beside bulk callers", "bars")
    server = context.server()
    idle = idle_latencies(context, result, context.client(server.address))
    beside_bulk(context, result, server, idle)
    shares(context, result, server)
    throughput(context, result, server)
    result.uncharted.add("tokens/s")
    return result
