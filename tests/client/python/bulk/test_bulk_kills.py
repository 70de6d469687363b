"""A bulk job that SIGKILL ends at random moments, again and again, gives the bytes of an undisturbed one."""

import json
import os
import random
import subprocess
import sys
import time

from conftest import FIGURES, LONG
from python_client import PACKAGE

KILLS = 50 if LONG else 5
TEXTS = [f"Text number {number} " + "and more " * (number % 7) for number in range(30 * KILLS)]


def start(server, corpus, out):
    arguments = ["--server", server.address, "--hooks", "resid_post", "attn.hook_z", "--layers", "2", "5", "--out", out]
    command = [sys.executable, "-m", "hydrophone.bulk", corpus, *arguments, "--texts-per-shard", "2", "--shuffle", "3"]
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE / "src")}
    return subprocess.Popen(list(map(str, command)), env=environment, stdout=subprocess.DEVNULL)


def contents(directory):
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def test_killed_again_and_again_the_bytes_are_those_of_an_undisturbed_run(server, tmp_path):
    corpus, out = tmp_path / "corpus.jsonl", tmp_path / "killed"
    corpus.write_text("\n".join(map(json.dumps, TEXTS)))
    assert start(server, corpus, tmp_path / "whole").wait(300) == 0
    whole = contents(tmp_path / "whole")
    chance = random.Random(0)
    there = kills = mid_file = 0
    while kills < KILLS:
        running = start(server, corpus, out)
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
    assert start(server, corpus, out).wait(300) == 0
    assert contents(out) == whole
    FIGURES.append(f"bulk: {kills} kills, {mid_file} of them in the middle of a file")
