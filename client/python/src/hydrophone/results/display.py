"""A result as text, and as HTML for notebooks: what is there, not the numbers."""

from __future__ import annotations

import html as escape
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from hydrophone.results.capture import Capture
    from hydrophone.results.result import Result

MOST_INPUTS = 4
MOST_TOKENS = 24


def _kind(capture: Capture) -> str:
    value = capture.value
    if isinstance(value, np.ndarray):
        return f"{value.dtype} {list(value.shape)}"
    return "scores" if isinstance(value, tuple) else "preview" if isinstance(value, str) else type(value).__name__


def _points(result: Result) -> list[tuple[str, str, str, str]]:
    """A line for each name asked: asked, layers, kind of the first, how many."""
    groups: dict[tuple[int, str], list[Capture]] = {}
    for capture in result.captures:
        groups.setdefault((capture.selector, capture.asked), []).append(capture)
    lines = []
    for (_, asked), captures in sorted(groups.items()):
        layers = sorted({capture.layer for capture in captures if capture.layer >= 0})
        kinds = list(dict.fromkeys(_kind(capture) for capture in captures))
        kind = kinds[0] + (f" and {len(kinds) - 1} other shapes" if len(kinds) > 1 else "")
        lines.append((asked, _ranges(layers), kind, str(len(captures))))
    return lines


def _ranges(layers: list[int]) -> str:
    """Ascending numbers, shortened: "0-3, 7"."""
    runs: list[list[int]] = []
    for layer in layers:
        if runs and layer == runs[-1][-1] + 1:
            runs[-1].append(layer)
        else:
            runs.append([layer])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


def _shown_inputs(result: Result) -> list[str]:
    lines = []
    for info, tokens in list(zip(result.inputs, result.tokens, strict=True))[:MOST_INPUTS]:
        text = "".join(tokens[:MOST_TOKENS]) + ("..." if len(tokens) > MOST_TOKENS else "")
        what = f"skipped: {info.skipped}" if info.skipped else f"{len(tokens)} tokens: {text!r}"
        lines.append(f"{info.key or info.index}: {what}")
    return lines + ([f"... and {len(result.inputs) - MOST_INPUTS} more"] if len(result.inputs) > MOST_INPUTS else [])


def text(result: Result) -> str:
    head = f"Result of {len(result.inputs)} inputs, {len(result.runs)} runs, model {result.provenance.model}"
    lines = [head, *(f"  input {line}" for line in _shown_inputs(result))]
    for asked, layers, kind, count in _points(result):
        where = f" layers {layers}," if layers else ""
        lines.append(f"  {asked}:{where} {count} x {kind}")
    return "\n".join(lines)


def html(result: Result) -> str:
    cells = [
        "".join(f"<td>{escape.escape(cell)}</td>" for cell in (asked, layers, kind, count))
        for asked, layers, kind, count in _points(result)
    ]
    head = "".join(f"<th>{title}</th>" for title in ("asked", "layers", "values", "captures"))
    inputs = "".join(f"<li><code>{escape.escape(line)}</code></li>" for line in _shown_inputs(result))
    rows = "".join(f"<tr>{cell}</tr>" for cell in cells)
    return (
        f"<div><b>{escape.escape(result.provenance.model)}</b>: {len(result.inputs)} inputs, {len(result.runs)} runs"
        f"<ul>{inputs}</ul><table><tr>{head}</tr>{rows}</table></div>"
    )
