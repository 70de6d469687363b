"""Which points of the forward pass an array may come from, and what may have been done to their values.

TransformerLens's ways of loading a model are those of its `process_weights`: fold_ln leaves a LayerNorm's weight and
bias to what follows it; center_writing_weights and center_unembed take from what is written its mean over the last
dimension; fold_value_biases leaves the values' bias to the block's output.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator, Mapping

import numpy as np

from hydrophone.client import Client
from hydrophone.explain import causes
from hydrophone.explain.causes import Cause
from hydrophone.results.records import ModelInfo
from hydrophone.wire.tensors import Array

Values = Mapping[str, Array]  # by canonical name

_LAYER = re.compile(r"(?<=^blocks\.)\d+(?=\.)|(?<=^hidden_states\.)\d+$")
_NORMED = "ln_final.hook_out"
_WRITES = re.compile(
    r"hook_(pos_)?embed(_dropout)?|.*\.hook_(resid_(pre|mid|post)|attn_out|mlp_out|resid_dropout|dropout)"
)


@dataclasses.dataclass(frozen=True)
class Site:
    """A hypothesis about the point: `values` computes an array of it from those captured, whose names are `needs`."""

    causes: tuple[Cause, ...]
    needs: tuple[str, ...]
    values: Callable[[Values], Array]
    name: str


class Sites:
    """The hypotheses about one point. `name` is canonical, with the layer in it."""

    def __init__(self, client: Client, model: ModelInfo, name: str) -> None:
        self._client, self._model, self._name = client, model, name
        weights = client.parameters(["ln_f.weight", "ln_f.bias"])
        self._ln_f = weights["ln_f.weight"].astype(np.float64), weights["ln_f.bias"].astype(np.float64)

    def all(self) -> list[Site]:
        """As asked first; then with one cause, then with two."""
        found = [site for off in (0, -1, 1) for site in self._of_layer(off)]
        return sorted(found, key=lambda site: len(site.causes))

    def _of_layer(self, off: int) -> Iterator[Site]:
        name, by = self._shifted(off)
        if name is None:
            return
        yield self._plain(name, by)
        yield from self._normalised(name, by)
        yield from self._folded(name, by)
        if _WRITES.fullmatch(name) or (name.startswith("hidden_states.") and not self._is_normed(name)):
            yield self._site((*by, _centred("what is written into the residual stream")), name, _without_mean)
        elif name == "logits":
            yield self._site((*by, _centred("the unembedding (center_unembed)")), name, _without_mean)

    def _shifted(self, off: int) -> tuple[str | None, tuple[Cause, ...]]:
        found = _LAYER.search(self._name)
        if off == 0:
            return self._name, ()
        if found is None:
            return None, ()
        layer = int(found[0]) + off
        layers = self._model.n_layer + self._name.startswith("hidden_states")
        if not 0 <= layer < layers:
            return None, ()
        cause = Cause(causes.LAYER, f"yours is layer {layer}, not {layer - off}")
        return f"{self._name[: found.start()]}{layer}{self._name[found.end() :]}", (cause,)

    def _is_normed(self, name: str) -> bool:
        return name in (_NORMED, f"hidden_states.{self._model.n_layer}")

    @staticmethod
    def _site(found: tuple[Cause, ...], name: str, change: Callable[[Array], Array]) -> Site:
        return Site(found, (name,), lambda values: change(values[name]), name)

    def _plain(self, name: str, by: tuple[Cause, ...]) -> Site:
        return self._site(by, name, lambda array: array)

    def _normalised(self, name: str, by: tuple[Cause, ...]) -> Iterator[Site]:
        if self._is_normed(name):
            cause = Cause(causes.LN_F_MISSING, "yours is the last block's raw output")
            yield self._site((*by, cause), "ln_final.hook_in", lambda array: array)
        elif name.startswith("hidden_states.") or re.search(r"\.hook_resid_(pre|mid|post)$|^ln_final.hook_in$", name):
            yield self._site(
                (*by, Cause(causes.LN_F_APPLIED, "yours went through the final LayerNorm")), name, self._norm
            )

    def _norm(self, array: Array) -> Array:
        wide = array.astype(np.float64)
        centred = wide - wide.mean(-1, keepdims=True)
        scale = np.sqrt((centred**2).mean(-1, keepdims=True) + self._model.layer_norm_epsilon)
        return np.asarray((centred / scale * self._ln_f[0] + self._ln_f[1]).astype(np.float32))

    def _folded(self, name: str, by: tuple[Cause, ...]) -> Iterator[Site]:
        if self._is_normed(name) or re.search(r"\.ln[12]\.hook_out$", name):
            at = _NORMED if self._is_normed(name) else name
            cause = Cause(causes.FOLDED, "the LayerNorm's weight and bias are in what follows it (fold_ln)")
            yield self._site((*by, cause), at.replace("hook_out", "hook_normalized"), lambda array: array)
        elif found := re.fullmatch(r"blocks\.(\d+)\.attn\.hook_[vz]", name):
            whole = self._client.parameters(f"h.{found[1]}.attn.c_attn.bias")
            bias = whole[f"h.{found[1]}.attn.c_attn.bias"].reshape(3, self._model.n_head, -1)[2]
            cause = Cause(causes.FOLDED, "the values' bias is in the block's output (fold_value_biases)")
            yield self._site((*by, cause), name, lambda array: array - bias)


def _centred(what: str) -> Cause:
    return Cause(causes.CENTRED, f"{what} has a mean of 0 at each position")


def _without_mean(array: Array) -> Array:
    return np.asarray(array - array.mean(-1, keepdims=True, dtype=np.float64).astype(np.float32))
