"""TransformerBridge's generate, on a server: greedy continuations in one call, all others token by token."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from tqdm import tqdm
from transformer_lens.utilities import sample_logits

from hydrophone.errors import InvalidArgument
from hydrophone.transformer_lens import batch as batches
from hydrophone.transformer_lens import refusals
from hydrophone.transformer_lens.refusals import refused

if TYPE_CHECKING:
    from hydrophone.transformer_lens.remote import Bridge


def generate(
    bridge: Bridge,
    input: Any = "",
    max_new_tokens: int = 10,
    *,
    stop_at_eos: bool = True,
    eos_token_id: int | list[int] | None = None,
    do_sample: bool = True,
    top_k: int | None = None,
    top_p: float | None = None,
    temperature: float = 1.0,
    freq_penalty: float = 0.0,
    repetition_penalty: float = 1.0,
    use_past_kv_cache: bool = True,
    prepend_bos: bool | None = None,
    padding_side: str | None = None,
    return_type: str | None = "input",
    verbose: bool = True,
    attention_mask: Any = None,
    intervene: Mapping[str, Any] | None = None,
    **others: Any,
) -> Any:
    """Continues a text, a list of texts, or token ids [batch, position], as TransformerBridge does: by its own sampling
    function from the server's logits, so that one torch seed gives both bridges one continuation as long as their
    logits are as close as their parity says.

    A greedy continuation (`do_sample=False`) that ends where the model says is one call; any other is one call for each
    token, of the last logits alone, which computes the text again each time: `use_past_kv_cache` changes nothing.
    `intervene` declares edits of all these forward passes. Lists are padded on the left. Returns what
    `return_type` says: "str", "tokens", or the kind of the input.
    """
    refusals.check(others)
    for name in others:
        raise refusals.of_argument(name)
    if padding_side is not None and attention_mask is None and not isinstance(input, (str, list)):
        raise refused("padding_side= of token ids", "attention_mask tells their padding")
    if max_new_tokens < 1:
        raise InvalidArgument.of("max_new_tokens", f"got {max_new_tokens}, expected at least 1")
    tokens, mask = bridge.tokens_and_mask(input, prepend_bos, "left", truncate=False)
    if attention_mask is not None:
        mask = torch.as_tensor(batches.to_numpy(attention_mask)).reshape(tokens.shape)
    stops = _stops(bridge, eos_token_id) if stop_at_eos else []
    sampling = {
        "top_k": top_k if do_sample else None,
        "top_p": top_p if do_sample else None,
        "temperature": temperature if do_sample else 0.0,
        "freq_penalty": freq_penalty,
        "repetition_penalty": repetition_penalty,
    }
    plain = sampling["temperature"] == 0.0 and repetition_penalty == 1.0 and freq_penalty >= 0 and not intervene
    if plain and stop_at_eos and eos_token_id is None:
        new = _in_one_call(bridge, tokens, mask, max_new_tokens, stops[0])
    else:
        edits = bridge.resolved(intervene)
        new = _token_by_token(bridge, tokens, mask, max_new_tokens, stops, sampling, edits, verbose)
    made = torch.cat([tokens, new], dim=1)
    if return_type == "tokens" or (return_type == "input" and not isinstance(input, (str, list))):
        return made
    texts = [bridge.tokenizer.decode(row, skip_special_tokens=True) for row in made]
    return texts[0] if len(texts) == 1 else texts


def _stops(bridge: Bridge, eos_token_id: int | list[int] | None) -> list[int]:
    """The tokens that end a continuation; the first one fills the rows that have ended."""
    chosen = bridge.cfg.eos_token_id if eos_token_id is None else eos_token_id
    if isinstance(chosen, int):
        return [chosen]
    if not chosen:
        raise InvalidArgument.of("eos_token_id", "got None, expected one: the model names no end of a text")
    fill = bridge.tokenizer.eos_token_id if bridge.tokenizer is not None else None
    return [chosen[0] if fill is None else fill, *chosen]


def _in_one_call(bridge: Bridge, tokens: Any, mask: Any, max_new_tokens: int, fill: int) -> Any:
    found = bridge.driver.continued(batches.make(tokens, mask), max_new_tokens)
    longest = max(map(len, found))
    return torch.tensor([[*ids, *[fill] * (longest - len(ids))] for ids in found])


def _token_by_token(
    bridge: Bridge,
    tokens: Any,
    mask: Any,
    max_new_tokens: int,
    stops: list[int],
    sampling: Mapping[str, Any],
    intervene: Mapping[str, Any] | None,
    verbose: bool,
) -> Any:
    current, ended = tokens, torch.zeros(len(tokens), dtype=torch.bool)
    running = torch.ones_like(tokens) if mask is None else mask
    for _ in tqdm(range(max_new_tokens), disable=not verbose):
        logits = torch.from_numpy(bridge.driver.last_logits(batches.make(current, running), intervene))
        sampled = sample_logits(logits, tokens=current, **sampling)
        if stops:
            sampled[ended] = stops[0]
            ended |= torch.isin(sampled, torch.tensor(stops))
        current = torch.cat([current, sampled[:, None]], dim=1)
        running = torch.cat([running, torch.ones_like(sampled)[:, None]], dim=1)
        if ended.all():
            break
    return current[:, tokens.shape[1] :]
