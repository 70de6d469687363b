"""How far two arrays are apart, and how far two right ones may be.

The bounds are those within which the server equals Hugging Face's fp32, each sum in an order of its own (the top
README's "Numbers"): a share of the array's largest value.
"""

from __future__ import annotations

import numpy as np

from hydrophone.wire.tensors import Array

_BOUND = 5e-6
_SCORES_BOUND = 2e-5
# Numbers on two sides of a boundary between two halves are a whole step apart, 2**-mantissa bits of the larger one.
_STEPS = {"float32": 0.0, "float16": 2.0**-10, "bfloat16": 2.0**-7}


def bound(name: str, dtype: str = "float32") -> float:
    """How far apart right values of a hook point (its canonical name) may be that came as `dtype`."""
    return (_SCORES_BOUND if name.endswith("hook_attn_scores") else _BOUND) + _STEPS[dtype]


def distance(got: Array, expected: Array) -> float:
    """The largest difference as a share of the largest value expected; infinite where shapes differ, or what is
    infinite or not a number. 0 says that they are equal."""
    if got.shape != expected.shape:
        return np.inf
    finite = np.isfinite(expected)
    if not np.array_equal(got[~finite], expected[~finite], equal_nan=True) or not np.isfinite(got[finite]).all():
        return np.inf
    numbers = expected[finite].astype(np.float64)
    largest = float(np.abs(numbers).max(initial=0.0))
    difference = float(np.abs(got[finite] - numbers).max(initial=0.0))
    return difference / largest if largest > 0 else (np.inf if difference > 0 else 0.0)
