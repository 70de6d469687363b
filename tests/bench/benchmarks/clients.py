"""clients: many callers at once, short texts, one layer's deltas, a closed loop."""

import statistics

import workload
from measure import in_turn
from result import Result

CALLERS, LENGTH, LAYER = 32, 16, 6
CALLS, QUICK_CALLS = 12, 2  # a caller, a round
OURS, PYTHON, GRPCIO = "Hydrophone", "Hydrophone, asked by asyncio", "grpcio server"


def requests(callers):
    return [
        workload.request([ids], workload.hooks(workload.DELTAS, [LAYER])) for ids in workload.batch(callers, LENGTH)
    ]


def load(client, wanted, callers, calls, **how):
    """A contender: calls a second, and the latencies' median and 99th percentile in seconds."""

    def run():
        answer = client.load(wanted, callers=callers, calls=callers * calls, **how)
        latencies = sorted(sample["end"] - sample["start"] for sample in answer["samples"])
        return {
            "rate": len(latencies) / answer["wall"],
            "p50": statistics.median(latencies),
            "p99": latencies[min(len(latencies) - 1, int(len(latencies) * 0.99))],
            "batch_tokens": statistics.mean(sample["batch_tokens"] for sample in answer["samples"]),
        }

    return run


def run(context):
    result = Result("clients", f"{CALLERS} callers at once, {LENGTH} tokens each, layer {LAYER}'s deltas", "bars")
    calls = QUICK_CALLS if context.quick else CALLS
    address = context.server().address
    client, python = context.client(address), context.peer("hydrophone_python", address)
    grpcio = context.peer("grpcio_server", context.model())
    peer = {"way": "peer", "method": grpcio.ready["method"]}
    wanted = requests(CALLERS)
    peer_client = context.client(grpcio.ready["address"])

    def contenders(each):
        return {
            OURS: load(client, wanted, CALLERS, each),
            PYTHON: lambda: {"rate": python.ask({"do": "callers", "requests": wanted, "calls": each})["rate"]},
            GRPCIO: load(peer_client, wanted, CALLERS, each, **peer),
        }

    samples = in_turn(contenders(calls), context.rounds, context.progress, "clients", warm_ups=contenders(1))
    for name, of in samples.items():
        result.add(f"{CALLERS} callers", name, of["rate"], "requests/s")
        for figure in ("p50", "p99") if name != PYTHON else ():
            result.add(figure, name, of[figure].map(lambda s: s * 1e3), "ms")
    result.uncharted.add("ms")
    ours = samples[OURS]
    result.at_least(
        "times the grpcio server's requests a second", ours["rate"].median / samples[GRPCIO]["rate"].median, 5
    )
    result.at_least(
        "asyncio's requests a second as a share of C++'s", samples[PYTHON]["rate"].median / ours["rate"].median, 0.8
    )
    result.at_most("p99 over p50", ours["p99"].median / ours["p50"].median, 3)
    result.notes.append(f"Hydrophone's batches held {ours['batch_tokens'].median:.0f} tokens on average.")
    return result
