"""Which hypothesis an array fits, from the numbers alone."""

import numpy as np
import pytest
import python_client  # noqa: F401

from hydrophone.explain import judge
from hydrophone.explain.causes import LAYER, Cause
from hydrophone.explain.contexts import Context
from hydrophone.explain.sites import Site

EXPECTED = np.linspace(-1, 1, 64, dtype=np.float32).reshape(8, 8)


def made(got, expected, causes=0):
    site = Site((Cause(LAYER, ""),) * causes, ("a",), lambda values: values["a"], "a")
    return judge.fit(got, Context(), site, expected)


def rounded(array):
    """To bfloat16, by cutting."""
    return (array.view(np.uint32) & 0xFFFF0000).view(np.float32)


@pytest.mark.parametrize(
    "array, kind",
    [
        (EXPECTED, None),
        (EXPECTED.astype(np.float16), "float16"),
        (EXPECTED.astype(np.float16).astype(np.float32), "float16"),
        (rounded(EXPECTED), "bfloat16"),
        (rounded(EXPECTED) * np.float32(2**40), "bfloat16"),
        (EXPECTED * np.float32(1e6), None),
        (np.zeros((2, 2), dtype=np.float32), None),
    ],
)
def test_halves_show_in_the_numbers(array, kind):
    assert judge.half_kind(array) == kind


def test_the_fewest_causes_within_the_bound_are_proved():
    off = EXPECTED + np.float32(1e-6)
    fits = [made(EXPECTED, off, causes=1), made(EXPECTED, EXPECTED, causes=2), made(EXPECTED, EXPECTED + 1)]
    assert judge.proved(fits, 5e-6) is fits[0]
    assert judge.proved(fits[2:], 5e-6) is None


def test_another_cause_has_to_be_worth_it():
    near, nearer, nearest = (made(EXPECTED, EXPECTED + np.float32(by), n) for by, n in ((0.1, 0), (0.06, 1), (0.01, 1)))
    assert judge.best([near, nearer]) is near
    assert judge.best([near, nearest]) is nearest


def test_a_few_huge_values_do_not_decide():
    huge = EXPECTED.copy()
    huge[:, 0] = 3000
    other = -huge
    other[:, 0] = 3000
    assert judge.apart(huge + np.float32(0.01), huge) < judge.apart(other, huge)


def test_samples_tell_how_far_dropout_leads():
    chance = np.random.default_rng(0)
    samples = [EXPECTED * (chance.random((8, 8)) > 0.1) / 0.9 for _ in range(8)]
    assert judge.is_like(samples[0], EXPECTED, samples[1:])
    assert not judge.is_like(-EXPECTED, EXPECTED, samples)
    assert not judge.is_like(EXPECTED + np.float32(1e-3), EXPECTED, samples)
    assert not judge.is_like(EXPECTED, EXPECTED, [EXPECTED] * 8), "where dropout changes nothing"
    assert judge.zeros(samples[0]) == pytest.approx(0.1, abs=0.08) and judge.zeros(EXPECTED) == 0
