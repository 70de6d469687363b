"""Methods of the two clients, made of operations: signature, types and docstring stand once, at the operation."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from hydrophone.connection.operation import Operation

P = ParamSpec("P")
T = TypeVar("T")
S = TypeVar("S")


class Blocking(Protocol):
    """A client that carries operations out before it returns."""

    @property
    def session(self) -> Any: ...
    def run(self, operation: Operation[T]) -> T: ...


class Awaiting(Protocol):
    """A client whose operations are awaited."""

    @property
    def session(self) -> Any: ...
    async def run(self, operation: Operation[T]) -> T: ...


def blocking(operation: Callable[Concatenate[S, P], Operation[T]]) -> Callable[Concatenate[Blocking, P], T]:
    @functools.wraps(operation)
    def method(client: Blocking, /, *arguments: P.args, **options: P.kwargs) -> T:
        return client.run(operation(client.session, *arguments, **options))

    return method


def awaiting(operation: Callable[Concatenate[S, P], Operation[T]]) -> Callable[Concatenate[Awaiting, P], Awaitable[T]]:
    @functools.wraps(operation)
    async def method(client: Awaiting, /, *arguments: P.args, **options: P.kwargs) -> T:
        return await client.run(operation(client.session, *arguments, **options))

    return method


def receives(function: Callable[..., Any], like: Callable[..., Any]) -> None:
    """Shows `function`, in help and in notebooks, as `like` with a first parameter that `like` does not have."""
    signature = inspect.signature(like)
    first = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    parameters = [first, *signature.parameters.values()]
    function.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
