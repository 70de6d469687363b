"""Which pictures the report has, in their order, with their titles and captions."""

from __future__ import annotations

import functools
from collections.abc import Iterator

from hydrophone.errors import InvalidArgument
from hydrophone.report import compute, maps, profiles, scatters
from hydrophone.report.ask import Answers
from hydrophone.report.canvas import Picture, number

# All that there may be: where the model has none of the default words, there is no patching grid.
NAMES = (
    "scatter",
    "scatter_masked",
    "correlations",
    "residuals",
    "outliers",
    "final_state",
    "attention",
    "logit_lens",
    "patching",
)


def pictures(answers: Answers) -> Iterator[Picture]:
    yield from _lesson(answers)
    yield from _final(answers)
    yield from _places(answers)


def _lesson(answers: Answers) -> Iterator[Picture]:
    layer = answers.layer
    scatter = compute.scatter(answers)
    share = scatter.hidden.mean()
    yield Picture(
        "scatter",
        f"Layer {layer}'s deltas and states, all elements",
        "Each dot is one dimension of one token, and r is Pearson's over all of them. Top left shows how much of the "
        f"stream block {layer} leaves as it was, bottom left that it changes it by what the two hooks caught.",
        functools.partial(scatters.scatter, scatter, masked=False),
    )
    yield Picture(
        "scatter_masked",
        f"Layer {layer}'s deltas and states under the outlier mask",
        f"The same four panels without the {share:.1%} of the elements that the mask hides, the same ones in every "
        f"array. It leaves {answers.mask}.",
        functools.partial(scatters.scatter, scatter, masked=True),
    )
    correlations = compute.correlations(answers)
    last = answers.model.n_layer - 1
    yield Picture(
        "correlations",
        "Correlations over all layers, by one method",
        "Every state is taken raw, the last one from the last block's own output. The cross is what the usual mistake "
        f"would draw: hidden_states[{last + 1}] is after ln_f, and gives r = {number(correlations.flagged)} in place "
        f"of {number(float(correlations.r[compute.STATES][-1]))}.",
        functools.partial(profiles.correlations, correlations),
    )
    residuals = compute.residuals(answers)
    worst = float(residuals.server.max())
    yield Picture(
        "residuals",
        "What the reconstruction leaves over",
        "(H[L] + attention) + MLP, summed in the model's own order, leaves "
        f"{f'{worst:.4g} of H[L+1] at the worst layer' if worst else 'exactly 0 of H[L+1] in every layer'}. "
        f"Another grouping of the same sum leaves float32's roundings, and hidden_states[{last + 1}] in place of the "
        f"raw output {residuals.flagged:.4g}.",
        functools.partial(profiles.residuals, residuals),
    )
    yield Picture(
        "outliers",
        "Where the outliers sit",
        "A dot is an element that the mask hides in at least one layer; the bars count them by dimension and by token. "
        "The lessons' GPT-2 has a few dimensions that are huge, mostly at the first token, and would decide r alone.",
        functools.partial(maps.outliers, compute.outliers(answers), answers.model.n_layer),
    )


def _final(answers: Answers) -> Iterator[Picture]:
    final = compute.final_state(answers)
    depth = answers.model.n_layer
    yield Picture(
        "final_state",
        "The final state, raw and normed",
        f"hidden_states[{depth}] is not what the last block gives, but ln_f of it: its norm breaks the curve, and its "
        f"values are others. The largest difference of the two is "
        f"{answers.final_verified.final_state.max_abs_raw_difference:.4g}, and ln_f of the raw output is "
        f"{answers.final_verified.final_state.max_abs_ln_f_difference:.4g} away.",
        functools.partial(profiles.final_state, final),
    )


def _places(answers: Answers) -> Iterator[Picture]:
    attention = compute.attention(answers)
    some = len(attention.heads) < answers.model.n_head
    these = f"Of {answers.model.n_head} heads, these {len(attention.heads)}"
    yield Picture(
        "attention",
        f"Attention patterns of layer {attention.layer}",
        "Each row is a token, and its shades say how much a head reads there of the tokens up to it. "
        + (f"{these} look least at the first token." if some else "A row sums to 1, and what comes later is not seen."),
        functools.partial(maps.attention, attention),
    )
    yield Picture(
        "logit_lens",
        "Logit lens: what each layer would say next",
        "Each layer's state is read as if it were the last: through ln_f and the unembedding. A cell has the most "
        "likely token after the one below, darker where it is more probable.",
        functools.partial(maps.logit_lens, answers.lens),
    )
    if isinstance(answers.grid, InvalidArgument):
        return
    yield Picture(
        "patching",
        "Patching grid: where the answer is decided",
        "A cell is a run on the corrupt text with the clean run's state before one block put in at one token. 1 says "
        "that this alone brings the clean run's logit difference back.",
        functools.partial(maps.patching, answers.grid),
    )
