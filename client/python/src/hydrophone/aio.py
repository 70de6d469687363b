"""The asyncio client: hp.aio.Client has hp.Client's methods, to be awaited.

async with hp.aio.Client("lab:50051") as client:
    r = await client.extract("Hello world", "attn.c_proj", layers=10)
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import Concatenate, ParamSpec, TypeVar

from hydrophone import operations
from hydrophone.connected import Connected
from hydrophone.connection import channels
from hydrophone.connection.awaiting import Driver
from hydrophone.connection.methods import awaiting, receives
from hydrophone.connection.operation import Operation
from hydrophone.errors import InvalidArgument
from hydrophone.operations.extract import Arrivals, make_plan
from hydrophone.requests import extraction
from hydrophone.requests.extraction import Extraction
from hydrophone.results.capture import Capture

P = ParamSpec("P")
T = TypeVar("T")


def _streaming(asking: Callable[P, Extraction]) -> Callable[Concatenate[Client, P], AsyncIterator[Capture]]:
    @functools.wraps(asking)
    async def stream(client: Client, /, *arguments: P.args, **options: P.kwargs) -> AsyncIterator[Capture]:
        asked = asking(*arguments, **options)
        arrivals = Arrivals(await client.run(make_plan(client.session, asked)))
        while (request := arrivals.next()) is not None:
            try:
                async with contextlib.aclosing(client.driver.read(request)) as events:
                    async for event in events:
                        if (capture := arrivals.capture(event)) is not None:
                            yield capture
            except InvalidArgument as error:
                arrivals.refused(error)

    receives(stream, asking)
    return stream


class Client(Connected[Driver]):
    """hp.Client for asyncio: the same arguments, methods and errors. For one event loop; an async context manager. A
    task that is cancelled cancels its calls on the server."""

    def _drive(self, settings: channels.Settings) -> Driver:
        return Driver(settings)

    model = awaiting(operations.model)
    hook_points = awaiting(operations.hook_points)
    tokenize = awaiting(operations.tokenize)
    detokenize = awaiting(operations.detokenize)
    extract = awaiting(operations.extract)
    stream = _streaming(extraction.extract)
    generate = awaiting(operations.generate)
    logit_lens = awaiting(operations.logit_lens)
    patch_grid = awaiting(operations.patch_grid)
    parameters = awaiting(operations.parameters)
    list_parameters = awaiting(operations.list_parameters)
    verify = awaiting(operations.verify)
    decompose_resid = awaiting(operations.decompose_resid)
    accumulated_resid = awaiting(operations.accumulated_resid)
    stack_head_results = awaiting(operations.stack_head_results)
    logit_attrs = awaiting(operations.logit_attrs)
    max_activating = awaiting(operations.max_activating)

    async def run(self, operation: Operation[T]) -> T:
        """Carries an operation out."""
        return await self.driver.run(operation)

    async def close(self) -> None:
        """Closes the connections. Calls that are under way are cancelled."""
        await self.driver.close()

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"hydrophone.aio.Client({self.address!r})"
