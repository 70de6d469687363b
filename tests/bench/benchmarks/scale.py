"""scale: tokens a second with the number of callers, and with the model's size."""

import workload
from benchmarks.clients import LENGTH, load, requests
from context import PRESETS
from measure import in_turn
from result import Result

CALLERS = [1, 2, 4, 8, 16, 32, 64, 128, 256]
QUICK_CALLERS = [1, 8, 32]
SHAPE, QUICK_SHAPE = (8, 128), (1, 16)
FALL = 0.9  # of the best rate that any smaller number of callers reached: less counts as a fall
OURS, HUGGING_FACE, GRPCIO, FLOOR = (
    "Hydrophone",
    "Hugging Face, in process",
    "grpcio server",
    "bare GEMMs and attention",
)


def run(context):
    result = Result("scale", "short requests of many callers; and the model's size", "lines", "callers")
    result.uncharted.add("tokens/s, all 37 tensors or more")
    with_callers(context, result)
    for preset in ["gpt2"] if context.quick else PRESETS:
        with_size(context, result, preset)
    return result


def with_callers(context, result):
    client = context.hydrophone()
    grpcio = context.peer("grpcio_server", context.model())
    peer_client = context.client(grpcio.ready["address"])
    peer = {"way": "peer", "method": grpcio.ready["method"]}
    rates = []
    for callers in QUICK_CALLERS if context.quick else CALLERS:
        wanted, calls = requests(callers), max(2, 32 // callers)

        def contenders(each, wanted=wanted, callers=callers):
            return {
                OURS: load(client, wanted, callers, each),
                GRPCIO: load(peer_client, wanted, callers, each, **peer),
            }

        what = f"scale {callers} callers"
        samples = in_turn(contenders(calls), context.rounds, context.progress, what, warm_ups=contenders(1))
        for name, of in samples.items():
            result.add(callers, name, of["rate"].map(lambda rate: rate * LENGTH), "tokens/s")
        rates.append(samples[OURS]["rate"].median)
    least = min(rate / max(rates[: i + 1]) for i, rate in enumerate(rates))
    result.at_least("rate over the best with fewer callers, where it is lowest", least, FALL)


def with_size(context, result, preset):
    """All tensors of one batch: three a block, and the last state."""
    count, length = QUICK_SHAPE if context.quick else SHAPE
    inputs, model = workload.batch(count, length), context.model(preset)
    client = context.hydrophone(preset=preset)
    hugging_face, floor = context.peer("hugging_face", model), context.peer("floor", model)
    contenders = {
        OURS: context.seconds_of(client, [workload.request(inputs, workload.hooks(workload.ALL))]),
        HUGGING_FACE: lambda: hugging_face.seconds("forward", inputs=inputs, points=workload.ALL),
        FLOOR: lambda: floor.seconds("forward", count=count, length=length),
    }
    samples = in_turn(contenders, context.rounds, context.progress, f"scale {PRESETS[preset]}")
    for name, of in samples.items():
        rate = of["seconds"].map(lambda s: count * length / s)
        result.add(PRESETS[preset], name, rate, "tokens/s, all 37 tensors or more")
