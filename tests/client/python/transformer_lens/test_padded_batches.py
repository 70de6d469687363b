"""Rows of tokens without their padding, and arrays with it again."""

import numpy as np
import pytest
from python_client import hp

from hydrophone.transformer_lens import batch

IDS = np.arange(8).reshape(2, 4)
MASK = np.array([[0, 1, 1, 1], [1, 1, 0, 0]])


def test_rows_are_the_tokens_that_the_mask_keeps():
    made = batch.make(IDS, MASK)
    assert [row.tolist() for row in made.rows] == [[1, 2, 3], [4, 5]]
    assert made.positions.tolist() == [[0, 0, 1, 2], [0, 1, 0, 0]]


def test_without_a_mask_every_token_is_real():
    assert [row.tolist() for row in batch.make(IDS).rows] == IDS.tolist()
    assert batch.make([7, 8, 9]).ids.tolist() == [[7, 8, 9]]


def test_arrays_stand_where_their_tokens_stand():
    made = batch.make(IDS, MASK)
    padded = made.padded([np.ones((3, 2), np.float32), np.full((2, 2), 2, np.float32)], -np.inf)
    assert padded[..., 0].tolist() == [[-np.inf, 1, 1, 1], [2, 2, -np.inf, -np.inf]]
    square = made.padded([np.ones((5, 3, 3)), np.ones((5, 2, 2))], 0, square=True)
    assert square.shape == (2, 5, 4, 4) and square.sum() == 5 * (9 + 4)
    assert square[0, 0, 0].sum() == 0 and square[1, 0, 2:].sum() == 0


def test_one_row_is_not_copied_unless_it_cannot_be_written():
    made, array = batch.make([1, 2]), np.zeros((2, 3))
    assert np.shares_memory(made.padded([array], 0), array)
    array.flags.writeable = False
    assert made.padded([array], 0).flags.writeable


@pytest.mark.parametrize(
    "argument, ids, mask",
    [
        ("input_ids", np.zeros((1, 0), int), None),
        ("attention_mask", IDS, MASK[:1]),
        ("attention_mask", IDS, MASK * 2),
        ("attention_mask", IDS, MASK * [[1], [0]]),
    ],
)
def test_errors_name_the_argument_of_a_batch(argument, ids, mask):
    with pytest.raises(hp.InvalidArgument) as caught:
        batch.make(ids, mask)
    assert caught.value.argument == argument


@pytest.mark.parametrize(
    "what, ids, mask",
    [
        ("gaps", IDS, [[1, 0, 1, 1], [1, 1, 1, 1]]),
        ("input_ids of floats", IDS * 0.5, None),
        ("input_ids of shape", IDS[None], None),
        ("attention_mask of shape", IDS, MASK[None, None]),
    ],
)
def test_what_no_server_reads_is_refused(what, ids, mask):
    with pytest.raises(NotImplementedError, match=what) as caught:
        batch.make(ids, mask)
    assert isinstance(caught.value, hp.NotBuilt)
