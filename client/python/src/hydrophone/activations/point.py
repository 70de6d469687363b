"""The one place of the model whose activations are taken."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from hydrophone.connection.operation import Operation
from hydrophone.errors import InvalidArgument, Precondition
from hydrophone.operations.extract import carry_out, renamed
from hydrophone.operations.session import Session
from hydrophone.requests import extraction
from hydrophone.requests.hooks import Hook
from hydrophone.requests.values import PerRun, Positions
from hydrophone.results.records import Provenance
from hydrophone.results.result import Result
from hydrophone.wire.tensors import Array

_ARGUMENTS = {
    "hooks[0]": "hook",
    "hooks[0].layers": "layer",
    "hooks[0].layers[0]": "layer",
    "hooks[0].positions": "positions",
    "rows": "hook",  # what cannot come as rows
}


@dataclasses.dataclass(frozen=True)
class Point:
    """`asked` selects it; `name` is canonical, `width` that of a row, of all heads where there are heads, and `rows_of`
    how many rows a window of `context` tokens has."""

    asked: Hook
    name: str
    width: int
    rows_of: int
    provenance: Provenance

    def rows(self, session: Session, windows: Sequence[Sequence[int]]) -> Operation[Array]:
        """The rows of windows of token ids, [rows of all windows, width], from the model that was found."""
        result = yield from _extract(session, self.asked, windows)
        for field in ("weights_sha256", "numerics"):
            found, expected = getattr(result.provenance, field), getattr(self.provenance, field)
            if found != expected:
                raise Precondition(f"the server's {field} is {found}, and was {expected} when this began")
        array = result.captures[0].array
        return array.reshape(len(array), self.width)


def find(
    session: Session, hook: str, layer: int | None, positions: Positions, dtype: str | None, context: int
) -> Operation[Point]:
    """Asks the server what a hook point gives for a window. The errors name hp.activations' arguments."""
    if not isinstance(hook, str):
        raise InvalidArgument.of("hook", f"got {type(hook).__name__}, expected the name of one hook point")
    if isinstance(positions, PerRun):
        raise InvalidArgument.of("positions", "got positions of each run on its own, expected the same of all windows")
    asked = Hook(hook, layer, positions, dtype=dtype)
    result = yield from _extract(session, asked, [[0] * context])
    if len(result.captures) != 1:
        raise InvalidArgument.of("hook", f"got {hook!r}, which is {len(result.captures)} places: name a layer")
    [capture] = result.captures
    array = capture.array
    if not len(array):
        raise InvalidArgument.of("positions", f"got {positions!r}, expected at least one of {context} tokens")
    return Point(asked, capture.name, array[0].size, len(array), result.provenance)


def _extract(session: Session, asked: Hook, windows: Sequence[Sequence[int]]) -> Operation[Result]:
    return renamed(carry_out(session, extraction.extract(windows, asked, rows=True)), _ARGUMENTS)
