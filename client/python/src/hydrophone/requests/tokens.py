"""Tokens that a caller names by their text: " Paris" instead of its id."""

from __future__ import annotations

import numbers
from collections.abc import Iterable, Mapping
from typing import TypeAlias

from hydrophone.errors import InvalidArgument

Token: TypeAlias = "str | int"
TokenIds: TypeAlias = "Mapping[str, int]"


def as_tokens(tokens: Token | Iterable[Token] | None) -> tuple[Token, ...]:
    """The tokens of an argument that takes one or several."""
    if tokens is None:
        return ()
    if isinstance(tokens, (str, numbers.Integral)):
        return (tokens,)
    return tuple(tokens)  # type: ignore[arg-type]


def token_id(token: Token, known: TokenIds, argument: str) -> int:
    """The id of a token; `known` has those of texts."""
    if isinstance(token, str):
        return known[token]
    if isinstance(token, numbers.Integral):
        return int(token)
    raise InvalidArgument.of(argument, f"got {token!r}, expected a token's text or its id")
