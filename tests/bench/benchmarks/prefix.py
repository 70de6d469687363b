"""prefix: prompts that begin alike, against as many that do not."""

import workload
from measure import in_turn
from result import Result

COUNT, QUICK_COUNT = 64, 8
SHARED, LENGTH, LAST = 115, 128, 8
ALIKE, DIFFERENT = "sharing their first 115 tokens", "sharing nothing"


def run(context):
    count = QUICK_COUNT if context.quick else COUNT
    result = Result("prefix", f"{count} prompts of {LENGTH} tokens, the last {LAST} positions' deltas", "bars")
    client = context.hydrophone()
    hooks = workload.hooks(workload.DELTAS, positions=f"-{LAST}:")
    contenders = {
        ALIKE: context.seconds_of(client, [workload.request(workload.sharing_prefix(count, SHARED, LENGTH), hooks)]),
        DIFFERENT: context.seconds_of(client, [workload.request(workload.batch(count, LENGTH), hooks)]),
    }
    samples = in_turn(contenders, context.rounds, context.progress, "prefix")
    for name, of in samples.items():
        result.add(f"{count} prompts", name, of["seconds"].map(lambda s: count / s), "prompts/s")
    speedup = samples[DIFFERENT]["seconds"].median / samples[ALIKE]["seconds"].median
    result.at_least("times the same without sharing", speedup, 5)
    result.notes.append(
        f"{count * LENGTH} tokens in all; {SHARED + count * (LENGTH - SHARED)} when the shared ones count once."
    )
    return result
