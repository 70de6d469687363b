"""The bridge: TransformerLens's RemoteBridge, with what TransformerBridge has beside it that a server can answer."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import torch
import transformers
from transformer_lens.factories.architecture_adapter_factory import ArchitectureAdapterFactory
from transformer_lens.hook_points import HookPoint
from transformer_lens.model_bridge import RemoteBridge, TransformerBridge
from transformer_lens.model_bridge.bridge_core import build_alias_to_canonical_map
from transformer_lens.model_bridge.driver_protocol import to_torch
from transformer_lens.model_bridge.sources._bridge_builder import build_bridge_config_from_hf, configure_tokenizer

from hydrophone.client import Client
from hydrophone.results.records import ModelInfo
from hydrophone.transformer_lens import generation, refusals
from hydrophone.transformer_lens.batch import to_numpy
from hydrophone.transformer_lens.driver import Driver
from hydrophone.transformer_lens.refusals import refused
from hydrophone.transformer_lens.tokenizer import ServerTokenizer

_RETURN_TYPES = ("logits", "loss", "both", None)


def boot(client: Client, *, own: bool) -> Bridge:
    """The bridge of what GetModel describes."""
    try:
        model = client.model()
        adapter = ArchitectureAdapterFactory.select_architecture_adapter(_config(model))
        tokenizer = configure_tokenizer(ServerTokenizer(client, model), adapter.cfg) if model.tokenizer_tokens else None
        return Bridge(adapter, tokenizer, Driver(client, adapter, tokenizer, own=own))
    except BaseException:
        if own:
            client.close()
        raise


def _config(model: ModelInfo) -> Any:
    """TransformerLens's configuration, made as it makes it of Hugging Face's."""
    described = transformers.GPT2Config(
        vocab_size=model.vocab_size,
        n_positions=model.n_positions,
        n_embd=model.n_embd,
        n_layer=model.n_layer,
        n_head=model.n_head,
        n_inner=model.n_inner,
        activation_function=model.activation_function,
        layer_norm_epsilon=model.layer_norm_epsilon,
        tie_word_embeddings=model.tie_word_embeddings,
        bos_token_id=model.bos_token_id,
        eos_token_id=model.eos_token_ids[0] if len(model.eos_token_ids) == 1 else list(model.eos_token_ids) or None,
    )
    return build_bridge_config_from_hf(described, "GPT2LMHeadModel", model.name, torch.float32)


class Bridge(RemoteBridge):  # type: ignore[misc]
    """TransformerLens's bridge of a server's model, in eval mode, without gradients.

    Reading hook functions (`run_with_hooks`, `add_hook`) see each activation after the forward pass; one that returns
    or makes other values raises a NotImplementedError, since nothing on the server would change. Edits are declared:
    `intervene` in `forward`, `run_with_hooks`, `run_with_cache` and `generate` (edits.py). What the causal mask hides
    in scores and patterns stays hidden whatever is written there; hidden scores are -inf.

    Lists of texts go to the server unpadded. What comes back is padded on the tokenizer's side, or `padding_side`: ids
    with the pad token, activations with 0, logits with -inf; the loss counts real tokens alone.
    """

    training = False
    _hook_registry: dict[str, HookPoint]

    def __init__(self, adapter: Any, tokenizer: Any, driver: Driver) -> None:
        super().__init__(adapter, tokenizer, driver)
        # A cache lists activations as a forward pass computes them; the driver's set has no order.
        self._hook_registry = {name: self._hook_registry[name] for name in driver.hooks}

    @property
    def driver(self) -> Driver:
        """What asks the server; `driver.client` is the client."""
        made: Driver = self._driver
        return made

    # TransformerBridge's own, which need a tokenizer and W_U alone.
    to_string = TransformerBridge.to_string
    to_str_tokens = TransformerBridge.to_str_tokens
    to_single_token = TransformerBridge.to_single_token
    to_single_str_token = TransformerBridge.to_single_str_token
    get_token_position = TransformerBridge.get_token_position
    tokens_to_residual_directions = TransformerBridge.tokens_to_residual_directions

    def forward(
        self,
        input: Any = None,
        return_type: str | None = "logits",
        *,
        prepend_bos: bool | None = None,
        padding_side: str | None = None,
        attention_mask: Any = None,
        intervene: Mapping[str, Any] | None = None,
        **others: Any,
    ) -> Any:
        """A forward pass of a text, a list of texts, token ids [position] or [batch, position], or ragged lists of
        ids: logits [batch, position, vocabulary], the loss, both, or (None) captures alone."""
        if return_type not in _RETURN_TYPES:
            raise refused(f"return_type={return_type!r}", "it is one of 'logits', 'loss', 'both' and None")
        refusals.check(others)
        given = others.pop("input_ids", None) if input is None else input
        if given is not None:
            given, mask = self.tokens_and_mask(given, prepend_bos, padding_side)
            if attention_mask is not None:
                mask = torch.as_tensor(to_numpy(attention_mask))
                mask = mask[None] if mask.ndim == 1 else mask
            if mask is not None:
                others["attention_mask"] = mask
        if return_type is None:
            others.setdefault("return_logits", False)
        return super().forward(given, return_type=return_type, intervene=self.resolved(intervene), **others)

    __call__ = forward

    def tokens_and_mask(
        self, input: Any, prepend_bos: bool | None = None, padding_side: str | None = None, truncate: bool = True
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Token ids [batch, position], and the mask of their padding, where there may be some."""
        if not isinstance(input, Sequence):
            tokens = torch.as_tensor(to_numpy(input))
            return (tokens[None] if tokens.ndim == 1 else tokens), None
        texts: list[Any] = [input] if isinstance(input, str) else list(input)
        if texts and all(isinstance(each, str) for each in texts):
            rows = self._encoded(texts, prepend_bos, truncate)
        elif texts and all(isinstance(each, int) for each in texts):
            rows = [texts]
        else:
            rows = [to_numpy(each).tolist() for each in texts]
        if len({len(row) for row in rows}) <= 1:
            return torch.tensor(rows), None
        if self._tokenizer is None:
            raise refused("a batch of several lengths", "there is no tokenizer that pads; pad it, with attention_mask=")
        padded = self._tokenizer.pad({"input_ids": rows}, padding_side=padding_side, return_tensors="pt")
        return padded["input_ids"], padded["attention_mask"]

    def _encoded(self, texts: Sequence[str], prepend_bos: bool | None, truncate: bool) -> list[list[int]]:
        """Each text's ids as TransformerBridge.to_tokens makes them, without padding."""
        assert self._tokenizer is not None, "Tokenizer must be set."
        prepend = self.cfg.default_prepend_bos if prepend_bos is None else prepend_bos
        given = list(texts)
        if prepend and not self.cfg.tokenizer_prepends_bos and self._tokenizer.bos_token is not None:
            given = [self._tokenizer.bos_token + each for each in given]
        rows = self._tokenizer(given, truncation=truncate, max_length=self.cfg.n_ctx if truncate else None)["input_ids"]
        if self.cfg.tokenizer_appends_eos:
            rows = [row[:-1] if len(row) > 1 and row[-1] == self._tokenizer.eos_token_id else row for row in rows]
        if not prepend and self.cfg.tokenizer_prepends_bos:
            rows = [row[1:] for row in rows]
        return [list(row) for row in rows]

    def to_tokens(
        self,
        input: Any,
        prepend_bos: bool | None = None,
        padding_side: str | None = None,
        move_to_device: bool = True,
        truncate: bool = True,
    ) -> torch.Tensor:
        """The token ids of a text or of several, int64 [batch, position], padded on the tokenizer's side."""
        return self.tokens_and_mask(input, prepend_bos, padding_side, truncate)[0]

    def resolved(self, intervene: Mapping[str, Any] | None) -> dict[str, Any] | None:
        """Declared edits by the hooks' own names; a name that means no hook is refused."""
        if not intervene:
            return None
        hooks = self.hook_dict
        aliases = build_alias_to_canonical_map(hooks)
        found: dict[str, Any] = {}
        for name, specification in intervene.items():
            canonical, _ = self._resolve_hook_point(name, aliases, hooks)
            if canonical in found:
                raise ValueError(f"intervene[{name!r}]: {canonical!r} is named twice; a list has several edits")
            found[canonical] = specification
        return found

    def generate(self, input: Any = "", max_new_tokens: int = 10, **options: Any) -> Any:
        """TransformerBridge's generate: see generation.generate for the options."""
        return generation.generate(self, input, max_new_tokens, **options)

    def check_hooks_to_add(
        self, hook_point: Any, hook_point_name: str, hook: Any, dir: str = "fwd", **options: Any
    ) -> None:
        """Refuses backward hooks, which would never be called."""
        if dir == "bwd":
            raise refused(f"a backward hook at {hook_point_name}", "the server computes no gradients")
        super().check_hooks_to_add(hook_point, hook_point_name, hook, dir=dir, **options)

    def _replay_captures(self, captured: Mapping[str, Any]) -> None:
        """Shows each activation to the hook functions that read it."""
        for name, activation in captured.items():
            with torch.inference_mode(False):  # inference tensors do not count their changes
                value = to_torch(activation)
            version = value._version
            shown = self._hook_registry[name](value)
            if not _is_same(shown, value) or value._version != version:
                raise refused(
                    f"a hook function at {name} that changes the activation",
                    "it cannot run on the server; declare the edit: intervene={name: {'op': ...}}",
                )

    @property
    def mod_dict(self) -> dict[str, HookPoint]:
        """The hook points by all their names. There are no modules."""
        return dict(self.hook_dict)

    def eval(self) -> Bridge:
        """Nothing to do: the server computes without dropout."""
        return self

    def set_use_attn_result(self, use_attn_result: bool) -> None:
        """Whether attn.hook_result is captured."""
        self.cfg.use_attn_result = use_attn_result

    def set_use_attn_in(self, use_attn_in: bool) -> None:
        """Whether hook_attn_in is captured and can be edited."""
        self.cfg.use_attn_in = use_attn_in

    def set_use_split_qkv_input(self, use_split_qkv_input: bool) -> None:
        """Whether hook_q_input, hook_k_input and hook_v_input are captured and can be edited."""
        self.cfg.use_split_qkv_input = use_split_qkv_input

    def set_use_hook_mlp_in(self, use_hook_mlp_in: bool) -> None:
        """Whether hook_mlp_in is captured and can be edited."""
        self.cfg.use_hook_mlp_in = use_hook_mlp_in

    @functools.cached_property
    def W_E(self) -> torch.Tensor:
        """The token embedding, [vocabulary, width]."""
        return self._parameter("transformer.wte.weight")

    @functools.cached_property
    def W_pos(self) -> torch.Tensor:
        """The position embedding, [context, width]."""
        return self._parameter("transformer.wpe.weight")

    @functools.cached_property
    def W_U(self) -> torch.Tensor:
        """The unembedding, [width, vocabulary]."""
        return self._parameter("lm_head.weight").T

    @functools.cached_property
    def b_U(self) -> torch.Tensor:
        """The unembedding's bias, [vocabulary]: GPT-2 has none, so zeros."""
        return torch.zeros(self.cfg.d_vocab_out)

    def _parameter(self, name: str) -> torch.Tensor:
        array = self._driver.get_param(name)
        if array is None:
            raise refused(f"the parameter {name}", "the server has none of this name")
        with torch.inference_mode(False):
            return torch.tensor(array, dtype=torch.float32)

    def __getattr__(self, name: str) -> Any:
        # Looked up for what is not found otherwise. hasattr has to find it missing: BridgeCore asks for `blocks`.
        if not name.startswith("_") and hasattr(TransformerBridge, name):
            raise _MissingMember(refusals.of_member(name))
        raise AttributeError(f"{type(self).__name__} has no {name!r}: the model is on the server")


class _MissingMember(refusals.Refused, AttributeError):
    """A member of TransformerBridge that needs a model in the process."""


def _is_same(shown: Any, value: torch.Tensor) -> bool:
    """Whether a hook function gave back what it saw, or a view that has all of it in its order."""
    if not isinstance(shown, torch.Tensor) or shown.shape != value.shape or shown.data_ptr() != value.data_ptr():
        return False
    steps = zip(shown.shape, shown.stride(), value.stride(), strict=True)
    return all(size == 1 or ours == theirs for size, ours, theirs in steps)
