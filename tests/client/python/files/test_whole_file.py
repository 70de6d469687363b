"""Files that are there whole or not at all."""

import errno
import json
import os
import stat

import pytest
from python_client import hp

from hydrophone.files import whole_file


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
        whole_file.replace(path, fail if step == "write" else lambda file: file.write(b"new"))
    assert isinstance(caught.value, hp.DiskFull) == (kind is hp.DiskFull)
    assert path.read_text() == "old" and os.listdir(tmp_path) == ["x"]


def test_what_a_killed_process_left_is_written_over(tmp_path):
    (tmp_path / ".x.partial").write_text("half of something long")
    whole_file.replace(tmp_path / "x", lambda file: file.write(b"new"))
    assert os.listdir(tmp_path) == ["x"] and (tmp_path / "x").read_text() == "new"


def test_a_file_is_on_the_disk_before_it_has_its_name(tmp_path, monkeypatch):
    steps = []
    for name in ("fsync", "replace"):
        real = getattr(os, name)
        monkeypatch.setattr(os, name, lambda *given, name=name, real=real: (steps.append(name), real(*given)))
    whole_file.replace(tmp_path / "x", lambda file: file.write(b"new"))
    assert steps == ["fsync", "replace", "fsync"], "the file, its name, and the directory"


def test_a_system_that_opens_no_directories_keeps_the_file(tmp_path, monkeypatch):
    monkeypatch.delattr(os, "O_DIRECTORY")
    monkeypatch.setattr(os, "open", lambda *_: pytest.fail("a directory was opened"))
    whole_file.replace(tmp_path / "x", lambda file: file.write(b"new"))
    assert (tmp_path / "x").read_text() == "new"


@pytest.mark.parametrize("mask, mode", [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_a_file_has_the_mode_of_the_umask(tmp_path, mask, mode):
    before = os.umask(mask)
    try:
        whole_file.replace(tmp_path / "x", lambda file: file.write(b"new"))
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "x").stat().st_mode) == mode


def test_a_mark_keeps_processes_apart_that_write_the_same_file(tmp_path):
    def write(file):
        (beside,) = os.listdir(tmp_path)
        assert str(os.getpid()) in beside
        file.write(b"new")

    whole_file.replace(tmp_path / "x", write, mark=whole_file.this_process())
    assert os.listdir(tmp_path) == ["x"]


def test_json_has_sorted_names(tmp_path):
    whole_file.write_json(tmp_path / "x.json", {"b": 1, "a": [2]})
    assert list(json.loads((tmp_path / "x.json").read_text())) == ["a", "b"]
    assert os.listdir(tmp_path) == ["x.json"]
