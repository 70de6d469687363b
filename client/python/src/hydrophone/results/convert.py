"""A result's arrays for torch and xarray."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hydrophone.extras import need

if TYPE_CHECKING:
    from hydrophone.results.capture import Capture
    from hydrophone.results.result import Result


def named_arrays(result: Result) -> dict[str, Capture]:
    """The captured arrays by names that tell them apart, as `hydrophone extract --out` names them: the canonical name;
    in the rows layout nothing else; else ".inputI", or ".runR" where the call listed runs; ".selectorS" where a second
    selector asked for the same."""
    named: dict[str, Capture] = {}
    listed = any(each.number != each.input or each.key for each in result.runs)
    for capture in result.captures:
        if not isinstance(capture.value, np.ndarray):
            continue
        name = f"{capture.name}.lens_logits" if capture.lens_logits else capture.name
        if not capture.rows:
            name += f".run{capture.runs[0]}" if listed else f".input{capture.runs[0]}"
        named[f"{name}.selector{capture.selector}" if name in named else name] = capture
    return named


def to_torch(result: Result) -> dict[str, Any]:
    torch = need("torch", "torch")
    return {name: torch.from_numpy(capture.array) for name, capture in _short(result).items()}


def to_xarray(result: Result) -> dict[str, Any]:
    """A DataArray for each name asked and run, whose layers are one dimension."""
    xarray = need("xarray", "xarray")
    groups: dict[tuple[str, int, str], list[Capture]] = {}
    for capture in result.captures:
        if isinstance(capture.value, np.ndarray):
            run = "" if len(result.runs) == 1 or capture.rows else f".run{capture.runs[0]}"
            groups.setdefault((capture.asked, capture.selector, run), []).append(capture)
    named: dict[str, Any] = {}
    for (asked, selector, run), captures in sorted(groups.items()):
        name = asked + run if asked + run not in named else f"{asked}{run}.selector{selector}"
        named[name] = _labelled(captures, result, xarray)
    return named


def _short(result: Result) -> dict[str, Capture]:
    """named_arrays without the number of the only run."""
    named = named_arrays(result)
    if len(result.runs) > 1:
        return named
    return {name.replace(".input0", "").replace(".run0", ""): capture for name, capture in named.items()}


def _labelled(captures: list[Capture], result: Result, xarray: Any) -> Any:
    """The arrays of one selector and run as one, along their layers; of one layer alone, without that dimension."""
    ordered = sorted(captures, key=lambda capture: capture.layer)
    first = ordered[0]
    if first.name.endswith(("hook_attn_scores", "hook_pattern")):
        dims: tuple[str, ...] = ("head", "query", "key")
    else:
        rows = "row" if first.rows else "position"
        dims = (rows, "head", "unit") if first.array.ndim == 3 else (rows, "unit")
    coords: dict[str, Any] = {}
    if first.rows:
        coords["run"] = ("row", np.repeat(first.runs, first.rows))
    elif dims[0] == "position":
        tokens = result.tokens[result.runs[first.runs[0]].input]
        if len(tokens) == first.array.shape[0]:
            coords["token"] = ("position", tokens)
    attributes = {"hook_point": first.asked, "model": result.provenance.model, "numerics": result.provenance.numerics}
    if len(ordered) == 1 or len({capture.array.shape for capture in ordered}) > 1:
        coords["layer"] = first.layer
        return xarray.DataArray(first.array, dims=dims, coords=coords, attrs=attributes)
    coords["layer"] = [capture.layer for capture in ordered]
    stacked = np.stack([capture.array for capture in ordered])
    return xarray.DataArray(stacked, dims=("layer", *dims), coords=coords, attrs=attributes)
