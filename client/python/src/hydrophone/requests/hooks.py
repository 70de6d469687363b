"""Selectors: what to capture, and how much of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

from hydrophone.errors import InvalidArgument
from hydrophone.proto import v1
from hydrophone.requests import values
from hydrophone.requests.edits import RunName, RunNames
from hydrophone.requests.tokens import Token, TokenIds, as_tokens, token_id
from hydrophone.requests.values import Layers, Numbers, Positions, Values

REDUCTIONS = {"mean": v1.REDUCTION_MEAN, "max": v1.REDUCTION_MAX}
VIEWS = {
    "array": v1.VIEW_BYTES,
    "preview": v1.VIEW_PREVIEW,
    "floats": v1.VIEW_FLOATS,
    "summary": v1.VIEW_SUMMARY,
}


@dataclasses.dataclass(frozen=True)
class Summarize:
    """What a summary holds beside mean, standard deviation, minimum, maximum and L2 norm: the share of values whose
    magnitude is above `threshold`, the `top_k` values of largest magnitude with their places, `quantiles`."""

    threshold: float | None = None
    top_k: int = 0
    quantiles: Sequence[float] = ()


@dataclasses.dataclass(frozen=True)
class Lens:
    """What is read off a residual state through ln_f and the unembedding: the `top_k` tokens, given `tokens`, the
    `entropy` of the distribution in nats, its `final_divergence` KL(final || lens) in nats; or all `logits` as an array
    [positions, vocabulary]."""

    top_k: int = 0
    tokens: tuple[Token, ...] = ()
    logits: bool = False
    entropy: bool = False
    final_divergence: bool = False


def lens(
    top_k: int = 0,
    tokens: Token | Iterable[Token] | None = None,
    *,
    logits: bool = False,
    entropy: bool = False,
    final_divergence: bool = False,
) -> Lens:
    """A logit lens, for the `lens` of a hook. At `logits` it reads the model's own logits."""
    return Lens(top_k, as_tokens(tokens), logits, entropy, final_divergence)


@dataclasses.dataclass(frozen=True)
class Hook:
    """A hook point to capture; hp.hook makes it. None leaves a choice to the call's."""

    name: str
    layers: Layers = None
    positions: Positions = None
    heads: Numbers | None = None
    features: Numbers | None = None
    reduce: str | None = None
    project: Values | None = None
    lens: Lens | None = None
    summary: Summarize | None = None
    view: str | None = None
    dtype: str | None = None
    runs: Sequence[RunName] = ()


def hook(
    name: str,
    layers: Layers = None,
    positions: Positions = None,
    *,
    heads: Numbers | None = None,
    features: Numbers | None = None,
    reduce: str | None = None,
    project: Values | None = None,
    lens: Lens | None = None,
    summary: Summarize | None = None,
    view: str | None = None,
    dtype: str | None = None,
    runs: Sequence[RunName] = (),
) -> Hook:
    """A hook point with choices of its own: hp.hook("attn.hook_z", layers=3, positions="last", heads=[0, 7]).

    `reduce` is "mean" or "max" over the positions; `project` a vector [width] or matrix [k, width] whose dot products
    come instead of the values; `view` "array", "preview", "floats" or "summary"; `dtype` "float32", "float16" or
    "bfloat16" on the wire.
    """
    return Hook(name, layers, positions, heads, features, reduce, project, lens, summary, view, dtype, runs)


Hooks: TypeAlias = "str | Hook | Iterable[str | Hook]"

# The arguments that a hook may leave to the call, and the fields of HookSelector that they become.
FIELDS = {
    "layers": "layers",
    "positions": "positions",
    "heads": "units.heads",
    "features": "units.features",
    "reduce": "reduction",
    "project": "project",
    "lens": "logit_lens",
    "summary": "summary",
}


def as_hooks(hooks: Hooks) -> list[str | Hook]:
    return [hooks] if isinstance(hooks, (str, Hook)) else list(hooks)


def message(hook: Hook, tokens: TokenIds, runs: RunNames) -> Any:
    """The HookSelector message."""
    if hook.lens is not None and hook.project is not None:
        raise InvalidArgument.of("project", "got it beside lens, expected one of them")
    view = "summary" if hook.summary is not None and hook.view is None else hook.view
    result = v1.HookSelector(
        hook_point=hook.name,
        layers=values.numbers(hook.layers, "layers"),
        reduction=values.choice("reduce", hook.reduce, REDUCTIONS),
        view=values.choice("view", view, VIEWS),
        dtype=values.dtype(hook.dtype),
        runs=[runs.number(each, "hooks.runs") for each in hook.runs],
    )
    if (positions := values.positions(hook.positions)) is not None:
        result.positions.CopyFrom(positions)
    if (units := values.units(hook.heads, hook.features)) is not None:
        result.units.CopyFrom(units)
    if hook.project is not None:
        result.project.CopyFrom(values.tensor(hook.project, "project"))
    if hook.lens is not None:
        _fill_lens(result.logit_lens, hook.lens, tokens)
    if hook.summary is not None:
        result.summary.top_k = hook.summary.top_k
        result.summary.quantiles.extend(hook.summary.quantiles)
        if hook.summary.threshold is not None:
            result.summary.threshold = hook.summary.threshold
    return result


def _fill_lens(to: Any, lens: Lens, tokens: TokenIds) -> None:
    to.SetInParent()
    to.top_k = lens.top_k
    to.token_ids.extend(token_id(each, tokens, "tokens") for each in lens.tokens)
    to.logits, to.entropy, to.final_divergence = lens.logits, lens.entropy, lens.final_divergence
