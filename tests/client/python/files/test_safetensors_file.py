"""Files of safetensors: the library reads them, and arrays are written from their own memory."""

import tracemalloc

import numpy as np
import pytest
from python_client import hp
from safetensors import safe_open
from safetensors.numpy import load_file, save

from hydrophone.files import safetensors_file

# NumPy's types that the format has, and arrays that are empty, without dimensions, turned, or of the other byte order.
ARRAYS = {
    **{name: np.arange(3).astype(name) for name in ("f8", "f4", "f2", "i8", "i4", "i2", "i1", "u8", "u4", "u2", "u1")},
    "bool": np.array([True, False]),
    "none": np.zeros((0, 4), dtype=np.float32),
    "scalar": np.array(2.5),
    "turned": np.arange(6, dtype=np.float32).reshape(2, 3).T,
    "big": np.arange(3, dtype=">f4"),
}


def test_the_library_reads_what_is_written(tmp_path):
    path = tmp_path / "x"
    safetensors_file.write(path, ARRAYS, {"a": "ä", "b": '{"c": 1}'})
    with safe_open(path, framework="numpy") as file:
        assert file.metadata() == {"a": "ä", "b": '{"c": 1}'}
    found = load_file(path)
    assert set(found) == set(ARRAYS)
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(found[name], array, strict=name != "big")


def test_the_bytes_are_those_of_the_library(tmp_path):
    arrays = {name: ARRAYS[name] for name in ("f4", "none", "i8", "f2")}
    safetensors_file.write(tmp_path / "x", arrays, {"a": "b"})
    assert (tmp_path / "x").read_bytes() == save(arrays, {"a": "b"})


def test_the_header_is_read(tmp_path):
    safetensors_file.write(tmp_path / "x", {"f4": ARRAYS["f4"]}, {"a": "b"})
    expected = {"__metadata__": {"a": "b"}, "f4": {"dtype": "F32", "shape": [3], "data_offsets": [0, 12]}}
    assert safetensors_file.read_header(tmp_path / "x") == expected


def test_a_type_that_the_format_lacks_is_refused(tmp_path):
    with pytest.raises(hp.InvalidArgument, match="mine: got complex128, expected one of F64, F32") as caught:
        safetensors_file.write(tmp_path / "x", {"mine": np.zeros(1, dtype=complex)}, {})
    assert caught.value.argument == "mine" and not list(tmp_path.iterdir())


def test_no_array_is_copied(tmp_path):
    arrays = {name: np.ones(1 << 20, dtype=np.float32) for name in "abcd"}
    tracemalloc.start()
    try:
        safetensors_file.write(tmp_path / "x", arrays, {})
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < arrays["a"].nbytes / 4
