"""Refuses an argument of extract that would change nothing beside the others, since its caller expects what it asks."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from hydrophone.errors import InvalidArgument
from hydrophone.requests.hooks import Hook
from hydrophone.requests.runs import Run

# What a hook may choose of the form of its array.
_FORM = ("summary", "view", "dtype")


def check_choices(call: Mapping[str, Any], hooks: Sequence[Hook], shared: Collection[tuple[int, str]]) -> None:
    """Refuses choices of the call that no hook has taken; `shared` has the hooks, by number, that took each."""
    taken = {name for _, name in shared}
    for name, value in call.items():
        if value is not None and name not in taken:
            where = "beside hooks that all have their own" if hooks else "without hooks"
            raise InvalidArgument.of(name, f"got it {where}, expected a hook that takes it")


def check_seeds(train_seed: int | None, train_seeds: Sequence[int], runs: Sequence[Run]) -> None:
    if train_seed is None:
        return
    if train_seeds:
        raise InvalidArgument.of("train_seed", "got it beside train_seeds, expected one of them")
    if runs and all(run.train_seed is not None for run in runs):
        raise InvalidArgument.of("train_seed", "got it beside runs that all have their own, expected a run without")


def check_form(hooks: Sequence[Hook], runs: Sequence[Run], view: str | None, dtype: str | None, rows: bool) -> None:
    """Refuses a form where no array comes that could have it. A logit lens's scores and comparisons have none."""
    for number, hook in enumerate(hooks):
        for name in _FORM:
            if getattr(hook, name) is not None and _is_compared(hook, runs):
                raise InvalidArgument.of(f"hooks[{number}].{name}", "got it where runs are compared, expected none")
    arrays = [hook for hook in hooks if not gives_scores(hook) and not _is_compared(hook, runs)]
    if rows and not arrays:
        raise InvalidArgument.of("rows", "got True, expected a hook that gives an array: no scores, no comparison")
    if view is not None and not any(_takes_view(hook, view) for hook in arrays):
        raise InvalidArgument.of("view", f"got {view!r}, expected a hook that gives an array and has none itself")
    if dtype is not None and not any(hook.dtype is None and _view(hook, view) == "array" for hook in arrays):
        raise InvalidArgument.of("dtype", f"got {dtype!r}, expected a hook that comes as array and has none itself")


def gives_scores(hook: Hook) -> bool:
    """Whether a logit lens's scores come of it, and no array."""
    return hook.lens is not None and not hook.lens.logits


def _is_compared(hook: Hook, runs: Sequence[Run]) -> bool:
    """Whether every run that it captures is compared with another."""
    captured = [
        run
        for number, run in enumerate(runs)
        if not hook.runs or number in hook.runs or (run.key and run.key in hook.runs)
    ]
    return bool(captured) and all(run.baseline is not None for run in captured)


def _takes_view(hook: Hook, view: str) -> bool:
    return hook.view is None and (hook.summary is None or view == "summary")


def _view(hook: Hook, view: str | None) -> str:
    """The view in which a hook comes, of a call with this one."""
    return hook.view or ("summary" if hook.summary is not None else view or "array")
