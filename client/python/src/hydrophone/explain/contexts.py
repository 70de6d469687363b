"""How the forward pass that made an array may have been run."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

from hydrophone.client import Client
from hydrophone.explain import causes
from hydrophone.explain.causes import Cause
from hydrophone.explain.sites import Values
from hydrophone.requests.edits import Edit, set
from hydrophone.requests.runs import run
from hydrophone.results.records import ModelInfo
from hydrophone.results.result import Result
from hydrophone.wire.tensors import Array

# The longest left padding that is tried where the array has no rows of it; less at wide points, such as the logits.
_MOST_PADDING = 64
_MOST_PADDING_OF_WIDE = 4
_WIDE = 8192


@dataclasses.dataclass(frozen=True)
class Context:
    """A hypothesis about the run: tokens `before` the caller's own, whose rows are left out of comparisons, and
    positions that begin at `shift`."""

    causes: tuple[Cause, ...] = ()
    before: tuple[int, ...] = ()
    shift: int = 0


def contexts(model: ModelInfo, tokens: int, shape: tuple[int, ...], with_bos: bool) -> Iterator[Context]:
    """The hypotheses about an array of this shape, [rows, width], over so many `tokens`, a BOS token that was asked for
    left out. As asked first; none when rows are missing."""
    rows, width = shape
    if rows < tokens:
        return
    bos = model.bos_token_id
    front = (bos,) if bos is not None else ()
    extra = rows - tokens
    asked, other = (front, ()) if with_bos else ((), front)
    if extra in (0, len(asked)):
        yield Context((), asked)
    if bos is not None and extra in (0, len(other)):
        said = "yours has no BOS token in front" if with_bos else "yours has a BOS token in front"
        yield Context((Cause(causes.BOS, said),), other)
    pad = model.eos_token_ids[0] if model.eos_token_ids else None
    room = model.n_positions - tokens
    most = min(_MOST_PADDING_OF_WIDE if width >= _WIDE else _MOST_PADDING, room)
    for count in [extra] if extra > 0 else range(1, most + 1):
        if count <= room:
            padded = f"{count} padding tokens stand in front, and positions count them"
            yield Context((Cause(causes.PADDING, padded),), (), count)
            if pad is not None and (count > 1 or pad != bos):
                attended = f"{count} padding tokens stand in front, and are attended to"
                yield Context((Cause(causes.UNMASKED, attended),), (pad,) * count)


def captures(
    client: Client,
    found: Sequence[Context],
    token_ids: Sequence[int],
    names: Sequence[str],
    train_seeds: Sequence[int] = (),
) -> list[Values]:
    """What each context gives at the points, rows of `token_ids` alone: one for each, or one for each seed of each."""
    length = len(token_ids)
    inputs = [[*context.before, *token_ids] for context in found]
    last = max(context.shift for context in found) + length
    wpe = client.parameters("wpe", rows=range(last))["wpe"]
    edits = [_shifted(context, wpe, length) for context in found]
    seeds: Sequence[int | None] = train_seeds or [None]
    runs = [run(number, *edits[number], train_seed=seed) for number in range(len(found)) for seed in seeds]
    result = client.extract(inputs, list(names), runs=runs)
    return [_values(result, number, length) for number in range(len(runs))]


def _shifted(context: Context, wpe: Array, length: int) -> tuple[Edit, ...]:
    """The edit that lets positions begin elsewhere; wpe is [positions, width]."""
    if context.shift == 0:
        return ()
    return (set("hook_pos_embed", wpe[context.shift : context.shift + length]),)


def _values(result: Result, number: int, length: int) -> Values:
    return {capture.name: capture.array[-length:] for capture in result.select(run=number).captures}
