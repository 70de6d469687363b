"""Carries operations out with grpc.aio."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any, TypeVar

import grpc
import grpc.aio

from hydrophone import errors
from hydrophone.connection import channels
from hydrophone.connection.operation import Call, Effect, Event, Operation, Read, Steps, Together

T = TypeVar("T")


class Driver:
    """For one event loop. A task that is cancelled cancels its calls on the server."""

    def __init__(self, settings: channels.Settings) -> None:
        self._settings = settings
        self._made: channels.Channels | None = None

    @property
    def _channels(self) -> channels.Channels:
        if self._made is None:  # aio's channels belong to the loop that runs when they are made
            self._made = channels.Channels(self._settings, grpc.aio)
        return self._made

    async def close(self) -> None:
        for channel in self._made.channels if self._made is not None else ():
            await channel.close()

    async def run(self, operation: Operation[T]) -> T:
        steps = Steps(operation)
        while not steps.ended:
            try:
                answer = await self._perform(steps.effect)
            except errors.HydrophoneError as error:
                steps.fail(error)
            else:
                steps.give(answer)
        return steps.result  # type: ignore[no-any-return]

    async def read(self, effect: Read) -> AsyncGenerator[Event, None]:
        """The events of a stream as they come; an iteration that is given up cancels the call."""
        failure: errors.HydrophoneError | None = None
        for channel in self._channels.in_turn():
            method, assembler = channels.stream(channel, effect.method, effect.request), effect.assembler()
            call = method(effect.request, timeout=self._settings.timeout, metadata=self._settings.metadata)
            try:
                async for message in call:
                    for event in assembler.add(message):
                        yield event
                assembler.finish()
                return
            except grpc.RpcError as error:
                failure = errors.from_call(error)
            finally:
                call.cancel()
            if assembler.started or not isinstance(failure, errors.Unavailable):
                break
        assert failure is not None
        raise failure

    async def _perform(self, effect: Effect) -> Any:
        if isinstance(effect, Call):
            return await self._call(effect)
        if isinstance(effect, Read):
            return [event async for event in self.read(effect)]
        return await self._together(effect)

    async def _call(self, effect: Call) -> Any:
        failure: errors.HydrophoneError | None = None
        for channel in self._channels.in_turn():
            method = channels.unary(channel, effect.method, effect.request, effect.response)
            call = method(effect.request, timeout=self._settings.timeout, metadata=self._settings.metadata)
            try:
                return await call
            except grpc.RpcError as error:
                failure = errors.from_call(error)
            if not isinstance(failure, errors.Unavailable):
                break
        assert failure is not None
        raise failure

    async def _together(self, effect: Together) -> list[Any]:
        turns = asyncio.Semaphore(effect.at_once)

        async def run(place: int, operation: Operation[Any]) -> Any:
            async with turns:
                result = await self.run(operation)
            if effect.done is not None:
                effect.done(place)
            return result

        tasks = [asyncio.ensure_future(run(place, operation)) for place, operation in enumerate(effect.operations)]
        try:
            return await asyncio.gather(*tasks)
        finally:  # after an error, nothing more is sent, and what is under way is cancelled
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
