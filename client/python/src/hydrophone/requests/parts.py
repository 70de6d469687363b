"""Cuts one Extract request into several that together give the same answer.

The rules are the C++ client's (client/cpp/request_parts.h): a run stays with its baseline and with the runs that it is
patched from; selectors and metrics that name runs must find some of them in each part, in ascending order; selections
by position that are listed run by run are not taken apart.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from hydrophone.proto import v1


@dataclasses.dataclass(frozen=True)
class Part:
    """Inputs from `first_input` on and runs from `first_run` on, which are all the runs over these inputs. A request
    without runs has one for each input."""

    first_input: int
    inputs: int
    first_run: int
    runs: int

    def holds(self, run: int) -> bool:
        return self.first_run <= run < self.first_run + self.runs


def join(first: Part, last: Part) -> Part:
    """The parts from `first` to `last`, which follow each other, as one."""
    inputs = last.first_input + last.inputs - first.first_input
    return Part(first.first_input, inputs, first.first_run, last.first_run + last.runs - first.first_run)


def smallest(request: Any) -> list[Part]:
    """The smallest parts, in order; the whole request as one when it cannot be cut."""
    whole = [Part(0, len(request.inputs), 0, len(request.runs) or len(request.inputs))]
    selectors = [*request.hooks, *request.metrics]
    if any(selector.positions.per_input for selector in selectors):
        return whole
    if request.runs:
        parts = _between_runs(request)
    else:
        parts = [Part(number, 1, number, 1) for number in range(len(request.inputs))]
    if not parts or not all(_can_be_named(parts, list(selector.runs)) for selector in selectors if selector.runs):
        return whole
    return parts


def request_for(part: Part, request: Any) -> Any:
    """The request for one part, its inputs and runs numbered from 0."""
    if part.inputs == len(request.inputs):
        return request
    result = v1.ExtractRequest()
    for field, value in request.ListFields():
        if field.name in ("inputs", "runs"):
            continue
        if hasattr(value, "CopyFrom") or hasattr(value, "MergeFrom"):
            getattr(result, field.name).MergeFrom(value)
        else:
            setattr(result, field.name, value)
    result.inputs.extend(request.inputs[part.first_input : part.first_input + part.inputs])
    if request.runs:
        result.runs.extend(_renumbered(run, part) for run in request.runs[part.first_run : part.first_run + part.runs])
    for selector in [*result.hooks, *result.metrics]:
        kept = [run - part.first_run for run in selector.runs if part.holds(run)]
        del selector.runs[:]
        selector.runs.extend(kept)
    return result


def _between_runs(request: Any) -> list[Part]:
    """A request can be cut between two runs when all inputs that the runs before the cut need come before those that
    the runs after it need. [] when it names runs or inputs that it does not have."""
    reaches = []
    for run in request.runs:
        others = [edit.patch.run for edit in run.interventions if edit.HasField("patch")]
        others += [run.baseline] if run.HasField("baseline") else []
        if any(other >= len(request.runs) for other in others):
            return []
        reaches.append([run.input, *(request.runs[other].input for other in others)])
    if any(max(reach) >= len(request.inputs) for reach in reaches):
        return []
    first_after = [0] * len(reaches)  # the first input that this run or a later one needs
    first = len(request.inputs)
    for number in reversed(range(len(reaches))):
        first_after[number] = first = min(first, *reaches[number])
    begins = [(0, 0)]  # input and run
    last_before = 0
    for number, reach in enumerate(reaches):
        if number > 0 and last_before < first_after[number]:
            begins.append((first_after[number], number))
        last_before = max(last_before, *reach)
    ends = [*begins[1:], (len(request.inputs), len(reaches))]
    return [Part(i, end_i - i, r, end_r - r) for (i, r), (end_i, end_r) in zip(begins, ends, strict=True)]


def _can_be_named(parts: Sequence[Part], runs: list[int]) -> bool:
    return runs == sorted(runs) and all(any(part.holds(run) for run in runs) for part in parts)


def _renumbered(run: Any, part: Part) -> Any:
    result = v1.Run()
    result.CopyFrom(run)
    result.input -= part.first_input
    if result.HasField("baseline"):
        result.baseline -= part.first_run
    for edit in result.interventions:
        if edit.HasField("patch"):
            edit.patch.run -= part.first_run
    return result
