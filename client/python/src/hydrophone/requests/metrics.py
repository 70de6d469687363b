"""Metrics: numbers about the logits of runs, computed on the server."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from hydrophone.proto import v1
from hydrophone.requests import values
from hydrophone.requests.edits import RunName, RunNames
from hydrophone.requests.tokens import Token, TokenIds, token_id
from hydrophone.requests.values import Positions


@dataclasses.dataclass(frozen=True)
class Metric:
    """A number for each position read; hp.logit_diff, hp.next_token_loss and hp.kl_divergence make it."""

    kind: str
    key: str
    positions: Positions = None
    runs: Sequence[RunName] = ()
    tokens: tuple[Token, ...] = ()


def logit_diff(
    correct: Token, wrong: Token, *, positions: Positions = None, runs: Sequence[RunName] = (), key: str = "logit_diff"
) -> Metric:
    """Logit of one token minus that of another, at the last position unless others are given. A token is a text that is
    one token (" Paris") or an id."""
    return Metric("logit_diff", key, positions, runs, (correct, wrong))


def next_token_loss(
    *, positions: Positions = None, runs: Sequence[RunName] = (), key: str = "next_token_loss"
) -> Metric:
    """Cross-entropy of the next token, in nats, at all positions but the last unless others are given."""
    return Metric("next_token_loss", key, positions, runs)


def kl_divergence(*, positions: Positions = None, runs: Sequence[RunName] = (), key: str = "kl_divergence") -> Metric:
    """KL(baseline || run), in nats, at the last position unless others are given, for runs that name a baseline."""
    return Metric("divergence", key, positions, runs)


def message(metric: Metric, tokens: TokenIds, runs: RunNames) -> Any:
    """The Metric message."""
    result = v1.Metric(key=metric.key, runs=[runs.number(each, "metrics.runs") for each in metric.runs])
    if (positions := values.positions(metric.positions)) is not None:
        result.positions.CopyFrom(positions)
    kind = getattr(result, metric.kind)
    kind.SetInParent()
    if metric.tokens:
        kind.correct, kind.wrong = (token_id(each, tokens, "metrics") for each in metric.tokens)
    return result
