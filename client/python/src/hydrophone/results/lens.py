"""The result of a logit lens."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from hydrophone.results import plots
from hydrophone.results.result import Result, readable
from hydrophone.wire.tensors import Array


@dataclasses.dataclass(frozen=True, eq=False)
class LogitLens:
    """What each layer would predict at each position.

    Arrays are [layer, position, k], the most likely token first: `top_ids` (int64), `top_tokens` (text), `top_logits`,
    `top_logprobs` (nats). Of the tokens that were asked for, [layer, position, tokens]: `logits`, `logprobs`, `ranks`
    (from 0). `entropy` and `final_divergence` are [layer, position], in nats. `layers` and `positions` name the rows
    and columns, `tokens` the input's tokens at these positions.
    """

    layers: tuple[int, ...]
    positions: tuple[int, ...]
    tokens: tuple[str, ...]
    top_ids: Array
    top_tokens: Array
    top_logits: Array
    top_logprobs: Array
    logits: Array
    logprobs: Array
    ranks: Array
    entropy: Array
    final_divergence: Array

    @classmethod
    def of(cls, result: Result, top_k: int, tokens: int) -> LogitLens:
        """From a result whose captures are scores: the top tokens of each position, the given ones, two numbers."""
        captures = sorted(result.captures, key=lambda capture: capture.layer)
        scores = [capture.value for capture in captures]
        each = top_k + tokens + 2
        table = _table(scores, each)
        top, given = table[..., :top_k], table[..., top_k : top_k + tokens]
        positions = tuple(score.position for score in table[0, :, -1])
        return cls(
            layers=tuple(capture.layer for capture in captures),
            positions=positions,
            tokens=tuple(result.tokens[0][position] for position in positions),
            top_ids=_of(top, "token_id", np.int64),
            top_tokens=np.vectorize(lambda score: readable(score.piece), otypes=[object])(top) if top.size else top,
            top_logits=_of(top, "value", np.float32),
            top_logprobs=_of(top, "logprob", np.float32),
            logits=_of(given, "value", np.float32),
            logprobs=_of(given, "logprob", np.float32),
            ranks=_of(given, "rank", np.int64),
            entropy=_of(table[..., -2], "value", np.float32),
            final_divergence=_of(table[..., -1], "value", np.float32),
        )

    def table(self, position: int = -1) -> str:
        """The top tokens of each layer at one position (an index into `positions`), as lines of text."""
        lines = [f"after {self.tokens[position]!r}, position {self.positions[position]}"]
        for row, layer in enumerate(self.layers):
            cells = [
                f"{token!r} {np.exp(logprob):.3f}"
                for token, logprob in zip(self.top_tokens[row, position], self.top_logprobs[row, position], strict=True)
            ]
            lines.append(f"{layer:5}  " + "  ".join(f"{cell:<20}" for cell in cells).rstrip())
        return "\n".join(lines)

    def plot(self) -> Any:
        """The most likely token of each layer and position, coloured by its probability, as a matplotlib Axes. Needs
        hydrophone[plot]."""
        columns = [f"{position}: {token}" for position, token in zip(self.positions, self.tokens, strict=True)]
        probabilities, texts = np.exp(self.top_logprobs[..., 0]), self.top_tokens[..., 0].tolist()
        title = "logit lens: the most likely next token and its probability"
        return plots.heat_map(probabilities, self.layers, columns, title, "position", texts)

    def __repr__(self) -> str:
        return self.table()


def _table(scores: list[Any], each: int) -> Array:
    """The Score objects as [layer, position, scores of a position]."""
    positions = len(scores[0]) // each
    table = np.empty((len(scores), positions, each), dtype=object)
    for row, of_layer in enumerate(scores):
        for number, score in enumerate(of_layer):
            table[row, number // each, number % each] = score
    return table


def _of(table: Array, field: str, dtype: Any) -> Array:
    """A field of each Score."""
    flat = [getattr(score, field) for score in table.flat]
    return np.array(flat, dtype=dtype).reshape(table.shape)
