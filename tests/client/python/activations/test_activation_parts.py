"""What feeds are made of: windows of tokens, the shuffle buffer, and the pipe between two threads."""

import itertools
import threading

import numpy as np
import pytest
import python_client  # noqa: F401 (finds the package)

from hydrophone.activations.pipe import Pipe
from hydrophone.activations.shuffle import shuffled
from hydrophone.activations.windows import packed

BOS = 0


@pytest.mark.parametrize(
    "texts, prepend_bos, windows",
    [
        ([[1, 2, 3, 4, 5, 6]], True, [[0, 1, 2], [0, 3, 4], [0, 5, 6]]),
        ([[1, 2, 3, 4, 5, 6]], False, [[1, 2, 3], [4, 5, 6]]),
        ([[1], [2], [3, 4]], True, [[0, 1, 0], [0, 2, 0], [0, 3, 4]]),
        ([[1], [2], [3, 4]], False, [[1, 0, 2]]),
        ([[0, 1], [0, 2, 3]], True, [[0, 1, 0], [0, 2, 3]]),
        ([[1]], True, []),
    ],
)
def test_texts_are_packed_into_windows(texts, prepend_bos, windows):
    assert list(packed(texts, 3, BOS, prepend_bos)) == windows


def test_without_such_a_token_texts_follow_each_other():
    assert list(packed([[1, 2], [3, 4, 5]], 2, None, True)) == [[1, 2], [3, 4]]


def arrivals(lengths):
    rows = np.arange(sum(lengths), dtype=np.float32)[:, None] * np.ones(3, dtype=np.float32)
    return iter(np.split(rows, np.cumsum(lengths)[:-1]))


def test_every_row_comes_once_and_in_another_order():
    batches = list(shuffled(arrivals([7, 1, 30, 2, 60]), 3, 5, 20, seed=1))
    assert len(batches) == (100 - 20) // 5 + 1 and all(batch.shape == (5, 3) for batch in batches)
    numbers = np.concatenate(batches)[:, 0]
    assert len(set(numbers)) == len(numbers) and not np.array_equal(numbers, np.sort(numbers))
    assert all(number < 20 + 5 * place for place, batch in enumerate(batches) for number in batch[:, 0])


def test_the_order_depends_on_the_seed_and_not_on_how_rows_arrive():
    one, again, other = (
        np.concatenate(list(shuffled(arrivals(lengths), 3, 5, 20, seed)))
        for lengths, seed in (([100], 1), ([33, 33, 34], 1), ([100], 2))
    )
    np.testing.assert_array_equal(one, again)
    assert not np.array_equal(one, other)


def test_batches_are_the_takers_own():
    first, second = itertools.islice(shuffled(arrivals([30]), 3, 5, 5, seed=1), 2)
    kept = first.copy()
    second[:] = -1
    np.testing.assert_array_equal(first, kept)


class Clock:
    """Time that passes when a test says so."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def test_what_is_made_is_taken_in_order_and_then_the_error_comes_whenever_asked():
    pipe = Pipe(2)
    assert pipe.put("a") and pipe.put("b")
    pipe.fail(ValueError("no more"))
    assert (pipe.get(), pipe.get(), pipe.taken) == ("a", "b", 2)
    for _ in range(2):
        with pytest.raises(ValueError, match="no more"):
            pipe.get()


def test_a_maker_waits_until_there_is_room():
    pipe = Pipe(1)
    pipe.put(0)
    made = []
    maker = threading.Thread(target=lambda: made.append(pipe.put(1)))
    maker.start()
    assert not made and pipe.get() == 0 and pipe.get() == 1
    maker.join(30)
    assert made == [True]


def test_closing_ends_both_sides():
    pipe = Pipe(1)
    pipe.put(0)
    made = []
    maker = threading.Thread(target=lambda: made.append(pipe.put(1)))
    maker.start()
    pipe.close()
    maker.join(30)
    assert made == [False] and not pipe.put(2)
    with pytest.raises(StopIteration):
        pipe.get()


def test_waiting_is_counted_from_the_first_thing_on():
    clock = Clock()
    pipe = Pipe(4, clock=clock)
    real = pipe._changed.wait_for

    def wait(seconds):
        def waits(condition, *_):
            clock.now += seconds
            return real(condition, 0)

        pipe._changed.wait_for = waits

    pipe.put("a"), pipe.put("b"), pipe.put("c")
    assert pipe.waiting_share == 0
    wait(5.0)
    pipe.get()
    assert pipe.first_wait == 5 and pipe.waiting_share == 0
    clock.now += 2  # the taker works
    wait(1.0)
    pipe.get()
    assert pipe.waiting_share == pytest.approx(1 / 3)
    clock.now += 1
    wait(0.0)
    pipe.get()
    assert pipe.waiting_share == pytest.approx(1 / 4) and pipe.first_wait == 5
