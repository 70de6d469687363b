"""Rows of tokens, some of them padded: unpadded for the server, and its arrays padded again as the rows were."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from hydrophone.errors import InvalidArgument
from hydrophone.transformer_lens.refusals import refused
from hydrophone.wire.tensors import Array


@dataclasses.dataclass(frozen=True)
class Batch:
    """`ids` is int64 [rows, length]; of row i, the tokens `starts[i]` to `ends[i]` are real, the others padding."""

    ids: Array
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    @property
    def length(self) -> int:
        return int(self.ids.shape[1])

    @property
    def spans(self) -> list[slice]:
        return [slice(start, end) for start, end in zip(self.starts, self.ends, strict=True)]

    @property
    def rows(self) -> list[Array]:
        """Each row's real tokens."""
        return [row[span] for row, span in zip(self.ids, self.spans, strict=True)]

    @property
    def positions(self) -> Array:
        """The position of each real token in its row, int64 [rows, length]; 0 at padding."""
        return self.padded([np.arange(len(row)) for row in self.rows], 0)

    def padded(self, arrays: Sequence[Array], fill: float, square: bool = False) -> Array:
        """One array of the rows' own, [rows, length, ...] of [tokens, ...]; [rows, heads, length, length] of
        [heads, tokens, tokens] where they are square. `fill` stands at padding. Not copied where there is none."""
        if len(arrays) == 1 and self.ends[0] - self.starts[0] == self.length:
            return np.require(arrays[0], requirements="W")[None]
        size = (arrays[0].shape[0], self.length, self.length) if square else (self.length, *arrays[0].shape[1:])
        out = np.full((len(arrays), *size), fill, dtype=arrays[0].dtype)
        for number, (array, span) in enumerate(zip(arrays, self.spans, strict=True)):
            out[(number, slice(None), span, span) if square else (number, span)] = array
        return out


def make(input_ids: Any, attention_mask: Any = None) -> Batch:
    """The batch of [length] or [rows, length] token ids, and of a 0/1 mask of the same shape: ones stand together."""
    ids = _rows(input_ids, "input_ids")
    if not ids.size:
        raise InvalidArgument.of("input_ids", f"got the shape {ids.shape}, expected at least one token")
    if ids.dtype.kind not in "iu":
        raise refused(
            "input_ids of floats", "the server takes token ids; an edit of embed.hook_out replaces embeddings"
        )
    if attention_mask is None:
        return Batch(ids, (0,) * len(ids), (ids.shape[1],) * len(ids))
    mask = _rows(attention_mask, "attention_mask")
    if mask.shape != ids.shape:
        raise InvalidArgument.of("attention_mask", f"got the shape {mask.shape}, expected {ids.shape}")
    if not np.isin(mask, (0, 1)).all():
        raise InvalidArgument.of("attention_mask", "got other values than 0 and 1")
    counts = mask.sum(axis=1).astype(int)
    if not counts.all():
        raise InvalidArgument.of("attention_mask", f"got no token in row {int(counts.argmin())}, expected at least one")
    starts = mask.argmax(axis=1)
    ends = ids.shape[1] - mask[:, ::-1].argmax(axis=1)
    if (ends - starts != counts).any():
        raise refused("an attention_mask with gaps", "of a row, the tokens between the first and the last are all read")
    return Batch(ids, tuple(map(int, starts)), tuple(map(int, ends)))


def _rows(values: Any, argument: str) -> Array:
    array = to_numpy(values)
    if array.ndim == 1:
        array = array[None]
    if array.ndim != 2:
        raise refused(f"{argument} of shape {array.shape}", "it takes [position] or [batch, position]")
    return array


def to_numpy(values: Any) -> Array:
    """An array, of a tensor on any device too."""
    return np.asarray(values.detach().cpu() if hasattr(values, "detach") else values)
