"""Pictures with matplotlib."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hydrophone.extras import need
from hydrophone.wire.tensors import Array


def heat_map(
    values: Array,
    layers: Sequence[int],
    columns: Sequence[str],
    title: str,
    column_name: str,
    texts: Sequence[Sequence[str]] | None = None,
) -> Any:
    """A heat map of [layer, column], layer 0 at the bottom, on new Axes; `texts` are written into its cells."""
    pyplot = need("matplotlib.pyplot", "plot")
    width = max(4.5, 1.5 + (0.9 if texts else 0.45) * len(columns))
    figure, axes = pyplot.subplots(figsize=(width, 1.5 + 0.35 * len(layers)), layout="constrained")
    figure.colorbar(draw_heat_map(axes, values, layers, columns, column_name, texts), ax=axes)
    axes.set_title(title, fontsize="medium", loc="left")
    return axes


def draw_heat_map(
    axes: Any,
    values: Array,
    layers: Sequence[int],
    columns: Sequence[str],
    column_name: str,
    texts: Sequence[Sequence[str]] | None = None,
    text_size: float = 7,
) -> Any:
    """The same without a title, on `axes`; gives the image, for a colour bar."""
    lowest, highest = float(values.min()), float(values.max())
    reach = max(abs(lowest), abs(highest)) or 1.0
    diverging = lowest < 0  # zero is white then
    image = axes.imshow(
        values,
        origin="lower",
        aspect="auto",
        cmap="RdBu" if diverging else "Blues",
        vmin=-reach if diverging else 0.0,
        vmax=reach,
    )
    axes.set_xticks(range(len(columns)), [plain(column) for column in columns], rotation=60, ha="right")
    axes.set_yticks(range(len(layers)), [str(layer) for layer in layers])
    axes.set_xlabel(column_name)
    axes.set_ylabel("layer")
    for row, line in enumerate(texts or ()):
        for column, text in enumerate(line):
            dark = abs(float(values[row, column])) > 0.6 * reach
            color = "w" if dark else "k"
            axes.text(column, row, plain(text), ha="center", va="center", fontsize=text_size, color=color)
    return image


def plain(text: str) -> str:
    """A token as one line of plain text: matplotlib reads $ as mathematics."""
    return text.replace("\n", "\\n").replace("$", r"\$")
