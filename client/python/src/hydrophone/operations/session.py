"""What a client remembers of its server from one operation to the next."""

from __future__ import annotations

from typing import Any

from hydrophone.connection.operation import Call, Operation
from hydrophone.errors import InvalidArgument
from hydrophone.proto import v1
from hydrophone.results.records import HookPoint, ModelInfo, read, read_model


class Session:
    """`in_flight`: how many requests of one operation are under way at once. `progress`: whether long ones show a
    bar."""

    def __init__(self, in_flight: int, progress: bool) -> None:
        if in_flight < 1:
            raise InvalidArgument.of("in_flight", f"got {in_flight}, expected at least 1")
        self.in_flight = in_flight
        self.progress = progress
        self.described: tuple[Any, ModelInfo] | None = None  # GetModel's Limits message, and all of it as a record

    def quiet(self) -> Session:
        """The same without progress bars, for operations that are a part of another."""
        session = Session(self.in_flight, False)
        session.described = self.described
        return session


def describe(session: Session) -> Operation[tuple[Any, ModelInfo]]:
    """The Limits message and the model, asked once."""
    if session.described is None:
        response = yield Call("GetModel", v1.GetModelRequest(), v1.GetModelResponse)
        session.described = response.limits, read_model(response)
    return session.described


def model(session: Session) -> Operation[ModelInfo]:
    """What the server loaded, how it computes, and every limit in force.

    >>> client.model().n_layer
    12
    """
    response = yield Call("GetModel", v1.GetModelRequest(), v1.GetModelResponse)
    session.described = response.limits, read_model(response)
    return session.described[1]


def hook_points(session: Session) -> Operation[list[HookPoint]]:
    """Every named place of the forward pass, in the order in which it is computed.

    >>> [point.name for point in client.hook_points()][:2]
    ['hook_embed', 'hook_pos_embed']
    """
    response = yield Call("ListHookPoints", v1.ListHookPointsRequest(), v1.ListHookPointsResponse)
    return [read(HookPoint, each) for each in response.hook_points]
