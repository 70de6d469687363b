"""Pictures with a place for each token: outliers, attention, a logit lens, a patching grid."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from hydrophone.extras import need
from hydrophone.report.canvas import BLUE, WIDTH, figure
from hydrophone.report.compute import Attention, Outliers
from hydrophone.results.grid import PatchGrid
from hydrophone.results.lens import LogitLens
from hydrophone.results.plots import draw_heat_map, plain

# More tokens than that have no room for a label each.
_MOST_LABELS = 32
_MOST_LETTERS = 12
_MOST_LEVEL = 8  # and more have none beside each other


def outliers(numbers: Outliers, layers: int) -> Any:
    """A dot where the mask hides something, and bars of how much it hides at a position and in a dimension."""
    count = numbers.layers_hidden
    drawn = figure(min(9.0, 3.2 + 0.24 * len(count)))
    [[above, corner], [axes, right]] = drawn.subplots(
        2, 2, sharex="col", sharey="row", gridspec_kw={"width_ratios": [4, 1], "height_ratios": [1, 3]}
    )
    corner.axis("off")
    positions, dimensions = np.nonzero(count)
    hidden_in = count[positions, dimensions]
    dots = axes.scatter(dimensions, positions, c=hidden_in, s=26, cmap=_visible_blues(), vmin=1, vmax=layers)
    for each in (above, right):
        each.label_outer(remove_inner_ticks=True)
    axes.set_xlim(-1, count.shape[1])
    axes.set_ylim(len(count) - 0.5, -0.5)
    axes.set_xlabel("dimension")
    axes.set_yticks(*_labels(numbers.tokens))
    above.bar(range(count.shape[1]), count.sum(axis=0), color=BLUE, width=1.0)
    above.set_ylabel("hidden")
    right.barh(range(len(count)), count.sum(axis=1), color=BLUE)
    right.set_xlabel("hidden")
    bar = drawn.colorbar(dots, ax=[axes, right], location="bottom", aspect=40, label="layers in which it is hidden")
    bar.locator = need("matplotlib.ticker", "report").MaxNLocator(integer=True)
    bar.update_ticks()
    return drawn


def attention(numbers: Attention) -> Any:
    """How each token's attention is spread, a panel for each head."""
    count = len(numbers.heads)
    columns = min(2, count)
    rows = -(-count // columns)
    drawn = figure(1.6 + (2.75 if columns > 1 else 5.0) * rows)
    grid = drawn.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    places, labels = _labels(numbers.tokens)
    for axes, head, pattern in zip(grid.flat, numbers.heads, numbers.patterns, strict=False):
        axes.imshow(pattern, cmap="Blues", vmin=0, vmax=1)
        axes.set_title(f"head {head}", loc="left")
        axes.set_xticks(places, labels, rotation=90, fontsize=9)
        axes.set_yticks(places, labels, fontsize=9)
        axes.label_outer(remove_inner_ticks=True)
    for axes in grid.flat[count:]:
        axes.axis("off")
    label = "share of the row's attention that the column's token gets"
    drawn.colorbar(grid.flat[0].images[0], ax=grid, location="bottom", aspect=40, label=label)
    return drawn


def logit_lens(lens: LogitLens) -> Any:
    """The most likely next token of each layer and position."""
    columns = [_short(token) for token in lens.tokens]
    drawn = figure(1.9 + 0.34 * len(lens.layers), max(WIDTH, 1.4 + 0.98 * len(columns)))
    axes = drawn.subplots()
    texts = [[_short(token) for token in row] for row in lens.top_tokens[..., 0]]
    probabilities = np.exp(lens.top_logprobs[..., 0])
    image = draw_heat_map(axes, probabilities, lens.layers, columns, "after the token", texts, text_size=10)
    axes.set_xticks(axes.get_xticks(), axes.get_xticklabels(), rotation=0, ha="center")
    drawn.colorbar(image, ax=axes, location="bottom", aspect=40, label="probability of the most likely next token")
    return drawn


def patching(grid: PatchGrid) -> Any:
    """What each patch restores; the metric itself where there is nothing to restore."""
    drawn = figure(1.9 + 0.34 * len(grid.layers), max(WIDTH, 1.4 + 0.5 * len(grid.labels)))
    axes = drawn.subplots()
    restores = grid.clean != grid.corrupt
    values = grid.restored if restores else grid.values
    image = draw_heat_map(axes, values, grid.layers, [_short(label) for label in grid.labels], "token patched")
    if len(grid.labels) <= _MOST_LEVEL:
        axes.set_xticks(axes.get_xticks(), axes.get_xticklabels(), rotation=0, ha="center")
    label = "share of the logit difference that is restored" if restores else "logit difference"
    drawn.colorbar(image, ax=axes, location="bottom", aspect=40, label=label)
    return drawn


def _visible_blues() -> Any:
    """Blues without the palest, which do not show on white."""
    blues = need("matplotlib", "report").colormaps["Blues"]
    return need("matplotlib.colors", "report").ListedColormap(blues(np.linspace(0.35, 1.0, 256)))


def _labels(tokens: Sequence[str]) -> tuple[list[int], list[str]]:
    """Which positions have a label, and the labels."""
    step = -(-len(tokens) // _MOST_LABELS)
    places = list(range(0, len(tokens), step))
    return places, [plain(_short(tokens[place])) for place in places]


def _short(token: str) -> str:
    """A token without the space that most begin with; a long one is cut, and one of spaces alone is shown in quotes."""
    shown = token.strip(" ") or repr(token)
    return shown if len(shown) <= _MOST_LETTERS else shown[: _MOST_LETTERS - 1] + "…"
