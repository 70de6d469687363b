"""A bulk job that SIGKILL ends at random moments, again and again, gives the bytes of an undisturbed one."""

import json
import os
import random
import subprocess
import sys
import time

import pytest
from conftest import FIGURES, LONG, cache_directory
from python_client import PACKAGE

KILLS = {"safetensors": 50 if LONG else 5, "parquet": 50 if LONG else 2}
TEXTS = [f"Text number {number} " + "and more " * (number % 7) for number in range(30 * max(KILLS.values()))]


def start(server, corpus, out, file_format):
    arguments = ["--server", server.address, "--hooks", "resid_post", "attn.hook_z", "--layers", "2", "5", "--out", out]
    options = ["--texts-per-shard", "2", "--shuffle", "3", "--format", file_format]
    command = [sys.executable, "-m", "hydrophone.bulk", corpus, *arguments, *options]
    pyarrow = cache_directory() / "transformer-lens"  # it is among TransformerLens's packages
    environment = {**os.environ, "PYTHONPATH": f"{PACKAGE / 'src'}{os.pathsep}{pyarrow}"}
    return subprocess.Popen(list(map(str, command)), env=environment, stdout=subprocess.DEVNULL)


def contents(directory):
    return {path.name: path.read_bytes() for path in directory.iterdir()}


@pytest.mark.parametrize("file_format, most", KILLS.items())
def test_killed_again_and_again_the_bytes_are_those_of_an_undisturbed_run(server, tmp_path, file_format, most):
    corpus, out = tmp_path / "corpus.jsonl", tmp_path / "killed"
    corpus.write_text("\n".join(map(json.dumps, TEXTS)))
    assert start(server, corpus, tmp_path / "whole", file_format).wait(300) == 0
    whole = contents(tmp_path / "whole")
    chance = random.Random(0)
    there = kills = mid_file = 0
    while kills < most:
        running = start(server, corpus, out, file_format)
        goal = there + chance.randrange(1, 4)  # shards; the next ones are being made then
        pause = chance.uniform(0, 0.02)
        while running.poll() is None and len(list(out.glob("shard-*"))) < goal:
            pass
        begun = time.monotonic()
        while time.monotonic() < begun + pause:
            pass
        running.kill()
        assert running.wait(60) != 0, "killed before it was done"
        kills += 1
        mid_file += any(out.glob(".*.partial"))
        for path in out.glob("shard-*"):
            assert path.read_bytes() == whole[path.name], f"{path.name} is whole after kill {kills}"
        there = len(list(out.glob("shard-*")))
    assert 0 < there < len(whole) - 2, "neither all nor nothing was done between the kills"
    assert start(server, corpus, out, file_format).wait(300) == 0
    assert contents(out) == whole
    FIGURES.append(f"bulk, {file_format}: {kills} kills, {mid_file} of them in the middle of a file")
