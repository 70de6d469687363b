"""depth: what it costs to stop at layer k, against all layers."""

import workload
from measure import in_turn
from result import Result

LAYERS = range(12)
QUICK_LAYERS = (0, 5, 11)
SLACK = 0.05
SHAPE, QUICK_SHAPE = (8, 128), (2, 64)


def run(context):
    shape = QUICK_SHAPE if context.quick else SHAPE
    result = Result(
        "depth", f"one MLP delta of layer k, {shape[0]}x{shape[1]}, against the last layer's", "lines", "layer k"
    )
    client = context.hydrophone()
    layers = QUICK_LAYERS if context.quick else LAYERS
    inputs = workload.batch(*shape)
    contenders = {
        layer: context.seconds_of(client, [workload.request(inputs, workload.hooks(["mlp.c_proj"], [layer]))])
        for layer in layers
    }
    samples = in_turn(contenders, context.rounds, context.progress, "depth")
    whole = samples[LAYERS[-1]]["seconds"].median
    for layer in layers:
        most = (layer + 1) / len(LAYERS) + SLACK
        share = samples[layer]["seconds"].map(lambda s: s / whole)
        result.add(layer, "Hydrophone", share, "of all layers' time")
        result.add(layer, "target, at most", share.map(lambda _, most=most: most), "of all layers' time")
        if layer != LAYERS[-1]:
            result.at_most(f"stopping at layer {layer}", share.median, most)
    return result
