"""Ends a bulk job with SIGKILL at random moments, again and again, and compares what is there."""

import random
import time


def contents(directory):
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def kill_again_and_again(start, directory, kills, longest_pause):
    """Runs start(OUT), which gives the job's process, to its end in `directory`/whole, and in `directory`/killed with
    as many kills: each after one to three more shards and up to `longest_pause` seconds. What is whole has the bytes of
    the undisturbed job's, after each kill and at the end. Gives how many kills came in the middle of a file."""
    assert start(directory / "whole").wait(300) == 0
    whole, out = contents(directory / "whole"), directory / "killed"
    chance = random.Random(0)
    there = mid_file = 0
    for kill in range(kills):
        running = start(out)
        goal = there + chance.randrange(1, 4)  # shards; the next ones are being made then
        pause = chance.uniform(0, longest_pause)
        while running.poll() is None and len(list(out.glob("shard-*"))) < goal:
            pass
        begun = time.monotonic()
        while time.monotonic() < begun + pause:
            pass
        running.kill()
        assert running.wait(60) != 0, "killed before it was done"
        mid_file += any(out.glob(".*.partial"))
        for path in out.glob("shard-*"):
            assert path.read_bytes() == whole[path.name], f"{path.name} is whole after kill {kill + 1}"
        there = len(list(out.glob("shard-*")))
    assert 0 < there < len(whole) - 2, "neither all nor nothing was done between the kills"
    assert start(out).wait(300) == 0
    assert contents(out) == whole
    return mid_file
