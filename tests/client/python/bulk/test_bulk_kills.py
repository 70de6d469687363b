"""A bulk job that SIGKILL ends at random moments, again and again, gives the bytes of an undisturbed one."""

import json
import os
import subprocess
import sys

import pytest
from conftest import FIGURES, LONG, cache_directory
from killed_jobs import kill_again_and_again
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


@pytest.mark.parametrize("file_format, most", KILLS.items())
def test_killed_again_and_again_the_bytes_are_those_of_an_undisturbed_run(server, tmp_path, file_format, most):
    corpus = tmp_path / "corpus.jsonl"
    corpus.write_text("\n".join(map(json.dumps, TEXTS)))
    mid_file = kill_again_and_again(
        lambda out: start(server, corpus, out, file_format), tmp_path, most, longest_pause=0.02
    )
    FIGURES.append(f"bulk, {file_format}: {most} kills, {mid_file} of them in the middle of a file")
