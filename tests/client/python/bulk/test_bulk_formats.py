"""Formats of a shard's file: other readers read them, and equal arrays give equal bytes."""

import json
import sys

import numpy as np
import pytest
from conftest import cache_directory
from python_client import hp

from hydrophone.bulk import formats

ARRAYS = {
    "b": np.arange(6, dtype=np.float32).reshape(2, 3),
    "a": np.arange(2, dtype=np.int64),
    "half": np.ones((2, 1), dtype=np.float16),
    "heads": np.arange(24, dtype=np.float32).reshape(2, 4, 3),
}


@pytest.fixture(scope="module", autouse=True)
def pyarrow():
    """It is among TransformerLens's packages."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [*sys.path, str(cache_directory() / "transformer-lens")])
        yield


@pytest.fixture(params=formats.FORMATS)
def files(request):
    return formats.named(request.param)


def test_the_safetensors_package_reads_what_is_written(tmp_path):
    from safetensors import safe_open

    given = {**ARRAYS, "none": np.zeros((0, 4), dtype=np.float32)}
    formats.Safetensors().write(tmp_path / "x", given, {"rows": 2})
    with safe_open(tmp_path / "x", framework="numpy") as file:
        assert json.loads(file.metadata()["hydrophone.shard"]) == {"rows": 2}
        assert set(file.keys()) == set(given)
        for name, array in given.items():
            np.testing.assert_array_equal(file.get_tensor(name), array)
            assert file.get_tensor(name).dtype == array.dtype


def test_pyarrow_reads_what_is_written(tmp_path):
    from pyarrow import parquet

    formats.Parquet().write(tmp_path / "x", ARRAYS, {"rows": 2})
    table = parquet.read_table(tmp_path / "x")
    assert table.column_names == sorted(ARRAYS) and len(table) == 2
    for name, array in ARRAYS.items():
        found = np.array(table[name].to_pylist(), dtype=array.dtype)
        np.testing.assert_array_equal(found, array)
    assert str(table.schema.field("half").type).startswith("fixed_size_list<element: halffloat")


def test_a_header_has_types_shapes_and_the_description(files, tmp_path):
    files.write(tmp_path / "x", ARRAYS, {"rows": 2, "skipped": {}})
    header, description = files.read_header(tmp_path / "x")
    found = {name: (each["dtype"], each["shape"]) for name, each in header.items()}
    assert found == {"a": ("I64", [2]), "b": ("F32", [2, 3]), "half": ("F16", [2, 1]), "heads": ("F32", [2, 4, 3])}
    assert description == {"rows": 2, "skipped": {}}


def test_a_shard_without_rows(files, tmp_path):
    files.write(tmp_path / "x", {"b": np.zeros((0, 4), dtype=np.float32), "a": np.zeros(0, dtype=np.int64)}, None)
    header, _ = files.read_header(tmp_path / "x")
    assert header["b"]["shape"] == [0, 4] and header["a"]["shape"] == [0]


def test_bytes_do_not_depend_on_the_order_of_names(files, tmp_path):
    for name, arrays in (("x", ARRAYS), ("y", dict(reversed(ARRAYS.items())))):
        files.write(tmp_path / name, arrays, {"rows": 2})
    assert (tmp_path / "x").read_bytes() == (tmp_path / "y").read_bytes()


def test_arrays_that_are_not_contiguous_are_written_as_they_stand(files, tmp_path):
    turned = ARRAYS["b"][:, ::-1]
    files.write(tmp_path / "x", {"b": turned}, None)
    files.write(tmp_path / "y", {"b": turned.copy()}, None)
    assert (tmp_path / "x").read_bytes() == (tmp_path / "y").read_bytes()


def test_a_full_disk_is_told(files, tmp_path):
    (tmp_path / ".x.partial").symlink_to("/dev/full")
    with pytest.raises(hp.DiskFull, match="there is no room for"):
        files.write(tmp_path / "x", ARRAYS, None)
    assert not list(tmp_path.iterdir())


def test_an_unknown_format_and_a_missing_package_are_named(monkeypatch):
    with pytest.raises(hp.InvalidArgument, match="format: got 'csv', expected one of safetensors, parquet"):
        formats.named("csv")
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(ImportError, match=r"pyarrow is not installed: pip install 'hydrophone\[parquet\]'"):
        formats.named("parquet")
