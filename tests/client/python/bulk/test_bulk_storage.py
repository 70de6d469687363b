"""Files of a bulk job: whole or not at all."""

import errno
import os

import pytest
from python_client import hp

from hydrophone.bulk import storage
from hydrophone.bulk.part import Part


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


def test_json_of_a_process_that_was_killed_goes_away_with_the_next_whole_job(tmp_path):
    left = tmp_path / ".index.json.elsewhere-7.partial"
    left.write_text("half")
    with storage.alone(tmp_path, Part(0, 2)):
        assert left.exists(), "another part may be writing it"
    with storage.alone(tmp_path):
        assert not left.exists()


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


def test_parts_are_written_beside_each_other_and_each_by_one_process(tmp_path):
    refused = pytest.raises(hp.InvalidArgument, match="out: another process is writing into")
    with storage.alone(tmp_path, Part(0, 2)), storage.alone(tmp_path, Part(1, 2)):
        for part in (Part(0, 2), None):
            with refused, storage.alone(tmp_path, part):
                pass
    with storage.alone(tmp_path), refused, storage.alone(tmp_path, Part(0, 2)):
        pass
    assert not list(tmp_path.iterdir()), "no lock is left"


@pytest.mark.parametrize("shards, count", [(0, 2), (1, 3), (7, 3), (8, 8), (5, 1)])
def test_parts_make_up_the_whole(shards, count):
    parts = [Part(index, count).of(shards) for index in range(count)]
    assert [shard for part in parts for shard in part] == list(range(shards))
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_a_part_is_read_or_refused():
    assert Part.parse("2/8") == Part(2, 8)
    for text in ("8/8", "0/0", "1", "-1/2", "a/b", ""):
        with pytest.raises(hp.InvalidArgument) as caught:
            Part.parse(text)
        assert caught.value.argument == "part"
