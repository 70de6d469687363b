"""TransformerLens's Driver: one forward pass on the server, its captures, edits and logits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from transformer_lens.model_bridge.driver_protocol import ForwardResult

from hydrophone.client import Client
from hydrophone.errors import InvalidArgument
from hydrophone.requests.edits import Edit
from hydrophone.requests.hooks import Hook
from hydrophone.requests.runs import Run
from hydrophone.requests.words import Words
from hydrophone.results.result import Result
from hydrophone.transformer_lens import batch as batches
from hydrophone.transformer_lens import edits, names, refusals
from hydrophone.transformer_lens.batch import Batch
from hydrophone.transformer_lens.refusals import refused
from hydrophone.wire.tensors import Array

_LOGITS = "logits"
_LOCAL = (names.TOKENS, names.POSITIONS)


class Driver:
    """What `RemoteBridge` asks. Arrays are NumPy's, float32 unless they are token ids or positions (int64). Thread-safe
    as the client is. `close` closes the client where the driver owns it.

    Padded rows go to the server without their padding. In what comes back, captures are 0 at padding and logits -inf,
    as in TransformerLens's drivers of other engines.
    """

    provides_sequence_logits = True
    _supported_features = frozenset({"weight_access"})

    def __init__(self, client: Client, adapter: Any, tokenizer: Any, *, own: bool) -> None:
        self.client = client
        self.bridge_config = adapter.cfg
        self.tokenizer = tokenizer
        self.architecture: str = adapter.cfg.architecture
        self._own = own
        n_layer = adapter.cfg.n_layers
        self.places = names.places(client.hook_points(), n_layer)
        every = tuple(names.every(n_layer))
        self.hooks = tuple(name for name in every if name in self.places or name in _LOCAL)
        self.supported_hook_points = frozenset(self.hooks)
        self.non_fireable_hook_points = frozenset(every) - self.supported_hook_points

    def forward(
        self,
        input_ids: Any = None,
        *,
        capture: tuple[str, ...] = (),
        intervene: Mapping[str, Any] | None = None,
        max_new_tokens: int = 1,
        return_logits: bool = True,
        attention_mask: Any = None,
        output_attentions: bool = True,
        **others: Any,
    ) -> Any:
        """A forward pass of [batch, position] token ids. `capture` names hooks, `intervene` declares edits (edits.py);
        hooks that cfg has switched off are left out. Patterns are captures: `output_attentions` changes nothing."""
        for name in others:
            raise refusals.of_argument(name)
        if input_ids is None:
            raise InvalidArgument.of("input_ids", "got None, expected token ids")
        if max_new_tokens != 1:
            raise refused(f"max_new_tokens={max_new_tokens}", "a forward pass has one token more; generate continues")
        batch = batches.make(input_ids, attention_mask)
        wanted = [name for name in capture if self._is_passed(name)]
        asked = dict.fromkeys(self._place(name).name for name in wanted if name not in _LOCAL)
        hooks = [Hook(name) for name in [*asked, *([_LOGITS] if return_logits and _LOGITS not in asked else [])]]
        result = self._run(batch, hooks, intervene) if hooks else None
        found = _by_name(result, hooks)
        captured = {name: self._captured(name, batch, found) for name in wanted}
        logits = batch.padded(found[_LOGITS], -np.inf) if return_logits else None
        return ForwardResult(logits=logits, captured=captured, raw_output=result)

    def last_logits(self, batch: Batch, intervene: Mapping[str, Any] | None) -> Array:
        """The logits at each row's last token, float32 [batch, vocabulary]."""
        hook = Hook(_LOGITS, positions="last")
        return np.concatenate(_by_name(self._run(batch, [hook], intervene), [hook])[_LOGITS])

    def continued(self, batch: Batch, max_new_tokens: int) -> list[tuple[int, ...]]:
        """Each row's greedy continuation, which ends after one of the model's end-of-text tokens."""
        least = Hook("hook_embed", positions="last", features=[0])  # a request captures something
        words = Words({"inputs": "input"})
        try:
            result = self.client.extract(batch.rows, least, rows=True, max_new_tokens=max_new_tokens)
        except InvalidArgument as error:
            raise error.reworded(words) from None
        return [info.token_ids[len(row) :] for row, info in zip(batch.rows, result.inputs, strict=True)]

    def get_param(self, dotted_name: str) -> Array | None:
        """A parameter by Hugging Face's name ("transformer.wte.weight"); None where there is none of this name."""
        try:
            return self.client.parameters(dotted_name).get(dotted_name)
        except InvalidArgument:
            return None

    def supports(self, feature: str) -> bool:
        return feature in self._supported_features

    def close(self) -> None:
        if self._own:
            self.client.close()

    def _is_passed(self, name: str) -> bool:
        switch = names.gate(name)
        return switch is None or bool(getattr(self.bridge_config, switch))

    def _place(self, name: str) -> names.Place:
        if name not in self.places:
            why = "its values are ids and positions" if name in _LOCAL else "there is no such hook"
            raise refused(f"the hook {name}", why)
        return self.places[name]

    def _run(self, batch: Batch, hooks: Sequence[Hook], intervene: Mapping[str, Any] | None) -> Result:
        words = Words({"inputs": "input_ids", "hooks": "capture"})
        runs = self._runs(batch, intervene or {}, words)
        try:
            return self.client.extract(batch.rows, hooks, runs=runs)
        except InvalidArgument as error:
            raise error.reworded(words) from None

    def _runs(self, batch: Batch, intervene: Mapping[str, Any], words: Words) -> list[Run]:
        made: list[list[Edit]] = [[] for _ in batch.ids]
        for name, specification in intervene.items():
            if not self._is_passed(name):
                switch = names.gate(name)
                raise InvalidArgument.of(f"intervene[{name!r}]", f"{switch} is False: call set_{switch}(True) first")
            for row, edit in edits.of_hook(name, self._place(name), specification, batch):
                words.add(f"runs[{row}].edits[{len(made[row])}]", f"intervene[{name!r}]")
                made[row].append(edit)
        return [Run(row, each) for row, each in enumerate(made)]

    def _captured(self, name: str, batch: Batch, found: Mapping[str, Sequence[Array]]) -> Array:
        if name == names.TOKENS:
            return batch.ids
        if name == names.POSITIONS:
            return batch.positions
        place = self._place(name)
        return batch.padded(found[place.name], 0, square=place.is_square)


def _by_name(result: Result | None, hooks: Sequence[Hook]) -> dict[str, list[Array]]:
    """Each hook's arrays in the order of the rows."""
    found: dict[str, dict[int, Array]] = {}
    for capture in _captures(result):
        found.setdefault(hooks[capture.selector].name, {})[capture.runs[0]] = capture.array
    return {name: [rows[row] for row in sorted(rows)] for name, rows in found.items()}


def _captures(result: Result | None) -> Iterable[Any]:
    return () if result is None else result.captures
