"""bits: what it costs that a row's bits depend on its own past alone: the server's products against the library's."""

from measure import in_turn
from result import Result

SHAPES = [(1, 16), (1, 128), (32, 32)]
QUICK_SHAPES = [(1, 16), (1, 128)]
OURS, LIBRARY = "the server's own", "the library's, fastest mode"


def run(context):
    result = Result("bits", "the model's products, with bits that keep and without", "bars", x_label="batch")
    ours, library = context.products(), context.peer("floor", context.model())
    for count, length in QUICK_SHAPES if context.quick else SHAPES:
        case, rows = f"{count}x{length}", count * length
        contenders = {
            OURS: lambda rows=rows: ours.seconds(rows),
            LIBRARY: lambda c=count, n=length: {
                "seconds": library.ask({"do": "forward", "count": c, "length": n})["gemms"]
            },
        }
        samples = in_turn(contenders, context.rounds, context.progress, f"bits {case}")
        for name, of in samples.items():
            result.add(case, name, of["seconds"].map(lambda s, tokens=rows: tokens / s), "tokens/s")
        kept = samples[LIBRARY]["seconds"].median / samples[OURS]["seconds"].median
        result.at_least(f"{case}: share of the library's speed", kept, 0.95)
    result.notes.append(
        "The library is torch.addmm in its default mode: a row's bits there change with the number of rows beside it, "
        "with the number of threads and with the CPU. Attention, GELU and softmax are not in it."
    )
    return result
