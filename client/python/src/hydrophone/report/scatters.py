"""The four scatter panels."""

from __future__ import annotations

from typing import Any

import numpy as np

from hydrophone.report.canvas import BLUE, GREY, ORANGE, figure, legend_below, number
from hydrophone.report.compute import Panel, Scatter

_MANY = 5000


def scatter(numbers: Scatter, masked: bool) -> Any:
    """Two by two panels; with `masked`, of the elements that the mask leaves alone."""
    drawn = figure(6.6)
    kept = ~numbers.hidden
    for axes, panel in zip(drawn.subplots(2, 2).flat, numbers.panels, strict=True):
        _panel(axes, panel, kept, masked)
    handles = drawn.axes[0].get_lines()
    legend_below(drawn, handles, 3)
    return drawn


def _panel(axes: Any, panel: Panel, kept: Any, masked: bool) -> None:
    dots: dict[str, Any] = {"linestyle": "none", "marker": "o", "markeredgewidth": 0}
    if panel.on_diagonal:
        _diagonal(axes, panel.x[kept] if masked else panel.x, panel.y[kept] if masked else panel.y)
    # Many dots are drawn paler, so that it shows where most of them are.
    alpha = 0.45 if kept.sum() < _MANY else 0.15
    axes.plot(panel.x[kept], panel.y[kept], markersize=3, alpha=alpha, color=BLUE, label="kept", **dots)
    if not masked:
        axes.plot(panel.x[~kept], panel.y[~kept], markersize=4, color=ORANGE, label="hidden by the mask", **dots)
    axes.set_xlabel(panel.x_label)
    axes.set_ylabel(panel.y_label)
    axes.set_title(f"{panel.title}: r = {number(panel.r_masked if masked else panel.r)}", loc="left")


def _diagonal(axes: Any, x: Any, y: Any) -> None:
    ends = [min(np.min(x, initial=0), np.min(y, initial=0)), max(np.max(x, initial=0), np.max(y, initial=0))]
    axes.plot(ends, ends, color=GREY, linewidth=1, label="equal values", zorder=1)
