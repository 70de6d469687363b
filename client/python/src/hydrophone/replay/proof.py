"""What a replay showed."""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Mapping

from hydrophone.results.closeness import bound, distance
from hydrophone.results.convert import named_arrays
from hydrophone.results.result import Result
from hydrophone.wire.tensors import Array

_DTYPES = ("float32", "float32", "float16", "bfloat16")  # by the API's numbers


@dataclasses.dataclass(frozen=True)
class ReplayedArray:
    """One array of the file: whether every bit is equal, how far the server's is from it (the largest difference as a
    share of the largest value; infinite when the server's has another shape or is not there), and how far it may be (0:
    every bit must be equal)."""

    name: str
    bitwise: bool
    distance: float
    allowed: float

    @property
    def passed(self) -> bool:
        return self.bitwise or (self.allowed > 0 and self.distance <= self.allowed)


@dataclasses.dataclass(frozen=True)
class Replay:
    """Whether a server gives a file's values again. True in a condition when it does.

    `numerics` are those of the file and of the server; where they are equal, every bit has to be. `tokens_equal` says
    whether the inputs became the same tokens.
    """

    path: pathlib.Path
    model: str
    weights_sha256: str
    numerics: tuple[str, str]
    tokens_equal: bool
    arrays: tuple[ReplayedArray, ...]

    @property
    def passed(self) -> bool:
        return self.tokens_equal and all(each.passed for each in self.arrays)

    def __bool__(self) -> bool:
        return self.passed

    def __repr__(self) -> str:
        before, now = self.numerics
        how = "every bit has to be equal" if before == now else "values have to be near"
        equal = sum(each.bitwise for each in self.arrays)
        lines = [
            f"Replay of {self.path}, model {self.model}, weights {self.weights_sha256}",
            f"  numerics {before!r}, the server's {now!r}: {how}",
            f"  {'passed' if self.passed else 'FAILED'}: {equal} of {len(self.arrays)} arrays have equal bits",
        ]
        if not self.tokens_equal:
            lines.append("  the inputs became other tokens than the file has")
        lines += [
            f"  {each.name}: {each.distance:.3g} of its largest value apart, allowed {each.allowed:g}"
            for each in self.arrays
            if not each.bitwise
        ]
        return "\n".join(lines)


def compare(arrays: Mapping[str, Array], result: Result, same_numerics: bool) -> tuple[ReplayedArray, ...]:
    """The file's arrays, by its names, beside a result's."""
    replayed = []
    named = named_arrays(result)
    # Where the request lists runs, the command line's files count these; a result of one run for each input does not.
    by_run = {name.replace(".input", ".run"): capture for name, capture in named.items()}
    for name, expected in arrays.items():
        capture = named.get(name) or by_run.get(name)
        if capture is None:
            replayed.append(ReplayedArray(name, False, float("inf"), 0.0))
            continue
        got = capture.array
        selector = result.request.hooks[capture.selector] if capture.selector < len(result.request.hooks) else None
        dtype = _DTYPES[(selector.dtype if selector is not None else 0) or result.request.dtype]
        bitwise = got.shape == expected.shape and got.dtype == expected.dtype and got.tobytes() == expected.tobytes()
        allowed = 0.0 if same_numerics else bound(capture.name, dtype)
        replayed.append(ReplayedArray(name, bitwise, distance(got, expected), allowed))
    return tuple(replayed)
