"""Rows in another order, by a buffer."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from hydrophone.wire.tensors import Array


def shuffled(arrivals: Iterator[Array], width: int, batch_size: int, size: int, seed: int) -> Iterator[Array]:
    """Batches, float32 [batch_size, width], of rows drawn at random from a buffer of `size` rows; the next rows to
    arrive take their places. No row is lost, and none comes twice. The first batch comes when the buffer is full.

    Of equal rows and an equal seed the batches are equal, whatever arrays the rows arrive in. A row is copied twice:
    into the buffer, and into its batch.
    """
    random = np.random.Generator(np.random.PCG64(seed))
    buffer = np.empty((size, width), dtype=np.float32)
    rows = _Rows(arrivals)
    places = np.arange(size)
    while rows.fill(buffer, places):
        places = random.choice(size, batch_size, replace=False)
        yield buffer[places]


class _Rows:
    """Rows that arrive in arrays of any length."""

    def __init__(self, arrivals: Iterator[Array]) -> None:
        self._arrivals = arrivals
        self._rest: Array = np.zeros((0, 0))

    def fill(self, buffer: Array, places: Array) -> bool:
        """Puts the next rows into these places of a buffer. False when there are not as many."""
        filled = 0
        while filled < len(places):
            if not len(self._rest):
                arrived = next(self._arrivals, None)
                if arrived is None:
                    return False
                self._rest = arrived
            taken = self._rest[: len(places) - filled]
            buffer[places[filled : filled + len(taken)]] = taken
            self._rest = self._rest[len(taken) :]
            filled += len(taken)
        return True
