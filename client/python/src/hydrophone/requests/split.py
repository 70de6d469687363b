"""Which parts of a request go together, so that each request stays within the server's limits."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from hydrophone.requests.parts import Part

# What a message takes beside its own fields.
_TAG_AND_LENGTH_BYTES = 6


@dataclasses.dataclass
class Cost:
    """What a part costs of a request's limits: inputs, tokens of all its runs, bytes, messages and list elements."""

    inputs: int = 0
    tokens: int = 0
    bytes: int = 0
    elements: int = 0

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.inputs + other.inputs,
            self.tokens + other.tokens,
            self.bytes + other.bytes,
            self.elements + other.elements,
        )

    def fits(self, capacity: Cost) -> bool:
        return (
            self.inputs <= capacity.inputs
            and self.tokens <= capacity.tokens
            and self.bytes <= capacity.bytes
            and self.elements <= capacity.elements
        )


def capacity(limits: Any, common_bytes: int) -> Cost:
    """The most that one request may cost, less what it takes without inputs and runs. `limits` is GetModel's."""
    return Cost(
        limits.max_inputs_per_request,
        limits.max_tokens_per_request,
        max(1, limits.max_request_bytes - common_bytes),
        max(1, limits.max_request_elements - common_bytes),  # every list element takes at least a byte
    )


def most_tokens(message: Any, context: int) -> int:
    """An upper bound on an input's tokens that needs no tokenizer: byte-level BPE makes at most one of each byte."""
    most = len(message.text.encode()) + len(message.raw_text) + len(message.token_ids) + message.prepend_bos
    return int(min(most, context) if message.truncate else most)


def costs(parts: Sequence[Part], request: Any, tokens: Sequence[int]) -> list[Cost]:
    """The parts' costs; `tokens` has how many tokens each input has."""
    result = []
    for part in parts:
        inputs = range(part.first_input, part.first_input + part.inputs)
        cost = Cost(inputs=part.inputs)
        for number in inputs:
            message = request.inputs[number]
            cost += Cost(bytes=message.ByteSize() + _TAG_AND_LENGTH_BYTES, elements=1 + len(message.token_ids))
        for number in range(part.first_run, part.first_run + part.runs):
            run = request.runs[number] if request.runs else None
            size = run.ByteSize() + _TAG_AND_LENGTH_BYTES if run is not None else 0
            of_input = run.input if run is not None else number
            if of_input < len(tokens):
                cost += Cost(tokens=tokens[of_input] + request.max_new_tokens, bytes=size, elements=size)
        result.append(cost)
    return result


def fill(costs: Sequence[Cost], limit: Cost) -> list[range]:
    """The parts' numbers in order, each range filled before the next one begins. A part that alone exceeds a limit gets
    a range of its own, because the server's refusal tells more than an error of the client could."""
    ranges: list[range] = []
    used = Cost()
    for number, cost in enumerate(costs):
        together = used + cost
        if ranges and together.fits(limit):
            ranges[-1], used = range(ranges[-1].start, number + 1), together
        else:
            ranges.append(range(number, number + 1))
            used = cost
    return ranges
