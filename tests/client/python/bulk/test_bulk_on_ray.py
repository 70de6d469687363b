"""hp.bulk_on_ray on a local cluster, with two servers: the directory that hp.bulk makes."""

import json
import os
import pathlib
import subprocess
import sys

import pytest
from conftest import LONG, Server, cache_directory
from python_client import PACKAGE, hp

pytestmark = pytest.mark.skipif(not LONG, reason="a cluster takes a minute: tests/run --long")

SCRIPT = pathlib.Path(__file__).with_name("ray_jobs.py")
TEXTS = [f"Text number {number} " + "and more " * (number % 5) for number in range(23)]
JOB = {"hooks": ["resid_post", "attn.hook_z"], "layers": [2, 5], "texts_per_shard": 4, "shuffle": 1}


def contents(directory):
    return {path.name: path.read_bytes() for path in directory.iterdir()}


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    return tmp_path_factory.mktemp("ray")


@pytest.fixture(scope="module")
def done(server, directory):
    """What the jobs gave, by their names, in one cluster, and how many requests each of the servers had answered."""
    lines = directory / "corpus.jsonl"
    lines.write_text("\n".join(map(json.dumps, TEXTS)))
    (directory / "begun").mkdir()
    with Server() as second, hp.Client(server.address, progress=False) as client:
        whole = hp.bulk(client, TEXTS, out=directory / "whole", progress=False, **JOB)
        hp.bulk(client, TEXTS, out=directory / "begun", progress=False, **JOB)
        for name in ("shard-00001.safetensors", "shard-00004.safetensors", "index.json"):
            (directory / "begun" / name).unlink()
        jobs = {
            "inputs": {"corpus": TEXTS},
            "file": {"corpus": str(lines), "format": "parquet"},
            "begun": {"corpus": TEXTS},
            "another": {"corpus": TEXTS[::-1], "out": str(directory / "whole")},
            "bad text": {"corpus": [*TEXTS, ""]},
            "no workers": {"corpus": TEXTS, "workers": 0},
            "part": {"corpus": TEXTS, "part": [0, 2]},
        }
        address = [server.address, second.address]
        given = [{"address": address, "out": str(directory / name), **JOB, **job} for name, job in jobs.items()]
        packages = [PACKAGE / "src", cache_directory() / "ray", cache_directory() / "transformer-lens"]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, packages)), "RAY_USAGE_STATS_ENABLED": "0"}
        ran = subprocess.run(
            [sys.executable, str(SCRIPT)],
            input=json.dumps(given),
            env=environment,
            capture_output=True,
            text=True,
            timeout=1800,
        )
        assert ran.returncode == 0, ran.stderr
        assert any("Extract" in line for line in second.whole_log()), "the second server was asked too"
    return {"whole": whole, **dict(zip(jobs, json.loads(ran.stdout), strict=True))}


def test_the_directory_is_that_of_an_ordinary_job(done, directory):
    assert contents(directory / "inputs") == contents(directory / "whole")
    whole = done["whole"]
    assert done["inputs"] == {"shards": len(whole.shards), "texts": whole.texts, "rows": whole.rows}


def test_a_file_of_lines_and_parquet(done, server, directory):
    with hp.Client(server.address, progress=False) as client, pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [*sys.path, str(cache_directory() / "transformer-lens")])
        corpus = directory / "corpus.jsonl"
        hp.bulk(client, corpus, out=directory / "parquet", format="parquet", progress=False, **JOB)
    assert contents(directory / "file") == contents(directory / "parquet")


def test_it_goes_on_with_what_is_missing(done, directory):
    assert contents(directory / "begun") == contents(directory / "whole")


def test_a_part_makes_its_shards(done, directory):
    assert done["part"]["shards"] == 3
    whole = contents(directory / "whole")
    found = contents(directory / "part")
    assert sorted(found) == ["job.json", *(f"shard-0000{number}.safetensors" for number in range(3))]
    assert all(whole[name] == content for name, content in found.items())


@pytest.mark.parametrize(
    "job, argument, said",
    [
        ("another", "out", "holds another job: its corpus_sha256"),
        ("bad text", "corpus[23]", "got no tokens"),
        ("no workers", "workers", "expected at least 1"),
    ],
)
def test_errors_come_out_of_ray_as_they_are(done, job, argument, said):
    assert done[job]["error"] == "InvalidArgument" and done[job]["argument"] == argument and said in done[job]["said"]
