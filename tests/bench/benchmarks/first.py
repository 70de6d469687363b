"""first: when the first tensor is there, against the whole answer.

Deltas only: hidden_states.0 would be there before the first block.
"""

import workload
from measure import in_turn
from result import Result

LENGTH, QUICK_LENGTH = 1024, 256


def run(context):
    length = QUICK_LENGTH if context.quick else LENGTH
    result = Result(
        "first", f"one text of {length} tokens, deltas of all layers: the first tensor and the whole", "bars"
    )
    client = context.hydrophone()
    request = workload.request(workload.batch(1, length), workload.hooks(workload.DELTAS))

    def contender():
        sample = client.load([request])["samples"][0]
        first, whole = sample["first"] - sample["start"], sample["end"] - sample["start"]
        return {"first": first, "whole": whole, "share": first / whole}

    samples = in_turn({"Hydrophone": contender}, context.rounds, context.progress, "first")["Hydrophone"]
    for case, figure in (("first tensor", "first"), ("whole answer", "whole")):
        result.add(case, "Hydrophone", samples[figure].map(lambda s: s * 1e3), "ms")
    result.at_most("time to the first tensor over the whole", samples["share"].median, 0.15)
    return result
