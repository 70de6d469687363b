"""Texts to tokens and back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from hydrophone.connection.operation import Call, Operation
from hydrophone.errors import InvalidArgument
from hydrophone.operations.session import Session, describe
from hydrophone.proto import v1
from hydrophone.requests import inputs as input_messages
from hydrophone.requests.inputs import Inputs, Tokens
from hydrophone.requests.words import Words
from hydrophone.results.records import InputInfo


def tokenize(
    session: Session,
    inputs: Inputs,
    *,
    prepend_bos: bool = False,
    literal_specials: bool = False,
    skip_bad_inputs: bool = False,
) -> Operation[list[InputInfo]]:
    """The tokens of texts, as extract would run on them: one InputInfo for each. With `skip_bad_inputs`, that of a bad
    input, an empty text for instance, says why it has no tokens.

    >>> client.tokenize("Hello world")[0].pieces
    ('Hello', 'Ġworld')
    """
    given = input_messages.as_list(inputs)
    options = {"prepend_bos": prepend_bos, "literal_specials": literal_specials}
    messages = [input_messages.message(each, f"inputs[{i}]", **options) for i, each in enumerate(given)]
    response = yield from _tokenize(messages, skip_bad_inputs)
    return [
        InputInfo(number, each.key, tuple(each.token_ids), tuple(each.pieces), tuple(each.byte_offsets), each.skipped)
        for number, each in enumerate(response.inputs)
    ]


def _tokenize(messages: Sequence[Any], skip_bad_inputs: bool = False) -> Operation[Any]:
    request = v1.TokenizeRequest(inputs=messages, skip_bad_inputs=skip_bad_inputs)
    try:
        return (yield Call("Tokenize", request, v1.TokenizeResponse))
    except InvalidArgument as error:
        raise error.reworded(Words()) from None


def detokenize(session: Session, token_ids: Tokens | Sequence[Tokens]) -> Operation[list[str]]:
    """The texts that sequences of token ids stand for; bytes that are no UTF-8 become U+FFFD.

    >>> client.detokenize([15496, 995])
    ['Hello world']
    """
    sequences = input_messages.as_list(token_ids)
    if not sequences:
        return []
    request = v1.DetokenizeRequest()
    for number, ids in enumerate(sequences):
        message = input_messages.message(ids, f"token_ids[{number}]")
        if not message.token_ids:
            raise InvalidArgument.of(f"token_ids[{number}]", f"got {ids!r}, expected token ids")
        request.sequences.add(token_ids=message.token_ids)
    response = yield Call("Detokenize", request, v1.DetokenizeResponse)
    return [each.text for each in response.sequences]


def ids_of(texts: Iterable[str], argument: str) -> Operation[dict[str, int]]:
    """The ids of texts that are one token each."""
    wanted = list(dict.fromkeys(texts))
    if not wanted:
        return {}
    messages = [v1.Input(text=text) for text in wanted]
    response = yield from _tokenize(messages)
    found = {}
    for text, tokens in zip(wanted, response.inputs, strict=True):
        if len(tokens.token_ids) != 1:
            pieces = list(tokens.pieces)
            raise InvalidArgument.of(argument, f"got {text!r}, which is the tokens {pieces}, expected one token")
        found[text] = tokens.token_ids[0]
    return found


def counts(session: Session, messages: Sequence[Any], most: Sequence[int]) -> Operation[list[int]]:
    """How many tokens each Input message has; `most` where that cannot be told, since Extract's error tells why."""
    limits, _ = yield from describe(session)
    result = list(most)
    begin = 0
    while begin < len(messages):
        end, size = begin, 0
        while end < len(messages) and end - begin < limits.max_inputs_per_request:
            size += messages[end].ByteSize() + 6
            if end > begin and size > _TOKENIZE_BYTES:
                break
            end += 1
        try:
            response = yield from _tokenize(messages[begin:end], skip_bad_inputs=True)
        except InvalidArgument:
            pass
        else:
            for number, tokens in enumerate(response.inputs, begin):
                if tokens.token_ids:
                    result[number] = min(result[number], len(tokens.token_ids))
        begin = end
    return result


# The bytes of the texts in one Tokenize request, so that its answer, which is several times as long, stays small.
_TOKENIZE_BYTES = 1 << 20
