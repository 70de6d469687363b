"""bits: what it costs that a row's bits depend on its own past alone: the BLAS mode of the server's, against none."""

from measure import in_turn
from result import Result

SHAPES = [(1, 16), (1, 128), (32, 32)]
QUICK_SHAPES = [(1, 16), (1, 128)]
ON, OFF = "in the server's mode", "in the library's own"


def run(context):
    result = Result("bits", "the model's products in a BLAS mode that keeps bits", "bars", x_label="batch")
    model = context.model()
    mode = context.server().numerics["cbwr"]
    peers = {ON: context.peer("floor", model, mode), OFF: context.peer("floor", model)}

    def products(peer, count, length):
        return lambda: {"seconds": peer.ask({"do": "forward", "count": count, "length": length})["gemms"]}

    for count, length in QUICK_SHAPES if context.quick else SHAPES:
        case = f"{count}x{length}"
        contenders = {name: products(peer, count, length) for name, peer in peers.items()}
        samples = in_turn(contenders, context.rounds, context.progress, f"bits {case}")
        for name, of in samples.items():
            result.add(case, name, of["seconds"].map(lambda s, tokens=count * length: tokens / s), "tokens/s")
        kept = samples[OFF]["seconds"].median / samples[ON]["seconds"].median
        result.at_least(f"{case}: share of the speed in the library's own mode", kept, 0.95)
    result.notes.append(
        f"The mode is MKL_CBWR={mode}; without it a row's bits change with the number of rows beside it. Attention, "
        "GELU and softmax are the server's own and are not in this: they are faster than the library's."
    )
    return result
