"""Declared edits of a forward pass, as TransformerLens's drivers take them: {hook's name: {"op": ..., ...}}.

| op | keys | the values become |
|---|---|---|
| "suppress" | | 0 |
| "scale" | factor | factor times themselves |
| "add" | value | themselves and value |
| "set" | value | value |
| "project_out" | direction | themselves without their part along it |
| "position_mean" | | their mean over the positions |
| "patch" | row | those of another row of the batch; that row itself stays as it is |

The first four are TransformerLens's. Each takes `pos`, a position of the rows as they were given, padding counted, or
several (all unless given; negative ones from the end; on scores and patterns they are queries), `heads` and `features`.
A value is a number, or an array that broadcasts to [position, width], [position, head, width] or [head, query, key];
with a first dimension more, each row's own. A hook may have several edits, a list, which follow each other.
"""

from __future__ import annotations

import numbers
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from hydrophone.errors import InvalidArgument
from hydrophone.requests import edits
from hydrophone.requests.edits import Edit
from hydrophone.transformer_lens.batch import Batch, to_numpy
from hydrophone.transformer_lens.names import Place
from hydrophone.transformer_lens.refusals import refused

_OPERATIONS: dict[str, str | None] = {
    "suppress": None,
    "scale": "factor",
    "add": "value",
    "set": "value",
    "project_out": "direction",
    "position_mean": None,
    "patch": "row",
}
_WHERE = ("pos", "heads", "features")
_MAKERS: dict[str, Callable[..., Edit]] = {
    "suppress": edits.zero,
    "scale": edits.scale,
    "add": edits.add,
    "set": edits.set,
    "project_out": edits.project_out,
    "position_mean": edits.position_mean,
    "patch": edits.patch,
}


def of_hook(name: str, place: Place, specification: Any, batch: Batch) -> Iterator[tuple[int, Edit]]:
    """The edits that one hook's specification makes, each with its row."""
    several = [specification] if isinstance(specification, Mapping) or callable(specification) else specification
    if not isinstance(several, Sequence) or isinstance(several, str):
        raise _wrong(name, f"got {specification!r}, expected a mapping with an 'op', or a list of them")
    for given in several:
        each = _checked(name, given)
        if not place.editable:
            raise refused(f"an edit of {name}", "the point can be captured alone")
        for row in range(len(batch.ids)):
            if each["op"] != "patch" or row != each["row"]:
                yield row, _edit(name, place, each, batch, row)


def _checked(name: str, specification: Any) -> Mapping[str, Any]:
    if callable(specification):
        raise refused(
            f"a Python function at {name}", f"it cannot run on the server; declared edits can: {', '.join(_OPERATIONS)}"
        )
    if not isinstance(specification, Mapping) or "op" not in specification:
        raise _wrong(name, f"got {specification!r}, expected a mapping with an 'op'")
    operation = specification["op"]
    if operation not in _OPERATIONS:
        raise _wrong(name, f"got the op {operation!r}, expected one of {', '.join(_OPERATIONS)}")
    own = _OPERATIONS[operation]
    if own is not None and own not in specification:
        raise _wrong(name, f"got no {own!r}, which {operation!r} needs")
    unknown = set(specification) - {"op", own, *_WHERE}
    if unknown:
        raise _wrong(name, f"got the keys {sorted(unknown)}, which {operation!r} does not take")
    return specification


def _wrong(name: str, description: str) -> InvalidArgument:
    return InvalidArgument.of(f"intervene[{name!r}]", description)


def _edit(name: str, place: Place, specification: Mapping[str, Any], batch: Batch, row: int) -> Edit:
    operation = specification["op"]
    at = _positions(name, specification.get("pos"), batch, row)
    where = {key: specification[key] for key in ("heads", "features") if specification.get(key) is not None}
    own: list[Any] = []
    if operation in ("add", "set"):
        own = [_value(name, place, specification, batch, row)]
    elif operation == "patch":
        own = [_source(name, specification["row"], batch)]
    elif (key := _OPERATIONS[operation]) is not None:
        own = [to_numpy(specification[key]) if key == "direction" else float(specification[key])]
    return _MAKERS[operation](place.name, *own, positions=at, **where)


def _source(name: str, row: Any, batch: Batch) -> int:
    if not isinstance(row, numbers.Integral) or not 0 <= int(row) < len(batch.ids):
        raise _wrong(name, f"got the row {row!r}, expected 0 to {len(batch.ids) - 1}")
    return int(row)


def _positions(name: str, pos: Any, batch: Batch, row: int) -> list[int] | None:
    """The positions in the row's real tokens."""
    if pos is None:
        return None
    given = [pos] if isinstance(pos, numbers.Integral) else list(pos)
    found = []
    for each in given:
        if not isinstance(each, numbers.Integral) or isinstance(each, bool):
            raise _wrong(name, f"got the pos {pos!r}, expected a position or several")
        place = int(each) + batch.length if each < 0 else int(each)
        if not batch.starts[row] <= place < batch.ends[row]:
            real = f"{batch.starts[row]} to {batch.ends[row] - 1}"
            raise _wrong(name, f"got the pos {int(each)}, expected one of row {row}'s tokens, {real}")
        found.append(place - batch.starts[row])
    return found


def _value(name: str, place: Place, specification: Mapping[str, Any], batch: Batch, row: int) -> Any:
    """The row's own value, without padding, in a shape that the server broadcasts."""
    value = to_numpy(specification["value"])
    if value.ndim == len(place.shape) + 1:
        if len(value) not in (1, len(batch.ids)):
            raise _wrong(name, f"got a value for {len(value)} rows, expected 1 or {len(batch.ids)}")
        value = value[row if len(value) > 1 else 0]
    span, everywhere = batch.spans[row], specification.get("pos") is None
    if place.is_square:
        if everywhere and value.ndim > 1 and value.shape[-2] == batch.length:
            value = value[..., span, :]
        if value.ndim > 0 and value.shape[-1] == batch.length and specification.get("features") is None:
            value = value[..., span]
    elif everywhere and value.ndim == len(place.shape) and value.shape[0] == batch.length:
        value = value[span]
    width = int(np.prod(place.shape[1:]))
    if place.has_heads and value.shape == (width,) and width != place.shape[2]:
        value = value.reshape(place.shape[1:])  # TransformerLens's width of a point with heads is all of theirs
    return value
