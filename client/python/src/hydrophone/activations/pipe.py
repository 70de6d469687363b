"""What one thread makes, another takes."""

from __future__ import annotations

import collections
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Pipe(Generic[T]):
    """At most `room` things that were made and not taken. Thread-safe, for one maker and one taker.

    `first_wait` is for how many seconds the taker waited for the first thing.
    """

    def __init__(self, room: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._room, self._clock = room, clock
        self._changed = threading.Condition()  # its lock is reentrant: a finalizer may close the pipe at any moment
        self._things: collections.deque[T] = collections.deque()
        self._error: BaseException | None = None
        self._closed = False
        self.taken = 0
        self.first_wait = 0.0
        self._waited = 0.0  # since the first thing
        self._first_at = self._last_at = 0.0  # when the first thing and the last one were taken

    def put(self, thing: T) -> bool:
        """Waits until there is room; False when nothing is taken any more."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or len(self._things) < self._room)
            if not self._closed:
                self._things.append(thing)
                self._changed.notify_all()
            return not self._closed

    def fail(self, error: BaseException) -> None:
        """What the taker gets, now and whenever it asks again, once it has taken what was made before."""
        with self._changed:
            self._error = error
            self._changed.notify_all()

    def get(self) -> T:
        """The next thing. StopIteration when the pipe is closed."""
        begun = self._clock()
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._things or self._error is not None)
            self._count(begun)
            if self._closed:
                raise StopIteration
            if not self._things:
                assert self._error is not None
                raise self._error
            self.taken += 1
            self._changed.notify_all()
            return self._things.popleft()

    def close(self) -> None:
        """Nothing is taken any more. What is in the pipe is let go."""
        with self._changed:
            self._closed = True
            self._things.clear()
            self._changed.notify_all()

    @property
    def waiting_share(self) -> float:
        """The share of the time since the first thing was taken that the taker has waited; 0 before."""
        return self._waited / max(self._last_at - self._first_at, 1e-9)

    def wait_closed(self, seconds: float) -> None:
        """Waits for this long, or until the pipe is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed, seconds)

    def _count(self, begun: float) -> None:
        """Notes when a thing is taken that the taker asked for at `begun`."""
        self._last_at = self._clock()
        if self.taken:
            self._waited += self._last_at - begun
        else:
            self.first_wait, self._first_at = self._last_at - begun, self._last_at
