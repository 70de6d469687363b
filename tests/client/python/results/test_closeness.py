"""How far two arrays are apart."""

import numpy as np
import pytest
import python_client  # noqa: F401

from hydrophone.results.closeness import bound, distance


def array(*values):
    return np.array(values, dtype=np.float32)


@pytest.mark.parametrize(
    "got, expected, apart",
    [
        (array(1, 2), array(1, 2), 0),
        (array(1, 2.5), array(1, 2), 0.25),
        (array(-np.inf, np.nan, 1), array(-np.inf, np.nan, 2), 0.5),
        (array(np.inf, 1), array(-np.inf, 1), np.inf),
        (array(np.nan, 1), array(0, 1), np.inf),
        (array(0, 1), array(np.nan, 1), np.inf),
        (array(1), array(1, 2), np.inf),
        (array(0, 0), array(0, 0), 0),
        (array(0, 1), array(0, 0), np.inf),
        (array(), array(), 0),
    ],
)
def test_the_largest_difference_as_a_share_of_the_largest_value(got, expected, apart):
    assert distance(got, expected) == apart


def test_scores_and_halves_may_be_farther_apart():
    assert bound("blocks.3.hook_resid_post") == 5e-6 and bound("blocks.3.attn.hook_attn_scores") == 2e-5
    assert bound("logits", "float16") == pytest.approx(2**-10, rel=0.01)
    assert bound("logits", "bfloat16") == pytest.approx(2**-7, rel=0.01)
