"""The comparison finds one changed bit, wherever it is."""

import types

import numpy as np
import pytest
from differences import differences


@pytest.fixture
def answer(api):
    """Makes an answer of one tensor and one metric."""
    pb = api.pb

    def make(elements, loss=0.5, nonfinite=0):
        info = pb.TensorInfo(name="hook_embed", runs=[1], shape=[len(elements)])
        values = pb.Values(tensor=1, info=pb.TensorInfo(name="logits", runs=[1]), scores=[pb.Score(value=loss)])
        return types.SimpleNamespace(
            inputs=[], tensors=[(info, elements)], values=[values], trailer=pb.Trailer(nonfinite=nonfinite)
        )

    return make


def floats(*elements):
    return np.array(elements, np.float32)


def test_equal_answers_have_none(answer):
    assert differences(answer(floats(1, -np.inf, np.nan)), answer(floats(1, -np.inf, np.nan))) == []


def test_one_unit_in_the_last_place_is_found_and_measured(answer):
    (found,) = differences(answer(floats(1, 4)), answer(floats(np.nextafter(np.float32(1), np.float32(2)), 4)))
    assert (found.name, found.elements, found.different) == ("hook_embed of run 1", 2, 1)
    assert found.share == 2.0**-23 / 4
    assert str(found) == "hook_embed of run 1: 1 of 2, by 3.0e-08 of the largest at most"


@pytest.mark.parametrize(("ours", "theirs"), [(0.0, -0.0), (np.inf, 1.0), (np.nan, 1.0)])
def test_bits_are_compared_and_not_values(answer, ours, theirs):
    (found,) = differences(answer(floats(ours)), answer(floats(theirs)))
    assert found.different == 1


def test_halves_are_compared(answer):
    ours, theirs = np.array([1, 2], np.float16), np.array([1, 2.002], np.float16)
    assert [found.different for found in differences(answer(ours), answer(theirs))] == [1]


def test_numbers_in_messages_are_compared(answer):
    (found,) = differences(answer(floats(1), loss=0.5), answer(floats(1), loss=0.75))
    assert (found.name, found.different, found.share) == ("logits of run 1 (values)", 1, 0.5)


def test_other_tensors_are_an_error(answer):
    with pytest.raises(AssertionError):
        differences(answer(floats(1)), answer(floats(1, 2)))
    with pytest.raises(AssertionError):
        differences(answer(floats(1)), answer(floats(1), nonfinite=1))
