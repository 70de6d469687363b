"""neighbour: one short call at a time, idle and beside a process that keeps every core busy."""

import contextlib

import workload
from context import DEFAULT_MODEL
from measure import in_turn
from result import Result

LENGTH, LAYER = 16, 6
CALLS, QUICK_CALLS = 400, 50  # a round
OURS, PASSIVE = "Hydrophone", "asleep while it waits"


def latencies(client, request, calls):
    """A contender: the latencies' median and 99th percentile in seconds."""

    def run():
        samples = client.load([request], calls=calls)["samples"]
        sorted_seconds = sorted(sample["end"] - sample["start"] for sample in samples)
        return {"p50": sorted_seconds[calls // 2], "p99": sorted_seconds[calls * 99 // 100]}

    return run


def run(context):
    result = Result(
        "neighbour", f"one text of {LENGTH} tokens at a time, default model, layer {LAYER}'s deltas", "bars"
    )
    calls = QUICK_CALLS if context.quick else CALLS
    request = workload.request(workload.batch(1, LENGTH), workload.hooks(workload.DELTAS, [LAYER]))
    contenders = {
        OURS: latencies(context.hydrophone(model=DEFAULT_MODEL), request, calls),
        PASSIVE: latencies(context.hydrophone("--awake_microseconds=0", model=DEFAULT_MODEL), request, calls),
    }
    measured = {}
    for case, neighbour in (("idle", contextlib.nullcontext()), ("beside a busy process", context.busy_neighbour())):
        with neighbour:
            measured[case] = in_turn(contenders, context.rounds, context.progress, f"neighbour, {case}")
        for name, of in measured[case].items():
            for figure in ("p50", "p99"):
                result.add(f"{case}, {figure}", name, of[figure].map(lambda s: s * 1e3), "ms")
    ours, passive = ({case: of[name] for case, of in measured.items()} for name in (OURS, PASSIVE))
    busy = "beside a busy process"
    result.at_most(
        "p99 beside a busy process over that of passive waiting",
        ours[busy]["p99"].median / passive[busy]["p99"].median,
        2,
    )
    result.at_most(
        "p50 idle over that of passive waiting", ours["idle"]["p50"].median / passive["idle"]["p50"].median, 1.1
    )
    result.notes.append("The neighbour is a loop on each core, of the same priority as the server.")
    return result
