"""patch_grid: what each place of a clean run restores in a corrupt one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from hydrophone.connection.operation import Operation, Together
from hydrophone.errors import InvalidArgument
from hydrophone.operations.extract import carry_out, renamed
from hydrophone.operations.progress import Progress
from hydrophone.operations.session import Session, describe
from hydrophone.operations.tokens import tokenize
from hydrophone.requests import edits, extraction
from hydrophone.requests.edits import Edit
from hydrophone.requests.inputs import Input
from hydrophone.requests.metrics import Metric
from hydrophone.requests.runs import Run
from hydrophone.requests.values import Layers, numbers
from hydrophone.results.grid import PatchGrid
from hydrophone.results.records import ModelInfo
from hydrophone.results.result import Result, readable

_CLEAN, _CORRUPT = 0, 1  # the first two runs of each request


def patch_grid(
    session: Session,
    clean: Input,
    corrupt: Input,
    hook: str = "resid_pre",
    *,
    metric: Metric,
    layers: Layers = None,
    by: Literal["position", "head"] = "position",
    prepend_bos: bool = False,
) -> Operation[PatchGrid]:
    """Activation patching: runs `corrupt` once for each layer and position with the clean run's value put in there, and
    measures `metric` (at the last position unless it says otherwise).

    Gives [layer, position]; with by="head", [layer, head], where a head's values are put in at all positions (at a
    point with heads, such as "z"). Clean and corrupt must have equally many tokens. After Meng et al. 2022
    (arXiv:2202.05262).

    >>> grid = client.patch_grid("The capital of France is", "The capital of Italy is", hook="resid_pre",
    ...                          metric=hp.logit_diff(" Paris", " Rome"), layers=[0, 1])
    >>> grid.values.shape
    (2, 5)
    """
    if by not in ("position", "head"):
        raise InvalidArgument.of("by", f"got {by!r}, expected position or head")
    limits, model = yield from describe(session)
    pair: list[Input] = [clean, corrupt]
    before = yield from renamed(tokenize(session, pair, prepend_bos=prepend_bos), _arguments(0))
    count = len(before[_CLEAN].token_ids)
    if len(before[_CORRUPT].token_ids) != count:
        got = len(before[_CORRUPT].token_ids)
        raise InvalidArgument.of("corrupt", f"got {got} tokens, expected {count}, as many as clean has")
    rows, columns = _layers(layers, model), range(count if by == "position" else model.n_head)
    places = [_edit(hook, layer, column, by) for layer in rows for column in columns]
    most = min(limits.max_batch_tokens, limits.max_tokens_per_request)
    size = max(1, most // count - 2)
    pieces = [places[begin : begin + size] for begin in range(0, len(places), size)]
    asked = [extraction.extract(pair, runs=_runs(piece), metrics=metric, prepend_bos=prepend_bos) for piece in pieces]
    with Progress(session.progress, len(places), "runs") as progress:
        results = yield Together(
            [renamed(carry_out(session.quiet(), each), _arguments(len(each.runs))) for each in asked],
            session.in_flight,
            done=lambda place: progress.add(len(pieces[place])),
        )
    values = [_measured(result, metric, run) for result in results for run in range(2, len(result.runs))]
    return PatchGrid(
        values=np.array(values, dtype=np.float32).reshape(len(rows), len(columns)),
        clean=_measured(results[0], metric, _CLEAN),
        corrupt=_measured(results[0], metric, _CORRUPT),
        hook=hook,
        metric=metric.key,
        layers=tuple(rows),
        labels=tuple(map(readable, before[_CORRUPT].pieces)) if by == "position" else tuple(map(str, columns)),
        by=by,
    )


def _layers(layers: Layers, model: ModelInfo) -> list[int]:
    if layers is None:
        return list(range(model.n_layer))
    return [layer + model.n_layer if layer < 0 else layer for layer in numbers(layers, "layers")]


def _edit(hook: str, layer: int, column: int, by: str) -> Edit:
    if by == "head":
        return edits.patch(hook, _CLEAN, layers=layer, heads=column)
    return edits.patch(hook, _CLEAN, layers=layer, positions=column)


def _runs(places: Sequence[Edit]) -> list[Run]:
    return [Run(_CLEAN), Run(_CORRUPT, baseline=_CLEAN), *(Run(_CORRUPT, (each,), baseline=_CLEAN) for each in places)]


def _arguments(runs: int) -> dict[str, str]:
    """Which argument the parts of the requests are."""
    names = {"inputs[0]": "clean", "inputs[1]": "corrupt"}
    for run in range(runs):
        for part, argument in (
            ("hook", "hook"),
            ("layers", "layers"),
            ("layers[0]", "layers"),
            ("heads", "hook"),
            ("positions", "hook"),
        ):
            names[f"runs[{run}].edits[0].{part}"] = argument
    return names


def _measured(result: Result, metric: Metric, run: int) -> float:
    """A run's number: of several positions, their mean."""
    return float(result.metric(metric.key, run).mean())
