"""Curves over the layers, and the final state."""

from __future__ import annotations

from typing import Any

import numpy as np

from hydrophone.report.canvas import BLUE, GREEN, GREY, ORANGE, PURPLE, figure, legend_below
from hydrophone.report.compute import DELTAS, INCREMENT, STATES, SUM, Correlations, FinalState, Residuals
from hydrophone.wire.tensors import Array

_CURVES = {
    STATES: ("H[L] and H[L+1]", BLUE, "o", "-"),
    INCREMENT: ("H[L+1] - H[L] and both deltas", GREEN, "s", "--"),
    SUM: ("H[L] and both deltas", PURPLE, "^", "-."),
    DELTAS: ("attention and MLP delta", GREY, "D", ":"),
}
_FLAG: dict[str, Any] = {
    "color": ORANGE,
    "marker": "x",
    "markersize": 9,
    "markeredgewidth": 2.5,
    "linestyle": "none",
    "zorder": 5,
}

# Differences below it are drawn between 0 and the first decade.
_SMALLEST = 1e-8


def correlations(numbers: Correlations) -> Any:
    """Every layer's correlations, all elements above, those that the mask leaves below."""
    drawn = figure(7.2)
    last = len(numbers.r[STATES]) - 1
    panels = [("all elements", numbers.r), ("elements that the mask leaves", numbers.r_masked)]
    for axes, (title, curves) in zip(drawn.subplots(2, 1, sharex=True, sharey=True), panels, strict=True):
        for name, (label, color, marker, line) in _CURVES.items():
            axes.plot(curves[name], color=color, marker=marker, markersize=5, linestyle=line, label=label)
        axes.axhline(0, color="0.8", linewidth=1, zorder=0)
        axes.set_title(title, loc="left")
        axes.set_ylabel("Pearson's r")
    label = f"flagged: H[{last}] and hidden_states[{last + 1}]"
    drawn.axes[0].plot([last], [numbers.flagged], label=label, **_FLAG)
    _layers(drawn.axes[1], last + 1)
    legend_below(drawn, drawn.axes[0].get_legend_handles_labels()[0], 2)
    return drawn


def residuals(numbers: Residuals) -> Any:
    """How far the sum is from the next state, on a logarithmic scale with a place for 0."""
    drawn = figure(5.0)
    axes = drawn.subplots()
    last = len(numbers.server) - 1
    axes.plot(numbers.states, color=GREY, marker="D", markersize=5, linestyle=":", label="H[L+1] itself")
    axes.plot(
        numbers.regrouped,
        color=PURPLE,
        marker="^",
        markersize=6,
        linestyle="-.",
        label="H[L+1] - (H[L] + (attn + MLP))",
    )
    axes.plot(numbers.server, color=BLUE, marker="o", markersize=6, label="H[L+1] - ((H[L] + attn) + MLP)")
    axes.plot([last], [numbers.flagged], label=f"flagged: with hidden_states[{last + 1}]", **_FLAG)
    highest = max(10.0, float(np.nanmax([*numbers.states, numbers.flagged])) * 3)
    axes.set_yscale("symlog", linthresh=_SMALLEST, linscale=0.6)
    axes.set_ylim(-_SMALLEST / 4, highest)
    axes.set_yticks([0, *(10.0**power for power in range(-8, int(np.log10(highest)) + 1, 2))])
    axes.minorticks_off()
    axes.set_ylabel("largest magnitude of all elements")
    _layers(axes, last + 1)
    legend_below(drawn, axes.get_legend_handles_labels()[0], 2)
    return drawn


def final_state(numbers: FinalState) -> Any:
    """The norms of the states above, the last one's values below, raw and normed."""
    drawn = figure(6.6)
    norms, values = drawn.subplots(2, 1)
    depth = len(numbers.norms) - 1
    norms.plot(numbers.norms, color=BLUE, marker="o", markersize=5, label="raw states")
    label = f"flagged: hidden_states[{depth}]"
    norms.plot([depth], [numbers.normalised_norm], label=label, clip_on=False, **_FLAG)
    norms.set_ylim(0, None)
    norms.set_ylabel("L2 norm")
    norms.set_title("mean norms of the states", loc="left")
    _layers(norms, depth + 1, "blocks passed")
    values.axhline(0, color="0.8", linewidth=1, zorder=0)
    values.plot(numbers.raw, color=BLUE, linewidth=1.2, label="raw: the last block's output")
    values.plot(
        numbers.normalised, color=ORANGE, linewidth=1.2, linestyle="--", label=f"hidden_states[{depth}]: ln_f of it"
    )
    values.set_xlabel("dimension")
    values.set_ylabel("value")
    values.set_title("the final state at the last token", loc="left")
    values.margins(x=0.01)
    _make_room(values, numbers.raw)
    legend_below(drawn, [*norms.get_lines(), *values.get_lines()[1:]], 2)
    return drawn


def _make_room(axes: Any, values: Array) -> None:
    """A logarithmic scale beyond the usual values, where a few outliers would press these into a line."""
    magnitudes = np.abs(values)
    usual = float(np.quantile(magnitudes, 0.95))
    if usual > 0 and magnitudes.max() > 10 * usual:
        axes.set_yscale("symlog", linthresh=usual, linscale=2)
        axes.minorticks_off()


def _layers(axes: Any, count: int, name: str = "layer L") -> None:
    step = 1 if count <= 16 else 1 + count // 12
    axes.set_xticks(range(0, count, step))
    axes.set_xlabel(name)
