"""Figures of one look, and their bytes, which depend on nothing but what is drawn."""

from __future__ import annotations

import contextlib
import dataclasses
import io
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from hydrophone.extras import need

# Okabe and Ito's colours, which are told apart without one of the eye's three kinds of cones too: "Color Universal
# Design" (2008).
BLUE, ORANGE, GREEN, PURPLE, GREY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#595959"

# As wide as the page's column. On a narrow telephone the page shows it at nearly the size of its own text.
WIDTH = 6.4
_DPI = 120

_STYLE = {
    "font.size": 11,
    "axes.titlesize": 11,
    "axes.labelsize": 11,
    "xtick.labelsize": 10,
    "ytick.labelsize": 10,
    "legend.fontsize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "savefig.dpi": _DPI,
}

Draw = Callable[[], Any]


@dataclasses.dataclass(frozen=True)
class Picture:
    """A picture of the report: `draw` makes its figure. `title` and `caption` are the page's."""

    name: str
    title: str
    caption: str
    draw: Draw


def require() -> None:
    """ImportError where there is no matplotlib."""
    need("matplotlib.figure", "report")


@contextlib.contextmanager
def style() -> Iterator[None]:
    """Inside, figures look alike, whatever the caller's own settings are."""
    with need("matplotlib.style", "report").context(["default", _STYLE]):
        yield


def figure(height: float, width: float = WIDTH) -> Any:
    """An empty figure, outside of pyplot: no window, and nothing to close."""
    return need("matplotlib.figure", "report").Figure(figsize=(width, height), layout="constrained")


def png(drawn: Any, description: str) -> bytes:
    """The figure's bytes. They say what they show, and neither when nor by which version they were drawn."""
    file = io.BytesIO()
    metadata = {"Software": None, "Description": description}
    drawn.savefig(file, format="png", metadata=metadata, pil_kwargs={"optimize": True})
    return file.getvalue()


def legend_below(drawn: Any, handles: Sequence[Any], columns: int) -> None:
    """A legend under the axes, where it hides no data."""
    legend = drawn.legend(handles=handles, loc="outside lower center", ncols=columns, markerscale=1.5)
    for handle in legend.legend_handles:
        handle.set_alpha(1)


def number(value: float) -> str:
    """A correlation: three digits, and 1 for what rounds to it only in the end."""
    return "undefined" if value != value else f"{value:.3f}"
