"""Carries operations out with plain grpc, in the caller's thread and, several at once, in a pool's threads."""

from __future__ import annotations

import concurrent.futures
import threading
from collections.abc import Generator
from typing import Any, TypeVar

import grpc

from hydrophone import errors
from hydrophone.connection import channels
from hydrophone.connection.operation import Call, Effect, Event, Operation, Read, Steps, Together

T = TypeVar("T")


class Driver:
    """Thread-safe. A call that an exception interrupts, Ctrl-C among them, is cancelled on the server."""

    def __init__(self, settings: channels.Settings) -> None:
        self._settings = settings
        self._channels = channels.Channels(settings, grpc)

    def close(self) -> None:
        for channel in self._channels.channels:
            channel.close()

    def run(self, operation: Operation[T], calls: OpenCalls | None = None) -> T:
        """Carries an operation out. `calls`, given by the caller, let another thread cancel it."""
        return self._run(operation, OpenCalls() if calls is None else calls)  # type: ignore[no-any-return]

    def read(self, effect: Read) -> Generator[Event, None, None]:
        """The events of a stream as they come; an iteration that is given up cancels the call."""
        return self._read(effect, OpenCalls())

    def _run(self, operation: Operation[Any], calls: OpenCalls) -> Any:
        steps = Steps(operation)
        while not steps.ended:
            try:
                answer = self._perform(steps.effect, calls)
            except errors.HydrophoneError as error:
                steps.fail(error)
            else:
                steps.give(answer)
        return steps.result

    def _perform(self, effect: Effect, calls: OpenCalls) -> Any:
        if isinstance(effect, Call):
            return self._call(effect, calls)
        if isinstance(effect, Read):
            return list(self._read(effect, calls))
        return self._together(effect, calls)

    def _call(self, effect: Call, calls: OpenCalls) -> Any:
        failure: errors.HydrophoneError | None = None
        for channel in self._channels.in_turn():
            method = channels.unary(channel, effect.method, effect.request, effect.response)
            call = method.future(effect.request, timeout=self._settings.timeout, metadata=self._settings.metadata)
            with calls.open(call):
                try:
                    return call.result()
                except (grpc.RpcError, grpc.FutureCancelledError) as error:
                    failure = _failure(error)
            if not isinstance(failure, errors.Unavailable):
                break
        assert failure is not None
        raise failure

    def _read(self, effect: Read, calls: OpenCalls) -> Generator[Event, None, None]:
        failure: errors.HydrophoneError | None = None
        for channel in self._channels.in_turn():
            method, assembler = channels.stream(channel, effect.method, effect.request), effect.assembler()
            call = method(effect.request, timeout=self._settings.timeout, metadata=self._settings.metadata)
            with calls.open(call):
                try:
                    for message in call:
                        yield from assembler.add(message)
                    assembler.finish()
                    return
                except grpc.RpcError as error:
                    failure = _failure(error)
            if assembler.started or not isinstance(failure, errors.Unavailable):
                break
        assert failure is not None
        raise failure

    def _together(self, effect: Together, outer: OpenCalls) -> list[Any]:
        calls = OpenCalls()
        pool = concurrent.futures.ThreadPoolExecutor(effect.at_once, thread_name_prefix="hydrophone")
        with outer.open(calls):  # operations within operations are cancelled with them
            try:
                futures = [pool.submit(self._run, operation, calls) for operation in effect.operations]
                places = {future: place for place, future in enumerate(futures)}
                for future in concurrent.futures.as_completed(futures):
                    future.result()
                    if effect.done is not None:
                        effect.done(places[future])
                return [future.result() for future in futures]
            finally:  # after an error, or Ctrl-C: nothing more is sent, and what is under way is cancelled
                calls.cancel()
                pool.shutdown(cancel_futures=True)


class OpenCalls:
    """The calls that are under way, or other OpenCalls, so that another thread can cancel them. Thread-safe, also for a
    finalizer that the garbage collector runs in the middle of a method."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._calls: set[Any] = set()
        self._cancelled = False

    def open(self, call: Any) -> _OpenCall:
        with self._lock:
            self._calls.add(call)
            cancelled = self._cancelled
        if cancelled:
            call.cancel()
        return _OpenCall(self, call)

    def end(self, call: Any) -> None:
        call.cancel()  # without effect on a call that has ended
        with self._lock:
            self._calls.discard(call)

    def cancel(self) -> None:
        with self._lock:
            self._cancelled = True
            calls = list(self._calls)
        for call in calls:
            call.cancel()


class _OpenCall:
    def __init__(self, calls: OpenCalls, call: Any) -> None:
        self._calls = calls
        self._call = call

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        self._calls.end(self._call)


def _failure(error: Any) -> errors.HydrophoneError:
    if isinstance(error, grpc.FutureCancelledError):
        return errors.Cancelled("the call was cancelled")
    return errors.from_call(error)
