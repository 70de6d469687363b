"""From the fields of a request to the arguments that they were made of, so that errors speak of these."""

from __future__ import annotations

import re
from collections.abc import Mapping

from hydrophone.errors import Violation

# What stands behind an argument's own field: the fields that hold a value leave only their index.
_INNER = [
    (re.compile(r"\.(text|raw_text|token_ids|at|slice)\b"), ""),
    (re.compile(r"\.hook_point\b"), ".hook"),
    (re.compile(r"\.interventions\b"), ".edits"),
    (re.compile(r"\.per_input\b"), ""),
    (re.compile(r"\.units\.(heads|features)\b"), r".\1"),
]
_NUMBERED = re.compile(r"(?<![\w.])(inputs\[|runs\[|run )(\d+)")


class Words:
    """Knows which argument each field was made of. A field is found by its longest known beginning."""

    def __init__(self, arguments: Mapping[str, str] | None = None) -> None:
        self._arguments = dict(arguments or {})

    def add(self, field: str, argument: str) -> None:
        self._arguments[field] = argument

    def __call__(self, violation: Violation) -> Violation:
        return Violation(self._argument(violation.argument), violation.description)

    def _argument(self, field: str) -> str:
        end = len(field)
        while end > 0:
            known = self._arguments.get(field[:end])
            if known is not None:
                return known + self._inner(field[end:])
            end = max(field.rfind(".", 0, end), field.rfind("[", 0, end))
        return self._inner(field)

    @staticmethod
    def _inner(rest: str) -> str:
        for pattern, python in _INNER:
            rest = pattern.sub(python, rest)
        return rest


def shifted(text: str, first_input: int, first_run: int) -> str:
    """The text of an error with a part's numbers added to: N in "inputs[N]", "runs[N]" and "run N" outside of
    quotes."""

    def add(found: re.Match[str]) -> str:
        first = first_input if found[1] == "inputs[" else first_run
        return f"{found[1]}{int(found[2]) + first}"

    pieces = text.split('"')
    pieces[::2] = [_NUMBERED.sub(add, piece) for piece in pieces[::2]]
    return '"'.join(pieces)


def shift(violation: Violation, first_input: int, first_run: int) -> Violation:
    """The same, of a part of a larger request, in the larger one's numbers."""
    return Violation(
        shifted(violation.argument, first_input, first_run), shifted(violation.description, first_input, first_run)
    )
