"""extract: any number of inputs, in as many requests as the server's limits ask for."""

from __future__ import annotations

import dataclasses
import functools
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Concatenate, ParamSpec, TypeVar

from hydrophone.connection.methods import receives
from hydrophone.connection.operation import Event, Operation, Read, Together
from hydrophone.errors import InvalidArgument, TooLarge
from hydrophone.operations import tokens
from hydrophone.operations.progress import Progress
from hydrophone.operations.session import Session, describe
from hydrophone.requests import extraction, parts, split
from hydrophone.requests.extraction import Extraction
from hydrophone.requests.parts import Part
from hydrophone.requests.words import Words, shift, shifted
from hydrophone.results import capture as captures
from hydrophone.results.capture import Capture
from hydrophone.results.records import InputInfo, ModelInfo, Provenance, read
from hydrophone.results.result import Result, RunInfo
from hydrophone.wire.streams import ExtractAssembler

P = ParamSpec("P")
T = TypeVar("T")


def _operation(asking: Callable[P, Extraction]) -> Callable[Concatenate[Session, P], Operation[Result]]:
    @functools.wraps(asking)
    def extract(session: Session, /, *arguments: P.args, **options: P.kwargs) -> Operation[Result]:
        return carry_out(session, asking(*arguments, **options))

    receives(extract, asking)
    return extract


extract = _operation(extraction.extract)


def carry_out(session: Session, asked: Extraction) -> Operation[Result]:
    """Makes the requests, and one result of their answers."""
    return (yield from _carry_out(session, (yield from make_plan(session, asked))))


def repeat(session: Session, request: Any) -> Operation[Result]:
    """The result of a request that was made before."""
    return (yield from _carry_out(session, (yield from _plan(session, request, Words()))))


def _carry_out(session: Session, plan: Plan) -> Operation[Result]:
    sizes = [part.inputs for part in plan.parts]
    with Progress(session.progress, sum(sizes), "inputs") as progress:
        answers = yield Together(
            [_read_part(plan, piece) for piece in plan.pieces],
            session.in_flight,
            done=lambda place: progress.add(sizes[place]),
        )
    return _result(plan, [event for answer in answers for event in answer])


def renamed(operation: Operation[T], arguments: Mapping[str, str]) -> Operation[T]:
    """The operation, whose errors name its caller's arguments: `arguments` has them by the names that it knows."""
    try:
        return (yield from operation)
    except InvalidArgument as error:
        raise error.reworded(Words(arguments)) from None


@dataclasses.dataclass(frozen=True)
class Plan:
    """A call as requests: `pieces` have the smallest parts that go into each, `parts` these joined."""

    request: Any  # the whole
    words: Words
    pieces: list[list[Part]]
    model: ModelInfo

    @property
    def parts(self) -> list[Part]:
        return [parts.join(piece[0], piece[-1]) for piece in self.pieces]

    @property
    def runs(self) -> tuple[RunInfo, ...]:
        if not self.request.runs:
            return tuple(RunInfo(number, number, each.key) for number, each in enumerate(self.request.inputs))
        return tuple(RunInfo(number, run.input, run.key) for number, run in enumerate(self.request.runs))


def make_plan(session: Session, asked: Extraction) -> Operation[Plan]:
    _, model = yield from describe(session)
    known = yield from tokens.ids_of(asked.texts_of_tokens, "tokens" if not asked.metrics else "metrics")
    request, words = asked.request(known, model.n_layer)
    return (yield from _plan(session, request, words))


def _plan(session: Session, request: Any, words: Words) -> Operation[Plan]:
    limits, model = yield from describe(session)
    pieces = parts.smallest(request)
    if len(pieces) == 1:
        return Plan(request, words, [pieces], model)
    counted = [split.most_tokens(each, model.n_positions) for each in request.inputs]
    costs = split.costs(pieces, request, counted)
    if sum(cost.tokens for cost in costs) > limits.max_tokens_per_request:
        counted = yield from tokens.counts(session, request.inputs, counted)
        costs = split.costs(pieces, request, counted)
    common = parts.request_for(Part(0, 0, 0, 0), request).ByteSize()
    ranges = split.fill(costs, split.capacity(limits, common))
    return Plan(request, words, [pieces[each.start : each.stop] for each in ranges], model)


def read_of(plan: Plan, part: Part) -> Read:
    """The call that asks for a part."""
    request = parts.request_for(part, plan.request)
    return Read("Extract", request, functools.partial(ExtractAssembler, request.validate_only))


def reworded(plan: Plan, part: Part, error: InvalidArgument) -> InvalidArgument:
    """The server's refusal of a part, in the words of the whole call."""
    return error.reworded(lambda violation: plan.words(shift(violation, part.first_input, part.first_run)))


def _read_part(plan: Plan, piece: list[Part]) -> Operation[list[Event]]:
    """All events of a piece, numbered as the whole call. One that is too large is halved until it cannot be cut."""
    part = parts.join(piece[0], piece[-1])
    try:
        events = yield read_of(plan, part)
    except TooLarge as error:
        if len(piece) == 1:
            raise reworded(plan, part, error) from None
        half = len(piece) // 2
        first = yield from _read_part(plan, piece[:half])
        return first + (yield from _read_part(plan, piece[half:]))
    except InvalidArgument as error:
        raise reworded(plan, part, error) from None
    renumber = Renumbering(plan, part)
    return [renumber(event) for event in events]


class Renumbering:
    """Numbers one part's inputs and runs as the whole call does, and names the runs of rows."""

    def __init__(self, plan: Plan, part: Part) -> None:
        self._part = part
        self._runs = plan.runs[part.first_run : part.first_run + part.runs]
        self._skipped: set[int] = set()

    def __call__(self, event: Event) -> Event:
        kind, value = event
        if kind == "input":
            value.index += self._part.first_input
            value.skipped = shifted(value.skipped, self._part.first_input, self._part.first_run)
            if value.skipped:
                self._skipped.add(value.index)
        elif kind == "tensor":
            self._shift(value[0])
        elif kind == "values":
            self._shift(value.info)
            for score in value.scores:
                score.run += self._part.first_run
        return event

    def _shift(self, info: Any) -> None:
        runs = [run + self._part.first_run for run in info.runs]
        del info.runs[:]
        info.runs.extend(runs or [run.number for run in self._runs if run.input not in self._skipped])
        if info.HasField("baseline"):
            info.baseline += self._part.first_run


def capture_of(event: Event) -> Capture | None:
    """The capture that an event completes."""
    kind, value = event
    if kind == "tensor":
        return captures.of_tensor(*value)
    return captures.of_values(value) if kind == "values" else None


def _result(plan: Plan, events: list[Event]) -> Result:
    found: dict[tuple[Any, ...], list[Capture]] = {}
    for event in events:
        capture = capture_of(event)
        if capture is not None:  # rows of one point come from several requests; all else is one capture each
            runs = () if capture.rows else capture.runs
            found.setdefault((capture.selector, capture.name, capture.lens_logits, runs), []).append(capture)
    trailers = [value for kind, value in events if kind == "trailer"]
    headers = [value for kind, value in events if kind == "header"]
    return Result(
        inputs=tuple(read(InputInfo, value) for kind, value in events if kind == "input"),
        runs=plan.runs,
        captures=tuple(captures.joined(each) for each in found.values()),
        provenance=read(Provenance, headers[0].provenance),
        data_bytes=sum(header.data_bytes for header in headers),
        n_layer=plan.model.n_layer,
        nonfinite=sum(trailer.nonfinite for trailer in trailers),
        queue_seconds=sum(trailer.queue_seconds for trailer in trailers),
        compute_seconds=sum(trailer.compute_seconds for trailer in trailers),
        request=plan.request,
    )


class Arrivals:
    """The requests of a call one after the other, for the loop of a client that reads each as it comes."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._waiting = deque(plan.pieces)
        self._piece: list[Part] = []
        self._started = False

    def next(self) -> Read | None:
        """The next request; None when there is none left."""
        if not self._waiting:
            return None
        self._piece = self._waiting.popleft()
        self._renumber, self._started = Renumbering(self._plan, self._part), False
        return read_of(self._plan, self._part)

    def capture(self, event: Event) -> Capture | None:
        """The capture that an event completes."""
        self._started = True
        return capture_of(self._renumber(event))

    def refused(self, error: InvalidArgument) -> None:
        """Halves a request that was too large; raises every other error in the words of the call."""
        if self._started or len(self._piece) == 1 or not isinstance(error, TooLarge):
            raise reworded(self._plan, self._part, error) from None
        half = len(self._piece) // 2
        self._waiting.extendleft([self._piece[half:], self._piece[:half]])

    @property
    def _part(self) -> Part:
        return parts.join(self._piece[0], self._piece[-1])
