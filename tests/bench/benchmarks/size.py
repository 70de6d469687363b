"""size: all tensors of one batch, three a block and the last state, with the model's size."""

import workload
from context import PRESETS
from measure import in_turn
from result import Result

SHAPE, QUICK_SHAPE = (8, 128), (1, 16)
OURS, HUGGING_FACE, FLOOR = "Hydrophone", "Hugging Face, in process", "bare GEMMs and attention"


def run(context):
    count, length = QUICK_SHAPE if context.quick else SHAPE
    title = f"all deltas and states of {count}x{length} tokens, by the model's size"
    result = Result("size", title, "bars", x_label="parameters")
    inputs = workload.batch(count, length)
    for preset in ["gpt2"] if context.quick else PRESETS:
        model = context.model(preset)
        client = context.hydrophone(preset=preset)
        hugging_face, floor = context.peer("hugging_face", model), context.peer("floor", model)
        contenders = {
            OURS: context.seconds_of(client, [workload.request(inputs, workload.hooks(workload.ALL))]),
            HUGGING_FACE: lambda peer=hugging_face: peer.seconds("forward", inputs=inputs, points=workload.ALL),
            FLOOR: lambda peer=floor: peer.seconds("forward", count=count, length=length),
        }
        samples = in_turn(contenders, context.rounds, context.progress, f"size {PRESETS[preset]}")
        for name, of in samples.items():
            rate = of["seconds"].map(lambda s: count * length / s)
            result.add(PRESETS[preset], name, rate, "tokens/s")
    return result
