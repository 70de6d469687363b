"""The model's weights, or rows of them."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from typing import Any

from hydrophone.connection.operation import Event, Operation, Read
from hydrophone.errors import InvalidArgument
from hydrophone.operations.session import Session
from hydrophone.operations.tokens import ids_of
from hydrophone.proto import v1
from hydrophone.requests import values
from hydrophone.requests.tokens import Token, as_tokens, token_id
from hydrophone.requests.words import Words
from hydrophone.results.parameters import ParameterInfo, Parameters
from hydrophone.results.records import Provenance, read
from hydrophone.wire.streams import ParametersAssembler

_ENDS = ("weight", "bias")


def parameters(
    session: Session,
    names: str | Sequence[str] = (),
    *,
    rows: Sequence[int] | None = None,
    tokens: Token | Iterable[Token] | None = None,
    dtype: str | None = None,
    weights_sha256: str = "",
) -> Operation[Parameters]:
    """The model's parameters by Hugging Face's names ("wte", "h.3.attn.c_attn", "ln_f.weight") or patterns of them
    ("h.3.*"); none: all of them. A module's name means its weight and its bias.

    `rows` are the rows wanted of each, by index along the first dimension; `tokens` the rows of these tokens, given as
    text that is one token, or as ids. `dtype` is that of the wire; arrays are those of the checkpoint, in Hugging
    Face's shapes: wte [vocabulary, width], Conv1D weights [in, out]. `weights_sha256` is a precondition.

    >>> client.parameters("wte", tokens=[" Paris"])["wte"].shape
    (1, 64)
    """
    asked = [names] if isinstance(names, str) else list(names)
    if rows is not None and tokens is not None:
        raise InvalidArgument.of("tokens", "got both rows and tokens, expected one")
    wanted = as_tokens(tokens)
    known = yield from ids_of([each for each in wanted if isinstance(each, str)], "tokens")
    numbers = [token_id(each, known, "tokens") for each in wanted] or values.numbers(rows, "rows")
    if (rows is not None or tokens is not None) and not (numbers and asked):
        raise InvalidArgument.of("names" if numbers else "rows", "got none, expected at least one")
    request = v1.GetParametersRequest(dtype=values.dtype(dtype), weights_sha256=weights_sha256)
    words = Words()
    for place, name in enumerate(asked):
        request.parameters.add(name=_with_ends(name), rows=numbers)
        words.add(f"parameters[{place}].name", "names" if isinstance(names, str) else f"names[{place}]")
        words.add(f"parameters[{place}].rows", "tokens" if wanted else "rows")
    events = yield from _read(request, words)
    header = _header(events)
    arrays = {value[0].name: value[1] for kind, value in events if kind == "tensor"}
    return Parameters(arrays, read(Provenance, header.provenance))


def list_parameters(session: Session, names: str | Sequence[str] = ()) -> Operation[list[ParameterInfo]]:
    """The parameters' names and shapes, without their values.

    >>> client.list_parameters("wte")[0].shape
    (50257, 64)
    """
    asked = [names] if isinstance(names, str) else list(names)
    request = v1.GetParametersRequest(list_only=True)
    for name in asked:
        request.parameters.add(name=_with_ends(name))
    events = yield from _read(request, Words())
    return [read(ParameterInfo, each) for each in _header(events).parameters]


def _with_ends(name: str) -> str:
    """The pattern of a module's parameters, when a name is a module's."""
    return name if name.rpartition(".")[2] in _ENDS or "*" in name or "{" in name else f"{name}.{{weight,bias}}"


def _read(request: Any, words: Words) -> Operation[list[Event]]:
    try:
        events: list[Event] = yield Read(
            "GetParameters", request, functools.partial(ParametersAssembler, request.list_only)
        )
    except InvalidArgument as error:
        raise error.reworded(words) from None
    return events


def _header(events: list[Event]) -> Any:
    return next(value for kind, value in events if kind == "header")
