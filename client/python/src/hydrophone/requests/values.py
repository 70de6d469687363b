"""Numbers, layers, positions, units and arrays, as a person writes them and as the API has them."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any, SupportsIndex, TypeAlias

import numpy as np
import numpy.typing as npt

from hydrophone.errors import InvalidArgument
from hydrophone.proto import v1

Whole: TypeAlias = SupportsIndex
Numbers: TypeAlias = "Whole | Sequence[Whole] | range | npt.NDArray[np.integer[Any]]"
Layers: TypeAlias = "Numbers | None"
Positions: TypeAlias = "Numbers | slice | str | PerRun | None"
Values: TypeAlias = npt.ArrayLike

DTYPES: dict[str, int] = {"float32": v1.DTYPE_FLOAT32, "float16": v1.DTYPE_FLOAT16, "bfloat16": v1.DTYPE_BFLOAT16}


class PerRun(tuple[Any, ...]):
    """Positions for each run on its own: hp.per_run([0, 1], -1, slice(2, None))."""


def per_run(*positions: Positions) -> PerRun:
    """One selection of positions for each run, in the runs' order."""
    return PerRun(positions)


def numbers(value: Numbers | None, argument: str) -> list[int]:
    """The whole numbers of an argument that takes one or several; none for None. An empty sequence is refused: the API
    would take it for all of them."""
    if value is None:
        return []
    if isinstance(value, (str, bytes)):
        raise InvalidArgument.of(argument, f"got {value!r}, expected a whole number or several")
    try:
        return [operator.index(value)]  # type: ignore[arg-type]
    except TypeError:
        pass
    try:
        several = [operator.index(each) for each in value]  # type: ignore[union-attr]
    except TypeError:
        raise InvalidArgument.of(argument, f"got {value!r}, expected a whole number or several") from None
    if not several:
        raise InvalidArgument.of(argument, "got none, expected at least one")
    return several


def positions(value: Positions, argument: str = "positions") -> Any:
    """The Positions message; None for all. Takes numbers, a slice, "last", "all", or NumPy's "start:stop:step"."""
    if value is None:
        return None
    if isinstance(value, PerRun):
        return v1.Positions(per_input=[positions(each, argument) or v1.Positions(slice=":") for each in value])
    if isinstance(value, slice):
        parts = [value.start, value.stop] + ([value.step] if value.step is not None else [])
        return v1.Positions(slice=":".join("" if part is None else str(operator.index(part)) for part in parts))
    if isinstance(value, str):
        return v1.Positions(at=[-1]) if value == "last" else v1.Positions(slice=":" if value == "all" else value)
    return v1.Positions(at=numbers(value, argument))


def units(heads: Numbers | None, features: Numbers | None) -> Any:
    """The Units message; None for all heads and features."""
    if heads is None and features is None:
        return None
    return v1.Units(heads=numbers(heads, "heads"), features=numbers(features, "features"))


def tensor(values: Values, argument: str) -> Any:
    """The Tensor message of numbers: float32, C order. Also takes what np.asarray does, a torch tensor on the CPU
    too."""
    try:
        array = np.asarray(values, dtype="<f4")
    except (TypeError, ValueError) as error:
        raise InvalidArgument.of(argument, f"got {type(values).__name__}, expected numbers: {error}") from None
    return v1.Tensor(dtype=v1.DTYPE_FLOAT32, shape=array.shape, data=np.ascontiguousarray(array).tobytes())


def dtype(name: str | None) -> int:
    if name is None:
        return 0
    if name not in DTYPES:
        raise InvalidArgument.of("dtype", f"got {name!r}, expected one of {', '.join(DTYPES)}")
    return int(DTYPES[name])


def choice(argument: str, value: str | None, of: dict[str, int]) -> int:
    """The enum value of a word; 0 for None."""
    if value is None:
        return 0
    if value not in of:
        raise InvalidArgument.of(argument, f"got {value!r}, expected one of {', '.join(of)}")
    return of[value]
