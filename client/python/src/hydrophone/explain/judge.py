"""Which hypothesis an array fits, from the numbers alone."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from hydrophone.explain.contexts import Context
from hydrophone.explain.sites import Site
from hydrophone.results.closeness import distance
from hydrophone.wire.tensors import Array

# How far the values of a forward pass in halves are from those of one in float32, as a share of the largest value.
HALVES = {"float16": 1e-2, "bfloat16": 1e-1}

# A hypothesis with one more cause has to be nearer by this factor.
_WORTH = 2.0


@dataclasses.dataclass(frozen=True)
class Fit:
    """A hypothesis and its array; `apart` is the mean difference as a share of the mean magnitude."""

    context: Context
    site: Site
    expected: Array
    apart: float
    distance: float

    @property
    def count(self) -> int:
        return len(self.context.causes) + len(self.site.causes)


def fit(got: Array, context: Context, site: Site, expected: Array) -> Fit:
    return Fit(context, site, expected, apart(got, expected), distance(got, expected))


def apart(got: Array, expected: Array) -> float:
    """Means count every value alike: GPT-2's few huge features do not decide."""
    size = float(np.abs(expected).mean(dtype=np.float64))
    return float(np.abs(got.astype(np.float64) - expected).mean()) / size if size > 0 else float("inf")


def proved(fits: Sequence[Fit], allowed: float) -> Fit | None:
    """The one of fewest causes within the bound."""
    near = [each for each in fits if each.distance <= allowed]
    return min(near, key=lambda each: (each.count, each.apart), default=None)


def best(fits: Sequence[Fit]) -> Fit:
    """The nearest, where fewer causes count for something."""
    return min(fits, key=lambda each: each.apart * _WORTH**each.count)


def half_kind(got: Array) -> str | None:
    """The type of halves that has every value of an array; None when there is none. Numbers of bfloat16's few bits are
    float16's as well, so that it comes first."""
    if got.dtype == np.float16:
        return "float16"
    if not got.any():
        return None
    if not (got.view(np.uint32) & 0xFFFF).any():
        return "bfloat16"
    with np.errstate(over="ignore"):
        return "float16" if np.array_equal(got.astype(np.float16).astype(np.float32), got) else None


def zeros(array: Array) -> float:
    """The share of values that are exactly 0."""
    return float((array == 0).mean())


# How much farther than all samples, or nearer, one more may be.
_SPREAD = 1.3


def is_like(got: Array, expected: Array, samples: Sequence[Array]) -> bool:
    """Whether an array is about as far from the expected one as samples with dropout are."""
    distances = [apart(sample, expected) for sample in samples]
    return 0 < min(distances) / _SPREAD <= apart(got, expected) <= max(distances) * _SPREAD
