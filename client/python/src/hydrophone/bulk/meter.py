"""How far a job is: tokens and bytes a second, and the time that is left."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import IO

_ON_TERMINAL_SECONDS = 0.5
_ELSEWHERE_SECONDS = 30.0


class Meter:
    """Writes a line to `out` (None: standard error) now and then, and the last one in any case. `there` of `texts`
    texts were done before. For one thread at a time."""

    def __init__(
        self,
        texts: int,
        there: int,
        *,
        shown: bool = True,
        out: IO[str] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._texts, self._there = texts, there
        self._out = out or sys.stderr
        self._shown, self._clock = shown, clock
        self._begun = self._written = clock()
        self._done = self._tokens = self._bytes = 0
        self._terminal = self._out.isatty()

    def add(self, texts: int, tokens: int, data_bytes: int) -> None:
        """Counts a shard that was written."""
        self._done += texts
        self._tokens += tokens
        self._bytes += data_bytes
        wait = _ON_TERMINAL_SECONDS if self._terminal else _ELSEWHERE_SECONDS
        ended = self._there + self._done == self._texts
        if self._shown and (ended or self._clock() - self._written >= wait):
            self._written = self._clock()
            end = "\n" if ended or not self._terminal else ""
            self._out.write(f"{chr(13) if self._terminal else ''}{self.line()}{end}")
            self._out.flush()

    def line(self) -> str:
        """ "1,024 of 4,096 texts, 12,800 tokens/s, 1.5 GB, 0:07 left"."""
        seconds = max(self._clock() - self._begun, 1e-9)
        left = seconds / self._done * (self._texts - self._there - self._done) if self._done else 0.0
        return (
            f"{self._there + self._done:,} of {self._texts:,} texts, {self._tokens / seconds:,.0f} tokens/s, "
            f"{size(self._bytes)}, {_time(left)} left"
        )


def size(count: float) -> str:
    """1536 bytes are "1.5 kB"."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:,.3g} TB"


def _time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
