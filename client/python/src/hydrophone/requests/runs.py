"""Runs: forward passes over the inputs, each with edits of its own."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any

from hydrophone.errors import InvalidArgument
from hydrophone.proto import v1
from hydrophone.requests import edits as edit_messages
from hydrophone.requests.edits import Edit, RunName, RunNames


@dataclasses.dataclass(frozen=True)
class Run:
    """A forward pass over one of the call's inputs, by its number.

    `baseline` names a run to compare with, by its number or key: captures then come as comparisons instead of arrays.
    `train_seed` turns dropout on, with this seed.
    """

    input: int = 0
    edits: Sequence[Edit] = ()
    key: str = ""
    baseline: RunName | None = None
    train_seed: int | None = None


def run(
    input: int = 0,
    *edits: Edit,
    key: str = "",
    baseline: RunName | None = None,
    train_seed: int | None = None,
) -> Run:
    """A run: hp.run(0, hp.zero("mlp_out", layers=5), key="without MLP 5", baseline="clean")."""
    return Run(input, edits, key, baseline, train_seed)


def as_edits(edits: Edit | Iterable[Edit] | None) -> tuple[Edit, ...]:
    if edits is None:
        return ()
    return (edits,) if isinstance(edits, Edit) else tuple(edits)


def names(runs: Sequence[Run]) -> RunNames:
    """The runs' numbers by their keys. Refused: two runs of one key."""
    by_key: dict[str, int] = {}
    for number, each in enumerate(runs):
        if not each.key:
            continue
        if each.key in by_key:
            raise InvalidArgument.of(f"runs[{number}].key", f"got {each.key!r}, which run {by_key[each.key]} has too")
        by_key[each.key] = number
    return RunNames(by_key, len(runs))


def for_inputs(inputs: int, edits: Sequence[Edit], train_seeds: Sequence[int]) -> list[Run]:
    """The runs of a call that lists none: for each input one with these edits, or one for each seed. Empty when there
    is nothing to say about them."""
    if train_seeds:
        return [Run(number, edits, train_seed=seed) for number in range(inputs) for seed in train_seeds]
    return [Run(number, edits) for number in range(inputs)] if edits else []


def message(run: Run, known: RunNames, n_layer: int) -> Any:
    """The Run message."""
    result = v1.Run(key=run.key, input=run.input)
    result.interventions.extend(edit_messages.message(edit, known, n_layer) for edit in run.edits)
    if run.baseline is not None:
        result.baseline = known.number(run.baseline, "baseline")
    if run.train_seed is not None:
        result.train_seed = run.train_seed
    return result
