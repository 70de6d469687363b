"""One shard: the rows of some texts, as arrays."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from hydrophone.errors import InvalidArgument
from hydrophone.results.convert import named_arrays
from hydrophone.results.result import Result
from hydrophone.wire.tensors import Array

_INPUT = re.compile(r"inputs\[\d+\]")


def arrays_of(result: Result, numbers: Sequence[int], positions: Any) -> dict[str, Array]:
    """The arrays of a result in the rows layout by canonical name, [rows, ...], and beside them, int64 [rows], which
    token of which text each row is: "token_ids", "positions", "texts" (`numbers` has the texts' numbers in the corpus,
    `positions` the selectors' message)."""
    kept = [(info, number) for info, number in zip(result.inputs, numbers, strict=True) if not info.skipped]
    chosen = [_chosen(positions, len(info.token_ids)) for info, _ in kept]
    for capture in result.captures:
        if capture.rows != tuple(map(len, chosen)):
            raise InvalidArgument.of(
                "hooks",
                f"got {capture.asked!r} with positions or a reduction of its own, expected the same rows of all",
            )
    ids = [np.array(info.token_ids, dtype="<i8")[at] for (info, _), at in zip(kept, chosen, strict=True)]
    texts = [np.full(len(at), number, dtype="<i8") for (_, number), at in zip(kept, chosen, strict=True)]
    arrays = {name: capture.array for name, capture in named_arrays(result).items()}
    return arrays | {"token_ids": _joined(ids), "positions": _joined(chosen), "texts": _joined(texts)}


def skipped(result: Result, numbers: Sequence[int]) -> dict[str, str]:
    """Why texts were skipped, by their numbers in the corpus."""
    found = zip(result.inputs, numbers, strict=True)
    return {str(number): _INPUT.sub(f"corpus[{number}]", info.skipped, 1) for info, number in found if info.skipped}


def _joined(parts: Sequence[Array]) -> Array:
    return np.concatenate([np.zeros(0, dtype="<i8"), *parts])


def _chosen(positions: Any, tokens: int) -> Array:
    """The positions of a text that a Positions message selects, int64 [rows]; None selects all."""
    if positions is None:
        return np.arange(tokens, dtype="<i8")
    if positions.at:
        return np.array([at + tokens if at < 0 else at for at in positions.at], dtype="<i8")
    parts = [int(part) if part.strip() else None for part in positions.slice.split(":")]
    if len(parts) == 1:
        [at] = parts
        return _chosen(type(positions)(at=[at]), tokens)
    return np.arange(tokens, dtype="<i8")[slice(*parts)]
