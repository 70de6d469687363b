"""The blocking client."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Concatenate, ParamSpec, TypeVar

from hydrophone import operations
from hydrophone.connected import Connected
from hydrophone.connection import channels
from hydrophone.connection.blocking import Driver
from hydrophone.connection.methods import blocking, receives
from hydrophone.connection.operation import Operation
from hydrophone.errors import InvalidArgument
from hydrophone.operations.extract import Arrivals, make_plan
from hydrophone.requests import extraction
from hydrophone.requests.extraction import Extraction
from hydrophone.results.capture import Capture

P = ParamSpec("P")
T = TypeVar("T")


def _streaming(asking: Callable[P, Extraction]) -> Callable[Concatenate[Client, P], Iterator[Capture]]:
    @functools.wraps(asking)
    def stream(client: Client, /, *arguments: P.args, **options: P.kwargs) -> Iterator[Capture]:
        asked = asking(*arguments, **options)
        arrivals = Arrivals(client.run(make_plan(client.session, asked)))
        while (request := arrivals.next()) is not None:
            try:
                with contextlib.closing(client.driver.read(request)) as events:
                    for event in events:
                        if (capture := arrivals.capture(event)) is not None:
                            yield capture
            except InvalidArgument as error:
                arrivals.refused(error)

    stream.__doc__ = """extract's captures, one by one as they arrive: layer by layer, as the model computes them.

    Takes extract's arguments. An iteration that is given up cancels the request on the server. In the rows layout, each
    request has arrays of its own inputs' rows.

    >>> for capture in client.stream("Hello world", "resid_post", layers=[0, 1]):
    ...     print(capture.name, capture.array.shape)
    blocks.0.hook_resid_post (2, 64)
    blocks.1.hook_resid_post (2, 64)
    """
    receives(stream, asking)
    return stream


class Client(Connected[Driver]):
    """Asks one server, or several that take requests in turn. Thread-safe; also a context manager.

    `address` is HOST:PORT, or several of them; without it HYDROPHONE_SERVER has it, or else it is 127.0.0.1:50051.
    `tls` is True or an hp.Tls; `token`, or the file `token_file`, or HYDROPHONE_TOKEN, holds a caller's token, which
    goes to another machine over TLS alone unless `insecure`. `timeout` is for each request, in seconds, from its start
    to its last byte. `in_flight` requests of one call are under way at once. `progress` shows a bar
    (hydrophone[progress]) for calls of more than two seconds.

    A call that the server refuses because it is busy is repeated, up to five times in all, after the time that the
    server names. Answers are checked: every checksum, every announced count; a stream that is cut raises DamagedStream
    or Unavailable. A call that Ctrl-C interrupts is cancelled on the server.
    """

    def _drive(self, settings: channels.Settings) -> Driver:
        return Driver(settings)

    model = blocking(operations.model)
    hook_points = blocking(operations.hook_points)
    tokenize = blocking(operations.tokenize)
    detokenize = blocking(operations.detokenize)
    extract = blocking(operations.extract)
    stream = _streaming(extraction.extract)
    generate = blocking(operations.generate)
    logit_lens = blocking(operations.logit_lens)
    patch_grid = blocking(operations.patch_grid)
    parameters = blocking(operations.parameters)
    list_parameters = blocking(operations.list_parameters)
    verify = blocking(operations.verify)
    decompose_resid = blocking(operations.decompose_resid)
    accumulated_resid = blocking(operations.accumulated_resid)
    stack_head_results = blocking(operations.stack_head_results)
    logit_attrs = blocking(operations.logit_attrs)
    max_activating = blocking(operations.max_activating)

    def run(self, operation: Operation[T]) -> T:
        """Carries an operation out."""
        return self.driver.run(operation)

    def close(self) -> None:
        """Closes the connections. Calls that are under way are cancelled."""
        self.driver.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"hydrophone.Client({self.address!r})"


def check_blocking(client: object) -> None:
    """Refuses an asyncio client, of which bulk, replay, explain, report and activations are not built."""
    if isinstance(client, Connected) and not isinstance(client, Client):
        raise InvalidArgument.of("client", "got an asyncio client, expected hp.Client: this is not built for asyncio")
