"""Files of a bulk job: whole or not at all."""

import errno
import json
import os

import numpy as np
import pytest
from python_client import hp

from hydrophone.bulk import storage

ARRAYS = {
    "b": np.arange(6, dtype=np.float32).reshape(2, 3),
    "a": np.arange(2, dtype=np.int64),
    "half": np.ones((2, 1), dtype=np.float16),
    "none": np.zeros((0, 4), dtype=np.float32),
}


def test_safetensors_reads_what_is_written(tmp_path):
    from safetensors import safe_open

    storage.write_arrays(tmp_path / "x.safetensors", ARRAYS, {"rows": 2})
    with safe_open(tmp_path / "x.safetensors", framework="numpy") as file:
        assert json.loads(file.metadata()["hydrophone.shard"]) == {"rows": 2}
        assert set(file.keys()) == set(ARRAYS)
        for name, array in ARRAYS.items():
            np.testing.assert_array_equal(file.get_tensor(name), array)
            assert file.get_tensor(name).dtype == array.dtype
    header, description = storage.read_header(tmp_path / "x.safetensors")
    assert header["b"]["shape"] == [2, 3] and description == {"rows": 2}


def test_bytes_do_not_depend_on_the_order_of_names(tmp_path):
    for name, arrays in (("x", ARRAYS), ("y", dict(reversed(ARRAYS.items())))):
        storage.write_arrays(tmp_path / name, arrays, {"rows": 2})
    assert (tmp_path / "x").read_bytes() == (tmp_path / "y").read_bytes()


def test_rows_in_another_order_are_written_as_they_stand(tmp_path):
    turned = ARRAYS["b"][:, ::-1]
    storage.write_arrays(tmp_path / "x", {"b": turned}, None)
    assert (tmp_path / "x").read_bytes().endswith(turned.tobytes())


@pytest.mark.parametrize(
    "number, kind", [(errno.ENOSPC, hp.DiskFull), (errno.EDQUOT, hp.DiskFull), (errno.EIO, OSError)]
)
@pytest.mark.parametrize("step", ["write", "fsync", "replace"])
def test_what_fails_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, step, number, kind):
    path = tmp_path / "x"
    path.write_text("old")

    def fail(*_):
        raise OSError(number, os.strerror(number))

    if step != "write":
        monkeypatch.setattr(os, step, fail)
    with pytest.raises(kind, match="No space|quota|output error") as caught:
        storage.replace(path, fail if step == "write" else lambda file: file.write(b"new"))
    assert isinstance(caught.value, hp.DiskFull) == (kind is hp.DiskFull)
    assert path.read_text() == "old" and os.listdir(tmp_path) == ["x"]


def test_what_a_killed_process_left_is_written_over(tmp_path):
    (tmp_path / ".x.partial").write_text("half of something long")
    storage.replace(tmp_path / "x", lambda file: file.write(b"new"))
    assert os.listdir(tmp_path) == ["x"] and (tmp_path / "x").read_text() == "new"


def test_a_file_is_on_the_disk_before_it_has_its_name(tmp_path, monkeypatch):
    steps = []
    for name in ("fsync", "replace"):
        real = getattr(os, name)
        monkeypatch.setattr(os, name, lambda *given, name=name, real=real: (steps.append(name), real(*given)))
    storage.replace(tmp_path / "x", lambda file: file.write(b"new"))
    assert steps == ["fsync", "replace", "fsync"], "the file, its name, and the directory"


def test_one_process_at_a_time_writes(tmp_path):
    with (
        storage.alone(tmp_path),
        pytest.raises(hp.InvalidArgument, match="out: another process is writing into"),
        storage.alone(tmp_path),
    ):
        pass
    with storage.alone(tmp_path):
        pass
