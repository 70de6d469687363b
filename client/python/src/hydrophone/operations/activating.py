"""max_activating: where in a corpus a unit is most active."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence, Sized

import numpy as np

from hydrophone.connection.operation import Operation
from hydrophone.errors import InvalidArgument
from hydrophone.operations.extract import carry_out, renamed
from hydrophone.operations.progress import Progress
from hydrophone.operations.session import Session, describe
from hydrophone.operations.tokens import tokenize
from hydrophone.requests import extraction
from hydrophone.requests.hooks import Hook
from hydrophone.results.activating import Activation, MaxActivating, Window
from hydrophone.results.records import InputInfo
from hydrophone.results.result import readable
from hydrophone.wire.tensors import Array

# Texts that are tokenized at a time: as many as stay below this many characters, so that memory does not grow with the
# corpus.
_MOST_CHARACTERS = 1 << 18
_MOST_TEXTS = 256

_ARGUMENTS = {
    "hooks[0]": "hook",
    "hooks[0].layers": "layer",
    "hooks[0].layers[0]": "layer",
    "hooks[0].heads[0]": "head",
    "hooks[0].features[0]": "unit",
}


def max_activating(
    session: Session,
    corpus: Iterable[str],
    hook: str,
    *,
    layer: int | None = None,
    unit: int,
    head: int | None = None,
    k: int = 20,
    context: int = 128,
) -> Operation[MaxActivating]:
    """The `k` places of a corpus at which a unit is most active, most active first, each with its window.

    The corpus is read as it is needed, and may be larger than memory. Each text is cut into windows of `context`
    tokens, which are run on their own; a window counts once, with its most active token. `unit` is the index along the
    hook point's last dimension, `head` the head where it has heads.

    >>> texts = ["Hello world", "Plants make fantastic pets"]
    >>> top = client.max_activating(texts, "mlp.hook_post", layer=5, unit=3, k=2)
    >>> len(top), top[0].value >= top[1].value
    (2, True)
    """
    if k < 1:
        raise InvalidArgument.of("k", f"got {k}, expected at least 1")
    _, model = yield from describe(session)
    if not 1 <= context <= model.n_positions:
        raise InvalidArgument.of("context", f"got {context}, expected 1 to {model.n_positions}")
    selector = Hook(hook, layer, heads=head, features=unit)
    best: list[tuple[float, int, Activation]] = []  # a heap; of equal values the earlier window stays
    quiet, order = session.quiet(), 0
    with Progress(session.progress, len(corpus) if isinstance(corpus, Sized) else None, "texts") as progress:
        for first, texts in _batches(corpus):
            infos = yield from tokenize(session, texts, skip_bad_inputs=True)
            windows = [window for number, info in enumerate(infos, first) for window in _windows(number, info, context)]
            if windows:
                inputs = [window.token_ids for window in windows]
                asked = extraction.extract(inputs, selector, rows=True)
                result = yield from renamed(carry_out(quiet, asked), _ARGUMENTS)
                if len(result.captures) != 1:
                    raise InvalidArgument.of(
                        "hook", f"got {hook!r}, which is {len(result.captures)} places: name a layer"
                    )
                for window, values in zip(windows, _split(result.captures[0].array, windows), strict=True):
                    order -= 1
                    _keep(best, k, order, Activation(window, int(values.argmax()), values))
            progress.add(len(texts))
    found = [activation for _, _, activation in sorted(best, key=lambda each: each[:2], reverse=True)]
    return MaxActivating(tuple(found), hook, layer, unit, head)


def _keep(best: list[tuple[float, int, Activation]], k: int, order: int, activation: Activation) -> None:
    item = (activation.value, order, activation)
    if len(best) < k:
        heapq.heappush(best, item)
    elif item[:2] > best[0][:2]:
        heapq.heapreplace(best, item)


def _batches(corpus: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
    """Texts that follow each other, and the number of the first."""
    texts: list[str] = []
    first = characters = 0
    for text in corpus:
        if texts and (characters + len(text) > _MOST_CHARACTERS or len(texts) == _MOST_TEXTS):
            yield first, texts
            first, texts, characters = first + len(texts), [], 0
        texts.append(text)
        characters += len(text)
    if texts:
        yield first, texts


def _windows(number: int, info: InputInfo, context: int) -> Iterator[Window]:
    for begin in range(0, len(info.token_ids), context):
        end = begin + context
        tokens = tuple(readable(piece) for piece in info.pieces[begin:end])
        yield Window(number, begin, info.token_ids[begin:end], tokens)


def _split(rows: Array, windows: Sequence[Window]) -> list[Array]:
    """Each window's values, [tokens]."""
    flat = rows.reshape(-1)
    ends = np.cumsum([len(window.token_ids) for window in windows])
    return [flat[end - len(window.token_ids) : end] for window, end in zip(windows, ends, strict=True)]
