"""Texts as windows of equally many tokens, packed as SAELens packs them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeAlias

from hydrophone.bulk.corpus import Corpus
from hydrophone.connection.operation import Operation
from hydrophone.errors import InvalidArgument
from hydrophone.operations.extract import renamed
from hydrophone.operations.session import Session
from hydrophone.operations.tokens import tokenize
from hydrophone.requests.inputs import Input, Text
from hydrophone.results.records import InputInfo, ModelInfo

# Texts that are tokenized at a time: as many as stay below this many characters or token ids.
_MOST_CHARACTERS = 1 << 18
_MOST_TEXTS = 256

Infos: TypeAlias = list[InputInfo]
Ask: TypeAlias = Callable[[Callable[[], Operation[Infos]]], Infos]


def check_context(context: int, prepend_bos: bool, model: ModelInfo) -> None:
    """Refuses a window that the model cannot take, or that has no room for a text's token."""
    least = 2 if prepend_bos and model.bos_token_id is not None else 1
    if not least <= context <= model.n_positions:
        raise InvalidArgument.of("context", f"got {context}, expected {least} to {model.n_positions}")


def packed(texts: Iterable[Sequence[int]], context: int, bos: int | None, prepend_bos: bool) -> Iterator[list[int]]:
    """Windows of `context` tokens: the texts one after the other, with `bos` between them, and in front of each window
    with `prepend_bos`, unless a text has it there already; what is left at the end is dropped. The same as SAELens's
    concat_and_batch_sequences (sae_lens/tokenization_and_batching.py) with the separator "bos"."""
    window: list[int] = []
    for ids in texts:
        if window and bos is not None and ids[0] != bos:
            window.append(bos)
        at = 0
        while at < len(ids):
            if not window and prepend_bos and bos is not None and ids[at] != bos:
                window.append(bos)
            taken = ids[at : at + context - len(window)]
            window.extend(taken)
            at += len(taken)
            if len(window) == context:
                yield window
                window = []


def token_ids(
    session: Session, ask: Ask, corpus: Corpus, order: Iterable[int], skipped: set[int]
) -> Iterator[tuple[int, ...]]:
    """The token ids of a corpus's texts in an order; `ask` carries an operation out, and may begin it again. Texts
    without tokens are left out, and their numbers go into `skipped`."""
    for numbers, texts in _batches(corpus, order):
        infos = ask(functools.partial(_tokenize, session, numbers, texts))
        for number, info in zip(numbers, infos, strict=True):
            if info.token_ids:
                yield info.token_ids
            else:
                skipped.add(number)


def too_small(corpus: Corpus, context: int) -> InvalidArgument:
    """The error of a corpus that fills no window."""
    return InvalidArgument.of(
        "corpus", f"got {len(corpus)} texts that fill no window of {context} tokens, expected at least one window"
    )


def _tokenize(session: Session, numbers: list[int], texts: list[Input]) -> Operation[Infos]:
    names = {f"inputs[{place}]": f"corpus[{number}]" for place, number in enumerate(numbers)}
    return renamed(tokenize(session, texts, skip_bad_inputs=True), names)


def _batches(corpus: Corpus, order: Iterable[int]) -> Iterator[tuple[list[int], list[Input]]]:
    """Texts that follow each other in the order, with their numbers."""
    numbers: list[int] = []
    texts: list[Input] = []
    size = 0
    for number in order:
        text = corpus[number]
        length = len(text.content if isinstance(text, Text) else text)
        if numbers and (size + length > _MOST_CHARACTERS or len(numbers) == _MOST_TEXTS):
            yield numbers, texts
            numbers, texts, size = [], [], 0
        numbers.append(number)
        texts.append(text)
        size += length
    if numbers:
        yield numbers, texts
