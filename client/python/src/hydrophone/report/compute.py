"""What the report computes of the server's answers: the numbers that its pictures show.

The correlations, the norms and the residuals are the server's own. Computed here are sums and differences of captured
arrays, which elements the mask hides (the server sends how many), and the correlation that the flag is about.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from hydrophone.report.ask import Answers, Mask
from hydrophone.wire.tensors import Array

# The names of Verify's correlations.
STATES, DELTAS, INCREMENT, SUM = "H[L]~H[L+1]", "attn~mlp", "H[L+1]-H[L]~attn+mlp", "H[L]~attn+mlp"

# So many heads fit into one readable picture.
MOST_HEADS = 4


@dataclasses.dataclass(frozen=True, eq=False)
class Panel:
    """One of the four scatter plots: float64 [elements] each, and Pearson's r over all and over what the mask
    leaves."""

    title: str
    x_label: str
    y_label: str
    x: Array
    y: Array
    r: float
    r_masked: float
    on_diagonal: bool  # whether equal values are what the lesson expects


@dataclasses.dataclass(frozen=True, eq=False)
class Scatter:
    """The four panels of one layer; `hidden` is bool [elements]."""

    layer: int
    panels: tuple[Panel, ...]
    hidden: Array


@dataclasses.dataclass(frozen=True, eq=False)
class Correlations:
    """Pearson's r of every layer by name, over all elements and over what the mask leaves, float64 [layers]; and what
    B5 flags: r of the last layer when hidden_states[N], which is after ln_f, stands in for the block's raw output."""

    r: dict[str, Array]
    r_masked: dict[str, Array]
    flagged: float


@dataclasses.dataclass(frozen=True, eq=False)
class Residuals:
    """Largest magnitudes, float64 [layers]: of the states H[L+1], of H[L+1] - ((H[L] + attn) + mlp) as the server sent
    it, of the same sum grouped as H[L] + (attn + mlp); and that of the last layer with hidden_states[N] in place of the
    raw output."""

    states: Array
    server: Array
    regrouped: Array
    flagged: float


@dataclasses.dataclass(frozen=True, eq=False)
class Outliers:
    """In how many layers the mask hides an element: int64 [positions, width]."""

    layers_hidden: Array
    tokens: tuple[str, ...]


@dataclasses.dataclass(frozen=True, eq=False)
class FinalState:
    """The state after the last block at the last position, float32 [width] each, and L2 norms, averaged over positions:
    of hidden_states[0] to [N-1] and the raw output, float64 [N + 1], and of the normalised one."""

    raw: Array
    normalised: Array
    norms: Array
    normalised_norm: float


@dataclasses.dataclass(frozen=True, eq=False)
class Attention:
    """Patterns of some heads, float32 [heads, queries, keys]; `heads` are their numbers."""

    layer: int
    heads: tuple[int, ...]
    patterns: Array
    tokens: tuple[str, ...]


def states(answers: Answers) -> list[Array]:
    """H[0] to H[N], all raw: hidden_states[0] to [N-1], then the last block's output."""
    last = answers.model.n_layer - 1
    raw = [answers.lesson["hidden_states", layer] for layer in range(last + 1)]
    return [*raw, answers.lesson["resid_post", last]]


def hidden(mask: Mask, arrays: Sequence[Array]) -> Array:
    """Which elements the mask hides: those that fail its rule in any of the arrays (proto: Mask)."""
    result = np.zeros(arrays[0].shape, dtype=bool)
    for array in arrays:
        magnitudes = np.abs(array.astype(np.float64))
        result |= ~(magnitudes <= _threshold(mask, magnitudes))  # true for what is not a number
    return result


def _threshold(mask: Mask, magnitudes: Array) -> float:
    # The rule's numbers are float32 on the wire.
    if mask.max_abs is not None:
        return float(np.float32(mask.max_abs))
    finite = magnitudes[np.isfinite(magnitudes)]
    return float(np.quantile(finite, float(np.float32(mask.quantile)))) if finite.size else np.nan


def _layer_arrays(answers: Answers, layer: int) -> list[Array]:
    """H[L], H[L+1], and the two deltas."""
    raw = states(answers)
    return [raw[layer], raw[layer + 1], answers.lesson["attn.c_proj", layer], answers.lesson["mlp.c_proj", layer]]


def scatter(answers: Answers) -> Scatter:
    layer = answers.layer
    arrays = _layer_arrays(answers, layer)
    before, after, attention, mlp = (array.astype(np.float64).ravel() for array in arrays)
    report = next(each for each in answers.verified.layers if each.layer == layer)
    measured = {each.name: each for each in report.correlations}
    now, then, deltas = f"H[{layer}]", f"H[{layer + 1}]", "attention + MLP delta"
    drawn = [
        (STATES, "two states", now, then, before, after, True),
        (DELTAS, "two deltas", "attention delta", "MLP delta", attention, mlp, False),
        (INCREMENT, "the change", deltas, f"{then} - {now}", attention + mlp, after - before, True),
        (SUM, "state and deltas", now, deltas, before, attention + mlp, False),
    ]
    panels = tuple(
        Panel(title, x_label, y_label, x, y, measured[name].r, measured[name].r_masked, on_diagonal)
        for name, title, x_label, y_label, x, y, on_diagonal in drawn
    )
    return Scatter(layer, panels, hidden(answers.mask, arrays).ravel())


def correlations(answers: Answers) -> Correlations:
    names = (STATES, DELTAS, INCREMENT, SUM)
    found = [{each.name: each for each in report.correlations} for report in answers.verified.layers]
    last = answers.model.n_layer
    before, mixed = answers.lesson["hidden_states", last - 1], answers.lesson["hidden_states", last]
    return Correlations(
        r={name: np.array([layer[name].r for layer in found]) for name in names},
        r_masked={name: np.array([layer[name].r_masked for layer in found]) for name in names},
        flagged=pearson(before, mixed),
    )


def pearson(x: Array, y: Array) -> float:
    """Pearson's r in float64; NaN when an array is constant."""
    x, y = (array.astype(np.float64).ravel() - array.mean(dtype=np.float64) for array in (x, y))
    scale = np.sqrt((x @ x) * (y @ y))
    return float(x @ y / scale) if scale > 0 else np.nan


def residuals(answers: Answers) -> Residuals:
    layers = range(answers.model.n_layer)
    every = [_layer_arrays(answers, layer) for layer in layers]
    before, _, attention, mlp = every[-1]
    mixed = answers.lesson["hidden_states", answers.model.n_layer].astype(np.float64)
    sent = [answers.lesson["hook_reconstruction_residual", layer] for layer in layers]
    return Residuals(
        states=np.array([_largest(after) for _, after, _, _ in every]),
        server=np.array([_largest(each) for each in sent]),
        regrouped=np.array([_largest(after - (h + (attn + mlp))) for h, after, attn, mlp in every]),
        flagged=_largest(mixed - ((before + attention) + mlp)),
    )


def _largest(array: Array) -> float:
    return float(np.abs(array).max())


def outliers(answers: Answers) -> Outliers:
    count = np.zeros(answers.lesson["hidden_states", 0].shape, dtype=np.int64)
    for layer in range(answers.model.n_layer):
        count += hidden(answers.mask, _layer_arrays(answers, layer))
    return Outliers(count, tuple(answers.lesson.tokens[0]))


def final_state(answers: Answers) -> FinalState:
    measured = answers.final_verified.final_state
    return FinalState(
        raw=answers.final["resid_post"][-1],
        normalised=answers.final["hidden_states"][-1],
        norms=np.array(measured.raw_profile_norms),
        normalised_norm=measured.normalised_norm,
    )


def attention(answers: Answers) -> Attention:
    """The heads that look least at the first token, where a head rests that has found nothing; in ascending order."""
    patterns = answers.lesson["hook_pattern", answers.layer]
    at_first = patterns[:, :, 0].mean(axis=1)
    heads = np.sort(np.argsort(at_first, kind="stable")[:MOST_HEADS])
    tokens = tuple(answers.lesson.tokens[0])
    return Attention(answers.layer, tuple(int(head) for head in heads), patterns[heads], tokens)
