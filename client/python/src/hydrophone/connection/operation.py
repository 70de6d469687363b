"""What the blocking and the asyncio client share: operations that say what to call, and leave the waiting to a driver.

An operation is a generator. It yields a Call, a Read or a Together, is sent what came of it (or thrown the error), and
returns its result. A driver (blocking.py, awaiting.py) makes the calls.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Generator, Sequence
from typing import Any, TypeVar

from hydrophone.errors import HydrophoneError
from hydrophone.wire.streams import Event, StreamAssembler

T = TypeVar("T")


@dataclasses.dataclass(frozen=True)
class Call:
    """A call that one message answers; gives the message."""

    method: str
    request: Any
    response: type[Any]


@dataclasses.dataclass(frozen=True)
class Read:
    """A call that a stream answers; gives all its events. Each attempt has an assembler of its own."""

    method: str
    request: Any
    assembler: Callable[[], StreamAssembler]


@dataclasses.dataclass(frozen=True)
class Together:
    """Operations to carry out, at most `at_once` at a time; gives their results in order.

    `done` is called with the place of each one that has ended, in the order in which they end, by one thread at a time.
    """

    operations: Sequence[Operation[Any]]
    at_once: int
    done: Callable[[int], None] | None = None


Effect = Call | Read | Together
Operation = Generator[Effect, Any, T]


class Steps:
    """Goes through an operation step by step: `effect` is what it wants now, until `ended`."""

    def __init__(self, operation: Operation[Any]) -> None:
        self._operation = operation
        self.effect: Effect
        self.ended = False
        self.result: Any = None
        self._go(lambda: next(operation))

    def give(self, answer: Any) -> None:
        self._go(lambda: self._operation.send(answer))

    def fail(self, error: HydrophoneError) -> None:
        self._go(lambda: self._operation.throw(error))

    def close(self) -> None:
        self._operation.close()

    def _go(self, step: Callable[[], Effect]) -> None:
        try:
            self.effect = step()
        except StopIteration as stop:
            self.ended, self.result = True, stop.value


__all__ = ["Call", "Effect", "Event", "Operation", "Read", "Steps", "Together"]
