"""The format of SAELens's cached activations: a Hugging Face data set on disk."""

from __future__ import annotations

import json
import pathlib
import tempfile
from collections.abc import Mapping, Sequence
from typing import IO, Any

import numpy as np

from hydrophone.bulk.formats import METADATA, described
from hydrophone.extras import need
from hydrophone.files import whole_file
from hydrophone.wire.tensors import Array


class DataSet:
    """A row for each window: float32 [`rows_of`, `width`] under the hook point's name, and int32 [rows_of]
    "token_ids", as sae_lens/cache_activations_runner.py declares them. A shard is a file of the data set; the files of
    datasets.load_from_disk, dataset_info.json and state.json, are written at the end. Needs hydrophone[sae-lens]."""

    name, suffix = "sae-lens", ".arrow"

    def __init__(self, hook: str, rows_of: int, width: int) -> None:
        self._hook, self._rows_of, self._width = hook, rows_of, width

    def check(self) -> None:
        need("datasets", "sae-lens")

    def write(self, path: pathlib.Path, arrays: Mapping[str, Array], description: Any) -> None:
        arrow = need("pyarrow", "sae-lens")
        schema = self._features().arrow_schema
        rows = np.ascontiguousarray(arrays[self._hook], dtype=np.float32).reshape(-1, self._width)
        values = _lists(arrow, _lists(arrow, arrow.array(rows.reshape(-1)), self._width), self._rows_of)
        values = arrow.ExtensionArray.from_storage(schema.field(self._hook).type, values)
        ids = arrow.array(arrays["token_ids"].astype(np.int32))
        ids = arrow.FixedSizeListArray.from_arrays(ids, type=schema.field("token_ids").type)
        schema = schema.with_metadata({**schema.metadata, METADATA: described(description)})
        table = arrow.Table.from_arrays([values, ids], schema=schema)

        def write(file: IO[bytes]) -> None:
            with arrow.ipc.new_stream(file, schema) as stream:
                stream.write_table(table)

        whole_file.replace(path, write)

    def read_header(self, path: pathlib.Path) -> tuple[dict[str, Any], Any]:
        arrow = need("pyarrow", "sae-lens")
        with arrow.memory_map(str(path)) as file, arrow.ipc.open_stream(file) as stream:
            description = json.loads(stream.schema.metadata[METADATA.encode()])
        windows = description["rows"] // self._rows_of
        values = {"dtype": "F32", "shape": [windows, self._rows_of, self._width]}
        return {self._hook: values, "token_ids": {"dtype": "I32", "shape": [windows, self._rows_of]}}, description

    def finish(self, directory: pathlib.Path, files: Sequence[str], job: Any) -> None:
        """What datasets.load_from_disk begins with; state.json as sae_lens/cache_activations_runner.py makes it."""
        info = need("datasets", "sae-lens").DatasetInfo(features=self._features())
        with tempfile.TemporaryDirectory() as there:
            info.write_to_directory(there)
            described_so = json.loads(pathlib.Path(there, _INFO).read_text())
        state = {
            "_data_files": [{"filename": name} for name in files],
            "_fingerprint": job.digest,
            "_format_columns": None,
            "_format_kwargs": {},
            "_format_type": None,
            "_output_all_columns": False,
            "_split": None,
        }
        whole_file.write_json(directory / _INFO, described_so)
        whole_file.write_json(directory / "state.json", state)

    def _features(self) -> Any:
        datasets = need("datasets", "sae-lens")
        values = datasets.Array2D(shape=(self._rows_of, self._width), dtype="float32")
        ids = datasets.Sequence(datasets.Value("int32"), length=self._rows_of)
        return datasets.Features({self._hook: values, "token_ids": ids})


_INFO = "dataset_info.json"


def _lists(arrow: Any, values: Any, size: int) -> Any:
    """Values as lists of `size`."""
    offsets = np.arange(len(values) // size + 1, dtype=np.int32) * size
    return arrow.ListArray.from_arrays(arrow.array(offsets), values)
