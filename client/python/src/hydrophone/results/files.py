"""A result as a .safetensors file.

Arrays are named as `hydrophone extract --out` names them. "token_ids" and "token_counts" (int64) hold the inputs'
tokens, the metadata's "hydrophone.request" the request as the API's JSON, and "hydrophone.result" everything else as
JSON, so that hp.load gives an equal result.
"""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from google.protobuf import json_format

from hydrophone.errors import InvalidArgument
from hydrophone.extras import need
from hydrophone.files import safetensors_file, whole_file
from hydrophone.proto import v1
from hydrophone.results.capture import Capture
from hydrophone.results.convert import named_arrays
from hydrophone.results.records import InputInfo, Provenance

if TYPE_CHECKING:
    from hydrophone.results.result import Result

_FIELDS = ("name", "asked", "hugging_face_name", "layer", "selector", "runs", "rows", "baseline", "lens_logits")

# A request with longer inputs than this, in bytes of JSON, is kept without them: readers refuse long headers.
_MOST_REQUEST_BYTES = 32 << 20


def save(result: Result, path: str | os.PathLike[str]) -> pathlib.Path:
    """Writes the file. Refused: a result that holds something else than arrays."""
    target = pathlib.Path(path)
    named = named_arrays(result)
    if len(named) < len(result.captures):
        raise InvalidArgument.of("path", "got a result with summaries, scores or comparisons, expected arrays alone")
    arrays = {name: capture.array for name, capture in named.items()}
    arrays["token_ids"] = np.concatenate([np.zeros(0, dtype=np.int64), *result.token_ids])
    arrays["token_counts"] = np.array([len(info.token_ids) for info in result.inputs], dtype=np.int64)
    pieces = {str(i): piece for info in result.inputs for i, piece in zip(info.token_ids, info.pieces, strict=False)}
    metadata = {
        "hydrophone.provenance": json.dumps(dataclasses.asdict(result.provenance)),
        "hydrophone.pieces": json.dumps(pieces),
        "hydrophone.result": json.dumps(_describe(result, named)),
        **_request_entries(result.request),
    }
    safetensors_file.write(target, arrays, metadata, mark=whole_file.this_process())
    return target


def load(path: str | os.PathLike[str]) -> Result:
    """The result that Result.save wrote. Needs hydrophone[files]."""
    from hydrophone.results.result import Result, RunInfo

    safetensors = need("safetensors", "files")
    with safetensors.safe_open(os.fspath(path), framework="numpy") as file:
        metadata = file.metadata() or {}
        if "hydrophone.result" not in metadata:
            raise InvalidArgument.of("path", f"got {os.fspath(path)}, expected a file that Result.save wrote")
        described = json.loads(metadata["hydrophone.result"])
        captures = [
            Capture(**_tuples(fields), value=file.get_tensor(name)) for name, fields in described["captures"].items()
        ]
    return Result(
        inputs=tuple(InputInfo(**_tuples(info)) for info in described["inputs"]),
        runs=tuple(RunInfo(**run) for run in described["runs"]),
        captures=tuple(captures),
        provenance=Provenance(**json.loads(metadata["hydrophone.provenance"])),
        request=request_in(metadata),
        **described["numbers"],
    )


def request_in(metadata: Mapping[str, str]) -> Any:
    """The ExtractRequest that a file's metadata holds; None when it holds none, or only a part of one."""
    if "hydrophone.request" not in metadata or "hydrophone.request_note" in metadata:
        return None
    return json_format.Parse(metadata["hydrophone.request"], v1.ExtractRequest(), ignore_unknown_fields=True)


def _request_entries(request: Any) -> dict[str, str]:
    """The metadata of a request, as `hydrophone extract --out` writes it."""
    if request is None:
        return {}
    text = json_format.MessageToJson(request, indent=None)
    if len(text) <= _MOST_REQUEST_BYTES:
        return {"hydrophone.request": text}
    without = type(request)()
    without.CopyFrom(request)
    del without.inputs[:]
    note = f"{len(request.inputs)} inputs are left out of hydrophone.request"
    return {"hydrophone.request": json_format.MessageToJson(without, indent=None), "hydrophone.request_note": note}


def _describe(result: Result, named: dict[str, Capture]) -> dict[str, Any]:
    numbers = ("n_layer", "data_bytes", "nonfinite", "queue_seconds", "compute_seconds")
    return {
        "inputs": [dataclasses.asdict(info) for info in result.inputs],
        "runs": [dataclasses.asdict(run) for run in result.runs],
        "captures": {name: {field: getattr(each, field) for field in _FIELDS} for name, each in named.items()},
        "numbers": {name: getattr(result, name) for name in numbers},
    }


def _tuples(fields: dict[str, Any]) -> dict[str, Any]:
    """JSON's lists as the tuples that they were."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()}
