"""generate: continuations of prompts."""

from __future__ import annotations

from hydrophone.connection.operation import Operation
from hydrophone.operations.extract import carry_out
from hydrophone.operations.session import Session
from hydrophone.operations.tokens import detokenize, tokenize
from hydrophone.requests import extraction
from hydrophone.requests.hooks import Hook
from hydrophone.requests.inputs import Inputs, as_list
from hydrophone.results.generation import Continuation


def generate(
    session: Session, prompts: Inputs, max_new_tokens: int = 20, *, prepend_bos: bool = False
) -> Operation[list[Continuation]]:
    """Continues each prompt greedily by up to `max_new_tokens` tokens, or until the model's end-of-text token. The
    server has no sampling, and no edits while generating; extract's `max_new_tokens` captures over prompt and
    continuation.

    >>> [continuation] = client.generate("Hello world", 3)
    >>> len(continuation.token_ids)
    3
    """
    given = as_list(prompts)
    before = yield from tokenize(session, given, prepend_bos=prepend_bos)
    least = Hook("hook_embed", positions="last", features=[0])  # a request captures something
    asked = extraction.extract(given, least, max_new_tokens=max_new_tokens, prepend_bos=prepend_bos, rows=True)
    result = yield from carry_out(session, asked)
    new = [info.token_ids[len(prompt.token_ids) :] for prompt, info in zip(before, result.inputs, strict=True)]
    spelt = yield from detokenize(session, [ids for ids in new if ids])
    texts = iter(spelt)
    return [
        Continuation(prompt.token_ids, ids, next(texts) if ids else "") for prompt, ids in zip(before, new, strict=True)
    ]
