"""Small records of an answer: the messages' fields under the same names, as plain Python values."""

from __future__ import annotations

import dataclasses
from typing import Any, TypeVar

R = TypeVar("R")


@dataclasses.dataclass(frozen=True)
class Provenance:
    """Where numbers come from: enough to compute them again."""

    model: str
    weights_sha256: str
    tokenizer_sha256: str
    numerics: str
    server_version: str
    request_sha256: str


@dataclasses.dataclass(frozen=True)
class InputInfo:
    """One input as the server understood it.

    `token_ids` are what the model ran on, `pieces` the same as the vocabulary writes them ("Ġworld"), `byte_offsets`
    where each token's bytes begin in the input. `skipped` says why an input was skipped; "" when it was not.
    """

    index: int
    key: str
    token_ids: tuple[int, ...]
    pieces: tuple[str, ...]
    byte_offsets: tuple[int, ...]
    skipped: str = ""
    truncated_tokens: int = 0


@dataclasses.dataclass(frozen=True)
class Extreme:
    """A value of large magnitude and its index in each dimension."""

    value: float
    index: tuple[int, ...]


@dataclasses.dataclass(frozen=True)
class Summary:
    """Moments of an array's finite values, accumulated in float64: `std` is the population's, `l2` the root of the sum
    of squares, `share_above` the share above Summarize.threshold (None without one), `top` the largest magnitudes."""

    mean: float
    std: float
    min: float
    max: float
    l2: float
    count: int
    nonfinite: int
    share_above: float | None
    quantiles: tuple[float, ...]
    top: tuple[Extreme, ...]


@dataclasses.dataclass(frozen=True)
class Comparison:
    """How a run's value differs from its baseline's, over the elements that are finite in both: L2 norm and largest
    magnitude of (run - baseline), the two values' L2 norms, cosine, and Pearson's r (NaN where one is constant)."""

    difference_l2: float
    difference_max: float
    run_l2: float
    baseline_l2: float
    cosine: float
    pearson_r: float
    count: int
    nonfinite: int


@dataclasses.dataclass(frozen=True)
class Score:
    """One token's numbers of a logit lens, or one number of a position: a metric's, or a lens's "entropy" or
    "final_divergence" (in nats), which `metric` says. `logprob` is in nats, `rank` counts from 0."""

    run: int
    position: int
    token_id: int
    piece: str
    value: float
    logprob: float
    rank: int
    metric: str


@dataclasses.dataclass(frozen=True)
class HookPoint:
    """One named place of the forward pass; L in names stands for the layer. `shape` is in this model's numbers, 0 for
    the number of tokens; `layers` counts those that have the point, 0 for a point outside the blocks."""

    name: str
    hugging_face_name: str
    aliases: tuple[str, ...]
    description: str
    shape_symbols: tuple[str, ...]
    shape: tuple[int, ...]
    layers: int
    capturable: bool
    editable: bool


@dataclasses.dataclass(frozen=True)
class ModelInfo:
    """What the server loaded, how it computes, and the limits in force (`limits`, by the API's names).

    `tokenizer_tokens` counts the ids that have a spelling, 0 without a tokenizer; `ids_before_text` and
    `ids_after_text` are what it puts around every text.
    """

    name: str
    architecture: str
    n_layer: int
    n_embd: int
    n_head: int
    n_inner: int
    n_positions: int
    vocab_size: int
    parameters: int
    activation_function: str
    layer_norm_epsilon: float
    tie_word_embeddings: bool
    weights_sha256: str
    tokenizer_sha256: str
    weights_dtype: str
    processing: tuple[str, ...]
    loading_notes: tuple[str, ...]
    eos_token_ids: tuple[int, ...]
    bos_token_id: int | None
    tokenizer_tokens: int
    ids_before_text: tuple[int, ...]
    ids_after_text: tuple[int, ...]
    numerics: str
    device: str
    batch_independent: bool
    server_version: str
    limits: dict[str, int]


def read(record: type[R], message: Any, **others: Any) -> R:
    """The record whose fields the message has under the same names; `others` are given as they are."""
    fields = {}
    for field in dataclasses.fields(record):  # type: ignore[arg-type]
        if field.name not in others:
            value = getattr(message, field.name)
            fields[field.name] = tuple(value) if hasattr(value, "extend") else value
    return record(**fields, **others)


def read_model(response: Any) -> ModelInfo:
    model, compute = response.model, response.compute
    tokenizer = model.tokenizer  # without one, a message of defaults
    return read(
        ModelInfo,
        model,
        bos_token_id=tokenizer.bos_token_id if tokenizer.HasField("bos_token_id") else None,
        tokenizer_tokens=tokenizer.tokens,
        ids_before_text=tuple(tokenizer.ids_before_text),
        ids_after_text=tuple(tokenizer.ids_after_text),
        numerics=compute.numerics,
        device=compute.device,
        batch_independent=compute.batch_independent,
        server_version=response.versions.server,
        limits={field.name: getattr(response.limits, field.name) for field in response.limits.DESCRIPTOR.fields},
    )


def read_summary(message: Any) -> Summary:
    top = tuple(read(Extreme, each) for each in message.top)
    share = message.share_above if message.HasField("share_above") else None
    return read(Summary, message, share_above=share, top=top)
