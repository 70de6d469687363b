"""generate: continuations of prompts, with edits too."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hydrophone.connection.operation import Operation
from hydrophone.errors import InvalidArgument
from hydrophone.operations.extract import carry_out, renamed
from hydrophone.operations.progress import Progress
from hydrophone.operations.session import Session, describe
from hydrophone.operations.tokens import detokenize, tokenize
from hydrophone.requests import extraction
from hydrophone.requests.edits import Edit
from hydrophone.requests.hooks import Hook, lens
from hydrophone.requests.inputs import Input, Inputs, as_list
from hydrophone.requests.runs import as_edits
from hydrophone.results.generation import Continuation
from hydrophone.results.records import InputInfo

Ids = tuple[int, ...]

_ARGUMENTS = {"inputs": "prompts"}


def generate(
    session: Session,
    prompts: Inputs,
    max_new_tokens: int = 20,
    *,
    edits: Edit | Iterable[Edit] | None = None,
    prepend_bos: bool = False,
) -> Operation[list[Continuation]]:
    """Continues each prompt greedily by up to `max_new_tokens` tokens, or until the model's end-of-text token. The
    server has no sampling.

    With `edits` each token is a request of its own, since the server does not edit while it generates: a forward pass
    over prompt and continuation so far, in which every edit is made as in a prompt of that length. An edit of all
    positions reaches the new tokens too, as a hook does in TransformerLens's generate; "last" is the newest token's
    position alone, and the earlier ones' states are then those without the edit. Refused: hp.patch, whose other run
    there is not. extract's `max_new_tokens` captures over prompt and continuation.

    >>> [continuation] = client.generate("Hello world", 3)
    >>> len(continuation.token_ids)
    3
    >>> [steered] = client.generate("Hello world", 3, edits=hp.scale("mlp_out", 4, layers=[5, 6]))
    >>> steered.prompt_ids == continuation.prompt_ids
    True
    """
    given, changes = as_list(prompts), as_edits(edits)
    before = yield from renamed(tokenize(session, given, prepend_bos=prepend_bos), _ARGUMENTS)
    if changes:
        new = yield from _edited(session, before, changes, max_new_tokens)
    else:
        new = yield from _on_the_server(session, given, before, max_new_tokens, prepend_bos)
    spelt = yield from detokenize(session, [ids for ids in new if ids])
    texts = iter(spelt)
    return [
        Continuation(prompt.token_ids, ids, next(texts) if ids else "") for prompt, ids in zip(before, new, strict=True)
    ]


def _on_the_server(
    session: Session, given: list[Input], before: Sequence[InputInfo], max_new_tokens: int, prepend_bos: bool
) -> Operation[list[Ids]]:
    least = Hook("hook_embed", positions="last", features=[0])  # a request captures something
    asked = extraction.extract(given, least, max_new_tokens=max_new_tokens, prepend_bos=prepend_bos, rows=True)
    result = yield from renamed(carry_out(session, asked), _ARGUMENTS)
    return [info.token_ids[len(prompt.token_ids) :] for prompt, info in zip(before, result.inputs, strict=True)]


def _edited(
    session: Session, before: Sequence[InputInfo], edits: Sequence[Edit], max_new_tokens: int
) -> Operation[list[Ids]]:
    """Token by token; of equally likely ones the lowest id, as on the server. A continuation keeps the end-of-text
    token that ends it, and is then asked no more."""
    for number, edit in enumerate(edits):
        if edit.kind == "patch":
            raise InvalidArgument.of(f"edits[{number}]", "got a patch, expected an edit that names no other run")
    _, model = yield from describe(session)
    room = model.n_positions - max(len(prompt.token_ids) for prompt in before)
    if not 0 <= max_new_tokens <= room:
        raise InvalidArgument.of("max_new_tokens", f"got {max_new_tokens}, expected at most {room}: the context's rest")
    new: list[Ids] = [()] * len(before)
    growing = list(range(len(before)))
    with Progress(session.progress, max_new_tokens, "tokens") as progress:
        for _ in range(max_new_tokens):
            texts = [before[number].token_ids + new[number] for number in growing]
            found = yield from _next(session.quiet(), texts, edits)
            for number, token in zip(growing, found, strict=True):
                new[number] += (token,)
            growing = [number for number in growing if new[number][-1] not in model.eos_token_ids]
            progress.add(1)
            if not growing:
                break
    return new


def _next(session: Session, texts: list[Ids], edits: Sequence[Edit]) -> Operation[list[int]]:
    """Each text's most likely next token."""
    most_likely = Hook("logits", positions="last", lens=lens(1))
    asked = extraction.extract(texts, most_likely, edits=edits)
    result = yield from renamed(carry_out(session, asked), _ARGUMENTS)
    return [result.scores("logits", run=run.number)[0].token_id for run in result.runs]
