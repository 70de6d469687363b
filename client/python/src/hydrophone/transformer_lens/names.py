"""The hook points of TransformerLens's bridge of a GPT-2, and the server's points that they are."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator

from hydrophone.results.records import HookPoint

# The bridge's own names, in the order of a forward pass; it resolves the older ones ("hook_resid_pre") to these by
# itself.
_BEFORE = ("embed.hook_in", "embed.hook_out", "pos_embed.hook_in", "pos_embed.hook_out")
_IN_A_BLOCK = (
    *("hook_in", "ln1.hook_in", "ln1.hook_scale", "ln1.hook_normalized", "ln1.hook_out", "attn.hook_in"),
    *("attn.hook_attn_in", "attn.hook_q_input", "attn.hook_k_input", "attn.hook_v_input"),
    *("attn.qkv.hook_in", "attn.qkv.hook_out", "attn.q.hook_in", "attn.q.hook_out"),
    *("attn.k.hook_in", "attn.k.hook_out", "attn.v.hook_in", "attn.v.hook_out"),
    *("attn.hook_attn_scores", "attn.hook_pattern", "attn.o.hook_in", "attn.hook_result", "attn.o.hook_out"),
    *("attn.hook_hidden_states", "attn.hook_out"),
    *("hook_mlp_in", "ln2.hook_in", "ln2.hook_scale", "ln2.hook_normalized", "ln2.hook_out"),
    *("mlp.hook_in", "mlp.in.hook_in", "mlp.in.hook_out", "mlp.out.hook_in", "mlp.out.hook_out", "mlp.hook_out"),
    "hook_out",
)
_AFTER = (
    *("ln_final.hook_in", "ln_final.hook_scale", "ln_final.hook_normalized", "ln_final.hook_out"),
    *("unembed.hook_in", "unembed.hook_out"),
)

# Second names that the bridge has and the server has not.
_SECOND = {
    "attn.qkv.hook_in": "attn.hook_in",
    "attn.hook_hidden_states": "attn.hook_out",
}

# What needs no server: token ids and positions, int64 [batch, position].
TOKENS, POSITIONS = "embed.hook_in", "pos_embed.hook_in"

# Hooks that the bridge passes only when cfg says so.
_GATES = {
    "attn.hook_result": "use_attn_result",
    "attn.hook_attn_in": "use_attn_in",
    "attn.hook_q_input": "use_split_qkv_input",
    "attn.hook_k_input": "use_split_qkv_input",
    "attn.hook_v_input": "use_split_qkv_input",
    "hook_mlp_in": "use_hook_mlp_in",
}


@dataclasses.dataclass(frozen=True)
class Place:
    """The server's point at one layer. `shape` has a run's dimensions; 0 stands for the number of tokens."""

    name: str
    shape: tuple[int, ...]
    editable: bool

    @property
    def is_square(self) -> bool:
        """Whether it has queries and keys: [heads, queries, keys]."""
        return self.shape[1:] == (0, 0)

    @property
    def has_heads(self) -> bool:
        return len(self.shape) == 3 and not self.is_square


def gate(name: str) -> str | None:
    """The switch of cfg that a hook depends on."""
    return next((switch for end, switch in _GATES.items() if name.endswith(f".{end}")), None)


def every(n_layer: int) -> Iterator[str]:
    """All names of a bridge of so many layers, in the order of a forward pass."""
    yield from _BEFORE
    yield from (f"blocks.{layer}.{name}" for layer in range(n_layer) for name in _IN_A_BLOCK)
    yield from _AFTER


def places(points: Iterable[HookPoint], n_layer: int) -> dict[str, Place]:
    """The bridge's names that the server has, in the order of a forward pass."""
    known = {name: point for point in points for name in (point.name, *point.aliases)}
    found = {}
    for name in every(n_layer):
        layer, inner = _split(name)
        template = f"blocks.L.{_SECOND.get(inner, inner)}" if layer else inner
        if template in known:
            point = known[template]
            server = point.name.replace(".L.", f".{layer}.") if layer else point.name
            found[name] = Place(server, tuple(point.shape), point.editable)
    return found


def _split(name: str) -> tuple[str, str]:
    """The layer and the name in the block; outside of the blocks "" and the name."""
    if not name.startswith("blocks."):
        return "", name
    layer, _, inner = name.removeprefix("blocks.").partition(".")
    return layer, inner
