"""hp.replay: asks a server for a saved capture again."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
from typing import Any

import numpy as np

from hydrophone.client import Client, check_blocking
from hydrophone.connection.operation import Operation
from hydrophone.errors import InvalidArgument, Precondition
from hydrophone.extras import need
from hydrophone.operations.extract import repeat
from hydrophone.operations.session import Session, model
from hydrophone.proto import v1
from hydrophone.replay.proof import Replay, compare
from hydrophone.results.files import request_in

# Arrays of a file that are no captures.
_TOKENS, _COUNTS, _ROWS = "token_ids", "token_counts", "rows"


def replay(path: str | os.PathLike[str], client: Client | None = None) -> Replay:
    """Asks a server for what a file holds, and compares: every bit where the server's numerics are the file's, else
    within 5e-6 of the array's largest value (attention scores 2e-5; a step of the type more for halves), within which
    right results of other orders of summation lie.

    The file is one that Result.save or `hydrophone extract --out FILE.safetensors` wrote. Without `client`, the server
    is HYDROPHONE_SERVER's. Precondition: the server has another model, by the digest of its weights. InvalidArgument: a
    file that holds no whole request. Needs hydrophone[files].

    >>> import pathlib, tempfile
    >>> saved = pathlib.Path(tempfile.mkdtemp()) / "capture.safetensors"
    >>> _ = client.extract("Hello world", ["attn.c_proj", "resid_post"], layers=10).save(saved)
    >>> hp.replay(saved, client).passed
    True
    """
    check_blocking(client)
    file = _File(pathlib.Path(path))
    with contextlib.nullcontext(client) if client is not None else Client() as asked:
        return asked.run(_replay(asked.session, file))


class _File:
    """A saved capture."""

    def __init__(self, path: pathlib.Path) -> None:
        safetensors = need("safetensors", "files")
        self.path = path
        try:
            with safetensors.safe_open(os.fspath(path), framework="numpy") as file:
                metadata = file.metadata() or {}
                arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (it is no mapping)
        except safetensors.SafetensorError as error:
            raise InvalidArgument.of("path", f"{path} is no .safetensors file: {error}") from None
        self.request = request_in(metadata)
        if self.request is None or "hydrophone.provenance" not in metadata:
            why = metadata.get("hydrophone.request_note", "it was not saved by hydrophone, or by an older version")
            raise InvalidArgument.of("path", f"{path} holds no request that could be made again: {why}")
        self.provenance: dict[str, Any] = json.loads(metadata["hydrophone.provenance"])
        self.tokens = arrays.pop(_TOKENS), arrays.pop(_COUNTS)
        self.arrays = {name: array for name, array in arrays.items() if name.rpartition(".")[2] != _ROWS}


def _replay(session: Session, file: _File) -> Operation[Replay]:
    described = yield from model(session)
    before = file.provenance
    if described.weights_sha256 != before["weights_sha256"]:
        raise Precondition(
            f"{file.path} was captured from another model: {before['model']}, weights {before['weights_sha256']}; the "
            f"server has {described.name}, weights {described.weights_sha256}"
        )
    result = yield from repeat(session, _again(file.request))
    ids = np.concatenate([np.zeros(0, dtype=np.int64), *result.token_ids])
    counts = np.array([len(info.token_ids) for info in result.inputs], dtype=np.int64)
    return Replay(
        path=file.path,
        model=described.name,
        weights_sha256=described.weights_sha256,
        numerics=(before["numerics"], described.numerics),
        tokens_equal=np.array_equal(ids, file.tokens[0]) and np.array_equal(counts, file.tokens[1]),
        arrays=compare(file.arrays, result, before["numerics"] == described.numerics),
    )


def _again(request: Any) -> Any:
    """The request without its preconditions, since differences are to be told, and with its short forms written out."""
    again = v1.ExtractRequest()
    again.CopyFrom(request)
    for field in ("model", "numerics", "max_response_bytes", "texts", "hook_points", "inputs", "hooks"):
        again.ClearField(field)
    again.inputs.extend(v1.Input(text=text) for text in request.texts)
    again.inputs.extend(request.inputs)
    again.hooks.extend(v1.HookSelector(hook_point=name) for name in request.hook_points)
    again.hooks.extend(request.hooks)
    return again
