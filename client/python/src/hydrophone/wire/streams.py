"""Puts the messages of an answer together, and notices when the stream is damaged or cut.

An assembler takes serialized messages one by one and gives what each completes, as (kind, value). It is for one
attempt of one call; `started` says whether the server had accepted the call, so that it must not be made again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from google.protobuf.message import DecodeError

from hydrophone.errors import DamagedStream
from hydrophone.proto import v1
from hydrophone.wire.chunk_message import read_chunk
from hydrophone.wire.tensors import TensorAssembler, mismatch, misplaced

# ("header", Header), ("input", InputInfo), ("tensor", (TensorInfo, array)), ("values", Values), ("trailer", Trailer)
Event = tuple[str, Any]


class StreamAssembler:
    """What Extract's and GetParameters' streams have in common: a header, chunks, and a trailer."""

    response: Any

    def __init__(self, empty: bool = False) -> None:
        """`empty`: only header and inputs are to come, as with validate_only and list_only."""
        self._empty = empty
        self._header: Any = None
        self._tensors = TensorAssembler(0, 0)
        self._finished = False

    @property
    def started(self) -> bool:
        return self._header is not None

    def add(self, message: bytes) -> Iterator[Event]:
        """Takes the next message. DamagedStream says what was got and what was expected."""
        if self._finished:
            raise misplaced("a message after the trailer")
        found = read_chunk(message)
        if found is not None:
            return self._add_chunk(*found)
        try:
            response = self.response.FromString(message)
        except DecodeError:
            raise misplaced(f"a message that is no {self.response.DESCRIPTOR.name}") from None
        part = response.WhichOneof("part")
        if part == "chunk":
            return self._add_chunk(response.chunk, memoryview(response.chunk.data))
        if part is None:
            raise misplaced("a message of a kind that this client does not know")
        return self._add_part(part, getattr(response, part))

    def finish(self) -> None:
        """To be called when the stream has ended without an error."""
        if self._finished:
            return
        if self._header is None:
            raise DamagedStream("cut stream: it ended before its header")
        raise DamagedStream(f"cut stream: it ended without a trailer, after {self._progress()}")

    def _progress(self) -> str:
        return self._tensors.progress()

    def _add_part(self, part: str, value: Any) -> Iterator[Event]:
        if part == "header":
            if self._header is not None:
                raise misplaced("a second header")
            self._header = value
            self._tensors = TensorAssembler(value.tensors, value.data_bytes)
        elif self._header is None:
            raise misplaced("the first message is not the header")
        elif part == "trailer":
            self._add_trailer(value)
        yield part, value

    def _add_trailer(self, trailer: Any) -> None:
        if not self._empty:
            self._tensors.finish(trailer.tensors, trailer.data_bytes)
        self._finished = True

    def _add_chunk(self, chunk: Any, data: memoryview) -> Iterator[Event]:
        self._check_capture_may_come()
        complete = self._tensors.add_chunk(chunk, data)
        if complete is not None:
            yield "tensor", complete

    def _check_capture_may_come(self) -> None:
        if self._header is None:
            raise misplaced("the first message is not the header")
        if self._empty:
            raise misplaced("a capture in an answer that was to have none")


class ExtractAssembler(StreamAssembler):
    """Checks the order Header, InputInfos, captures, Trailer as well."""

    response = v1.ExtractResponse

    def __init__(self, empty: bool = False) -> None:
        super().__init__(empty)
        self._inputs = 0

    def _progress(self) -> str:
        return f"{self._inputs} of {self._header.inputs} inputs, {super()._progress()}"

    def _add_part(self, part: str, value: Any) -> Iterator[Event]:
        if self._header is not None:
            if part == "input":
                self._add_input(value)
            elif part == "values":
                self._check_capture_may_come()
                self._tensors.add_whole(value.tensor)
        yield from super()._add_part(part, value)

    def _add_input(self, info: Any) -> None:
        if self._inputs == self._header.inputs:
            raise mismatch("inputs", self._inputs + 1, self._header.inputs)
        if info.index != self._inputs:
            raise mismatch("an input's index", info.index, self._inputs)
        self._inputs += 1

    def _check_capture_may_come(self) -> None:
        super()._check_capture_may_come()
        if self._inputs != self._header.inputs:
            raise mismatch("inputs before the first capture", self._inputs, self._header.inputs)

    def _add_trailer(self, trailer: Any) -> None:
        if self._inputs != self._header.inputs:
            raise mismatch("inputs", self._inputs, self._header.inputs)
        super()._add_trailer(trailer)


class ParametersAssembler(StreamAssembler):
    """A ParametersHeader, tensors, a ParametersTrailer."""

    response = v1.GetParametersResponse
