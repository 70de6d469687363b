"""ragged: texts of very different lengths, deltas of all layers; Hugging Face pads them."""

import workload
from measure import in_turn
from result import Result

TEXTS, QUICK_TEXTS = 512, 64
BATCH = 32
MOST_ROUNDS = 3  # one takes minutes
OURS, PADDED, SORTED = "Hydrophone", "Hugging Face, padded", "Hugging Face, sorted by length, padded"


def run(context):
    result = Result("ragged", "texts of lognormal lengths, deltas of all layers", "bars", x_label="texts")
    lengths = workload.lognormal_lengths(QUICK_TEXTS if context.quick else TEXTS)
    texts, tokens = workload.ragged(lengths), sum(lengths)
    client, peer = context.hydrophone(), context.peer("hugging_face", context.model())

    def contenders(some):
        requests = [
            workload.request(batch, workload.hooks(workload.DELTAS)) for batch in workload.in_batches(some, BATCH)
        ]

        def hugging_face(by_length):
            return lambda: peer.seconds("ragged", texts=some, points=workload.DELTAS, size=BATCH, by_length=by_length)

        return {
            OURS: context.seconds_of(client, requests, callers=2),  # the next batch waits while one is computed
            PADDED: hugging_face(False),
            SORTED: hugging_face(True),
        }

    samples = in_turn(
        contenders(texts),
        min(context.rounds, MOST_ROUNDS),
        context.progress,
        "ragged",
        warm_ups=contenders(texts[: 2 * BATCH]),
    )
    for name, of in samples.items():
        result.add(len(texts), name, of["seconds"].map(lambda s: tokens / s), "tokens/s")
    ours = samples[OURS]["seconds"].median
    result.at_least("times Hugging Face, padded as they come", samples[PADDED]["seconds"].median / ours, 3.5)
    result.at_least("times Hugging Face, sorted by length", samples[SORTED]["seconds"].median / ours, 1.1)
    padding = sum(max(map(len, batch)) * len(batch) for batch in workload.in_batches(texts, BATCH))
    result.notes.append(
        f"{tokens} tokens, median {sorted(lengths)[len(lengths) // 2]}, longest {max(lengths)} a text; padded in "
        f"batches of {BATCH} as they come {padding}. Everybody takes {BATCH} texts at once; Hydrophone has two callers."
    )
    return result
