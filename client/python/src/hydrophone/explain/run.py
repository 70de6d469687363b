"""hp.explain: tries what usually makes two tensors differ."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from hydrophone.client import Client, check_blocking
from hydrophone.errors import InvalidArgument
from hydrophone.explain import causes, judge
from hydrophone.explain.causes import Cause, Explanation
from hydrophone.explain.contexts import Context, captures, contexts
from hydrophone.explain.judge import Fit
from hydrophone.explain.sites import Site, Sites
from hydrophone.requests.inputs import Text, Tokens
from hydrophone.requests.words import Words
from hydrophone.results.closeness import bound
from hydrophone.results.records import ModelInfo
from hydrophone.wire.tensors import Array

# Hypotheses are tried on so many tokens, since later ones do not change what earlier ones give; the one that fits is
# proved on all.
_TRIED_TOKENS = 24
_SEEDS = range(8)
_MOST_CAUSES = 2  # beside halves and dropout
_LEAST_ZEROS = 0.01  # a dropout's share of zeros is above that
_ROUNDED = 1e-2  # what is nearer than this, and not equal, was rounded somewhere


def explain(
    array: Any,
    text: str | bytes | Text | Tokens,
    hook: str,
    layer: int | None = None,
    *,
    prepend_bos: bool = False,
    client: Client | None = None,
) -> Explanation:
    """Why does the array that was made elsewhere differ from the server's?

    `array` is [tokens, width], [tokens, heads, width of a head], either with a batch of one in front, or with heads in
    one dimension: NumPy's or torch's. `text` (or its token ids), `hook`, `layer` and `prepend_bos` say what it should
    be. Tried are, alone and two at a time: a BOS token more or less, left padding whose positions were counted or that
    was attended to, the layer before or after, ln_f applied or missing, folded and centred weights (as TransformerLens
    loads them), and beside them half precision, dropout left on, before or after a dropout; what nothing explains is
    likely another checkpoint. Without `client`, the server is HYDROPHONE_SERVER's. InvalidArgument: a point without a
    row for each token, such as attention scores.

    >>> r = client.extract("Plants make fantastic pets", "resid_post", layers=4)
    >>> hp.explain(r["resid_post"], "Plants make fantastic pets", "resid_post", 5, client=client).names
    ('off by one layer',)
    """
    check_blocking(client)
    with contextlib.nullcontext(client) if client is not None else Client(progress=False) as asked:
        return _Search(asked, array, text, hook, layer, prepend_bos).explanation()


class _Search:
    """One array and what it should be."""

    def __init__(self, client: Client, array: Any, text: Any, hook: str, layer: int | None, with_bos: bool) -> None:
        self._client = client
        self._model = client.model()
        self._ids, self._with_bos = _ids(client, text, with_bos, self._model)
        self._name, shape = _place(client, self._ids, hook, layer)
        self._rows = _rows(array)
        self._row_shape = shape

    def explanation(self) -> Explanation:
        width = int(np.prod(self._row_shape))
        if self._rows.shape[1] != width:
            detail = (
                f"yours has {self._rows.shape[1]} values at each token, the server's {self._model.name} has {width}"
            )
            return self._explained(None, [Cause(causes.CHECKPOINT, detail)])
        tried = self._ids[:_TRIED_TOKENS]
        possible = list(contexts(self._model, len(self._ids), self._rows.shape, self._with_bos))
        if not possible:
            rows, tokens = len(self._rows), len(self._ids)
            raise InvalidArgument.of(
                "array",
                f"got {rows} rows, expected {tokens}, one for each token, or more, of BOS or of padding in front",
            )
        sites = Sites(self._client, self._model, self._name).all()
        fits = [fit for fit in self._fits(possible, sites, tried) if fit.count <= _MOST_CAUSES]
        found = judge.proved(fits, bound(self._name))
        if found is not None:
            whole = self._whole(found)
            return self._explained(whole, [], near=whole.distance <= bound(self._name))
        return self._unproved(fits)

    def _fits(self, possible: Sequence[Context], sites: Sequence[Site], ids: Sequence[int]) -> list[Fit]:
        names = list(dict.fromkeys(name for site in sites for name in site.needs))
        given = self._given(len(ids))
        found = captures(self._client, possible, ids, names)
        return [
            judge.fit(given, context, site, self._flat(site.values(values)))
            for context, values in zip(possible, found, strict=True)
            for site in sites
        ]

    def _given(self, tokens: int) -> Array:
        """The rows of the first tokens, [tokens, width]."""
        begin = len(self._rows) - len(self._ids)
        return self._rows[begin : begin + tokens]

    @staticmethod
    def _flat(array: Array) -> Array:
        return array.reshape(len(array), -1)

    def _whole(self, found: Fit) -> Fit:
        """The hypothesis on all tokens."""
        [whole] = self._fits([found.context], [found.site], self._ids)
        return whole

    def _unproved(self, fits: Sequence[Fit]) -> Explanation:
        """What fits best, beside halves, dropout, or other weights."""
        nearest = self._whole(judge.best(fits))
        kind = judge.half_kind(self._rows)
        if kind is not None and nearest.distance <= judge.HALVES[kind]:
            return self._explained(nearest, [Cause(causes.HALF, f"every value of yours is a {kind} number")])
        if (dropped := self._dropped(nearest)) is not None:
            return dropped
        if nearest.distance <= _ROUNDED:
            detail = "yours is rounded somewhere: halves or TF32 in a part of the model"
            return self._explained(nearest, [Cause(causes.HALF, detail, proved=False)])
        detail = "nothing else that was tried comes near: other weights, or other tokens"
        return self._explained(None, [Cause(causes.CHECKPOINT, detail, proved=False)])

    def _dropped(self, nearest: Fit) -> Explanation | None:
        """Dropout, whose masks are torch's own: told by how far samples of the server's are."""
        given = self._given(len(self._ids))
        cause, point = _other_side(nearest.site.name, judge.zeros(given))
        names = [*nearest.site.needs, *([point] if point not in nearest.site.needs else [])]
        samples = captures(self._client, [nearest.context], self._ids, names, train_seeds=_SEEDS)
        values = [each[point] if cause else nearest.site.values(each) for each in samples]
        if not judge.is_like(given, nearest.expected, [self._flat(each) for each in values]):
            return None
        shown = judge.zeros(given) >= _LEAST_ZEROS
        detail = "yours is as far from it as the server's samples with dropout are"
        return self._explained(nearest, [Cause(causes.DROPOUT, detail, proved=shown and bool(cause)), *cause])

    def _explained(self, found: Fit | None, more: Sequence[Cause], near: bool = True) -> Explanation:
        """`found` leads to what is left."""
        asked = self._asked_distance()
        allowed = bound(self._name)
        own = [*found.context.causes, *found.site.causes] if found is not None else []
        if more or not near:
            own = [dataclasses.replace(cause, proved=False) for cause in own]
        remaining = found.distance if found is not None else asked
        every = (*own, *more)
        return Explanation(self._name, not every and near, asked, allowed, remaining, every)

    def _asked_distance(self) -> float:
        """How far the array is from what was asked, infinite where its shape is another."""
        if self._rows.shape[1] != int(np.prod(self._row_shape)):
            return float("inf")
        bos = (self._model.bos_token_id,) if self._with_bos and self._model.bos_token_id is not None else ()
        site = Site((), (self._name,), lambda values: values[self._name], self._name)
        [asked] = self._fits([Context((), bos)], [site], self._ids)
        return asked.distance


def _other_side(name: str, zeros: float) -> tuple[list[Cause], str]:
    """Whether an array with dropout on stands on the other side of the dropout than its point, and the point there."""
    pairs = {"hook_attn_out": "attn.hook_resid_dropout", "hook_mlp_out": "mlp.hook_dropout"}
    for before, after in pairs.items():
        if name.endswith(before) and zeros >= _LEAST_ZEROS:
            detail = f"{zeros:.1%} of yours are exactly 0"
            return [Cause(causes.AFTER_DROPOUT, detail)], name.removesuffix(before) + after
        if name.endswith(after) and zeros < _LEAST_ZEROS:
            return [Cause(causes.BEFORE_DROPOUT, "none of yours are exactly 0")], name.removesuffix(after) + before
    return [], name


@contextlib.contextmanager
def _named() -> Iterator[None]:
    """Errors inside name explain's arguments."""
    try:
        yield
    except InvalidArgument as error:
        raise error.reworded(Words({"inputs[0]": "text", "hooks[0]": "hook", "layers[0]": "layer"})) from None


def _ids(client: Client, text: Any, with_bos: bool, model: ModelInfo) -> tuple[list[int], bool]:
    """The tokens without BOS in front, and whether it is asked for."""
    with _named():
        infos = client.tokenize([text] if isinstance(text, (str, bytes, Text)) else [list(text)])
    ids = list(infos[0].token_ids)
    if ids and ids[0] == model.bos_token_id and len(ids) > 1:
        return ids[1:], True
    return ids, with_bos


def _place(client: Client, ids: Sequence[int], hook: str, layer: int | None) -> tuple[str, tuple[int, ...]]:
    """The canonical name of the point, and the shape of a row."""
    with _named():
        found = client.extract([list(ids[:1])], hook, layers=layer).captures
    if len(found) != 1:
        raise InvalidArgument.of("hook", f"got {hook!r}, which is {len(found)} places: name a layer")
    if found[0].name.endswith(("hook_attn_scores", "hook_softmax", "hook_pattern")):
        raise InvalidArgument.of("hook", f"got {hook!r}, [heads, queries, keys], expected a point of rows for tokens")
    return found[0].name, found[0].array.shape[1:]


def _rows(array: Any) -> Array:
    """The array as [rows, values]; a batch of one is taken off."""
    if hasattr(array, "detach"):
        tensor = array.detach().cpu()
        array = (tensor.float() if tensor.dtype.itemsize < 4 else tensor).numpy()
    try:
        numbers = np.asarray(array)
        numbers = numbers if numbers.dtype == np.float16 else numbers.astype(np.float32)
    except (TypeError, ValueError) as error:
        raise InvalidArgument.of("array", f"got {type(array).__name__}, expected numbers: {error}") from None
    if numbers.ndim >= 3 and numbers.shape[0] == 1:
        numbers = numbers[0]
    if numbers.ndim not in (2, 3) or not numbers.size:
        raise InvalidArgument.of("array", f"got the shape {list(numbers.shape)}, expected [tokens, width]")
    if strange := int((~np.isfinite(numbers)).sum()):
        raise InvalidArgument.of("array", f"got {strange} values that are infinite or not a number, expected none")
    return numbers.reshape(len(numbers), -1)
