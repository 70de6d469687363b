"""Asks again while no server answers, for as long as the caller has patience."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from hydrophone.connection.operation import Operation
from hydrophone.errors import Busy, DamagedStream, DeadlineExceeded, Unavailable

T = TypeVar("T")

# What may be otherwise a minute later.
RETRIED = (Unavailable, Busy, DeadlineExceeded, DamagedStream)

_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 2.0


class Patience:
    """`seconds` without an answer are waited for. Thread-safe."""

    def __init__(
        self,
        seconds: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._seconds = seconds
        self._clock, self._sleep = clock, sleep

    def ask(self, operation: Callable[[], Operation[T]]) -> Operation[T]:
        """Carries the operation out, from its start again when a server is gone, busy or cut off in between."""
        failed_since: float | None = None
        pause = _FIRST_PAUSE_SECONDS
        while True:
            try:
                return (yield from operation())
            except RETRIED as error:
                now = self._clock()
                failed_since = now if failed_since is None else failed_since
                if now - failed_since + pause > self._seconds:
                    raise type(error)(f"no answer, tried for {self._seconds:g} s: {error}") from error
            self._sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
