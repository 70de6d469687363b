"""What goes wrong, as exceptions.

HydrophoneError
  InvalidArgument    an argument was wrong; `argument` says which (also a ValueError)
    TooLarge         the request is beyond one of the server's limits
  Precondition       the model or its numerics are others than the caller stated, or there is no tokenizer
  NotBuilt           the server does not have what was asked for
  AccessDenied       no token, an unknown one, or one without the right
  Busy               the server had no room for the call, also after it was repeated (RESOURCE_EXHAUSTED)
  Unavailable        no server answered, or it is about to stop (also a ConnectionError)
  DeadlineExceeded   the call took longer than `timeout` (also a TimeoutError)
  Cancelled          the call was cancelled
  DamagedStream      an answer was cut or damaged on its way; nothing of it is returned
  ServerError        a fault of the server
  DiskFull           there is no room for a file; what was there before is whole (also an OSError)
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from typing import Any

import grpc

from hydrophone.proto import rpc

# The metadata in which gRPC sends a google.rpc.Status, and the name by which an operator finds a call in the log.
_DETAILS = "grpc-status-details-bin"
_REQUEST_ID = "x-request-id"


@dataclasses.dataclass(frozen=True)
class Violation:
    """One thing that was wrong: which argument (in the server's answer a field's path), and how."""

    argument: str
    description: str

    def __str__(self) -> str:
        return f"{self.argument}: {self.description}" if self.argument else self.description


class HydrophoneError(Exception):
    """The base of all errors of this package.

    `reason` is the server's own word for the kind ("TOO_LARGE", "OVERLOADED", ...; "" when no server said one),
    `retry_after` the seconds after which the same call may succeed (None: unknown), and `request_id` finds the call in
    the server's log ("" when it was not sent).
    """

    def __init__(
        self, message: str, *, reason: str = "", retry_after: float | None = None, request_id: str = ""
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.retry_after = retry_after
        self.request_id = request_id


class InvalidArgument(HydrophoneError, ValueError):
    """An argument was wrong. `argument` names the first one, `violations` lists all that are known."""

    def __init__(self, message: str, *, violations: Iterable[Violation] = (), **facts: Any) -> None:
        super().__init__(message, **facts)
        self.violations = tuple(violations)

    @property
    def argument(self) -> str:
        return self.violations[0].argument if self.violations else ""

    @classmethod
    def of(cls, argument: str, description: str) -> InvalidArgument:
        """The error of one argument that this package refuses by itself."""
        violation = Violation(argument, description)
        return cls(str(violation), violations=[violation])

    def reworded(self, words: Callable[[Violation], Violation]) -> InvalidArgument:
        """The same error with its violations in other words; those that become alike are said once."""
        if not self.violations:
            return self
        violations = tuple(dict.fromkeys(words(each) for each in self.violations))
        facts = {"reason": self.reason, "retry_after": self.retry_after, "request_id": self.request_id}
        return type(self)("\n".join(map(str, violations)), violations=violations, **facts)


class TooLarge(InvalidArgument):
    """The request is beyond one of the server's limits; waiting does not help."""


class Precondition(HydrophoneError):
    """The server's model, numerics or files are not what the request needs."""


class NotBuilt(HydrophoneError):
    """The server does not have what was asked for."""


class AccessDenied(HydrophoneError):
    """The server wants a token that it knows, or one with other rights."""


class Busy(HydrophoneError):
    """The server had no room for the call, also after it was repeated."""


class Unavailable(HydrophoneError, ConnectionError):
    """No server answered, or it is about to stop."""


class DeadlineExceeded(HydrophoneError, TimeoutError):
    """The call took longer than `timeout`."""


class Cancelled(HydrophoneError):
    """The call was cancelled."""


class DamagedStream(HydrophoneError):
    """An answer was cut or damaged on its way. Nothing of it is returned."""


class ServerError(HydrophoneError):
    """A fault of the server."""


class DiskFull(HydrophoneError, OSError):
    """There is no room for a file. What was there before is whole, and nothing of the new file is left."""


_BY_CODE: dict[Any, type[HydrophoneError]] = {
    grpc.StatusCode.INVALID_ARGUMENT: InvalidArgument,
    grpc.StatusCode.FAILED_PRECONDITION: Precondition,
    grpc.StatusCode.UNIMPLEMENTED: NotBuilt,
    grpc.StatusCode.UNAUTHENTICATED: AccessDenied,
    grpc.StatusCode.PERMISSION_DENIED: AccessDenied,
    grpc.StatusCode.RESOURCE_EXHAUSTED: Busy,
    grpc.StatusCode.UNAVAILABLE: Unavailable,
    grpc.StatusCode.DEADLINE_EXCEEDED: DeadlineExceeded,
    grpc.StatusCode.CANCELLED: Cancelled,
    grpc.StatusCode.DATA_LOSS: DamagedStream,
}


def from_call(error: Any) -> HydrophoneError:
    """The exception for a grpc.RpcError, or an aio one, with what the server attached to it."""
    metadata = dict(error.trailing_metadata() or ())
    details = _details(metadata.get(_DETAILS, b""))
    reason = details["ErrorInfo"].reason if "ErrorInfo" in details else ""
    facts: dict[str, Any] = {"reason": reason, "request_id": metadata.get(_REQUEST_ID, "")}
    if "RetryInfo" in details:
        delay = details["RetryInfo"].retry_delay
        facts["retry_after"] = delay.seconds + delay.nanos / 1e9
    kind = TooLarge if reason == "TOO_LARGE" else _BY_CODE.get(error.code(), ServerError)
    if issubclass(kind, InvalidArgument):
        violations = details["BadRequest"].field_violations if "BadRequest" in details else ()
        return kind(error.details(), violations=[Violation(v.field, v.description) for v in violations], **facts)
    return kind(error.details() or str(error.code()), **facts)


def _details(serialized: bytes) -> dict[str, Any]:
    """The details of a google.rpc.Status that this package reads, by the name of their type."""
    found = {}
    for detail in rpc.Status.FromString(serialized).details:
        name = detail.type_url.rpartition(".")[2]
        if name in ("BadRequest", "RetryInfo", "ErrorInfo"):
            found[name] = getattr(rpc, name).FromString(detail.value)
    return found
