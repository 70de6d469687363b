"""What to run the model on."""

from __future__ import annotations

import dataclasses
import numbers as abstract
from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from hydrophone.errors import InvalidArgument
from hydrophone.proto import v1

Tokens: TypeAlias = "Sequence[int] | npt.NDArray[np.integer[Any]]"


@dataclasses.dataclass(frozen=True)
class Text:
    """An input with options of its own.

    `content` is a text, raw bytes (valid UTF-8 or not), or token ids. `key` is the caller's own name for it. None
    leaves an option to the call's: `prepend_bos` puts the beginning-of-sequence token in front; `literal_specials`
    reads the spelling of a special token as ordinary text; `truncate` keeps the first tokens of a text that is too
    long.
    """

    content: str | bytes | Tokens
    key: str = ""
    prepend_bos: bool | None = None
    literal_specials: bool | None = None
    truncate: bool | None = None


Input: TypeAlias = "str | bytes | Text | Tokens"
Inputs: TypeAlias = "Input | Iterable[Input]"


def as_list(inputs: Inputs) -> list[Input]:
    """The inputs of an argument that takes one or several. A list of whole numbers is one input of token ids."""
    if isinstance(inputs, (str, bytes, Text)):
        return [inputs]
    if isinstance(inputs, np.ndarray):
        return [inputs] if inputs.ndim == 1 else list(inputs)
    several: list[Any] = list(inputs)
    if several and all(isinstance(each, abstract.Integral) for each in several):
        return [several]
    return several


def message(
    given: Input, argument: str, *, prepend_bos: bool = False, literal_specials: bool = False, truncate: bool = False
) -> Any:
    """The Input message."""
    text = given if isinstance(given, Text) else Text(given)
    result = v1.Input(key=text.key)
    defaults = {"prepend_bos": prepend_bos, "literal_specials": literal_specials, "truncate": truncate}
    for option, default in defaults.items():
        own = getattr(text, option)
        setattr(result, option, default if own is None else own)
    if isinstance(text.content, str):
        try:
            result.text = text.content
        except (UnicodeError, ValueError):
            raise InvalidArgument.of(argument, "got a text that is no Unicode (a lone surrogate)") from None
    elif isinstance(text.content, bytes):
        result.raw_text = text.content
    else:
        result.literal_specials = False  # ids are what they are
        try:
            result.token_ids.extend(int(each) for each in text.content)
        except (TypeError, ValueError):
            kind = type(text.content).__name__
            raise InvalidArgument.of(argument, f"got {kind}, expected a text, bytes or token ids") from None
    return result
