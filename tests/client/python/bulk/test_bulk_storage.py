"""Processes that write into the directory of one bulk job."""

import pytest
from python_client import hp

from hydrophone.bulk import storage
from hydrophone.bulk.part import Part


def test_json_of_a_process_that_was_killed_goes_away_with_the_next_whole_job(tmp_path):
    left = tmp_path / ".index.json.elsewhere-7.partial"
    left.write_text("half")
    with storage.alone(tmp_path, Part(0, 2)):
        assert left.exists(), "another part may be writing it"
    with storage.alone(tmp_path):
        assert not left.exists()


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
