"""The GPU kit, gathered for the build's own libtorch and run without a GPU, on the default model and short shapes.

To gather and to run it takes minutes: tests/run --long.
"""

import json
import os
import subprocess
import sys

import pytest
from conftest import LONG, ROOT, build_directory

MOST_MEBIBYTES = 60  # what a machine with a GPU is sent
PRINTED_CHARACTERS = 12_000  # what it may print

pytestmark = pytest.mark.skipif(not LONG, reason="takes minutes: tests/run --long")


@pytest.fixture(scope="module")
def kit(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gpu") / "kit"
    version = next(line for line in libtorch_lines() if line.startswith("LIBTORCH_VERSION=")).partition("=")[2]
    command = [ROOT / "tests/gpu/prepare", "--torch", version, "--out", folder]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def libtorch_lines():
    return (ROOT / "deploy/lib/install.sh").read_text().splitlines()


def run_kit(folder, *arguments, shapes="--short"):
    command = [folder / "tests/gpu/run", folder, "--device=cpu", *filter(None, [shapes]), *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, "PYTHON": sys.executable}, cwd=folder
    )


def test_the_folder_is_small_and_needs_no_library_of_the_build(kit):
    size = sum(file.stat().st_size for file in kit.rglob("*") if file.is_file())
    assert size <= MOST_MEBIBYTES << 20
    libraries = {file.name for file in (kit / "lib").iterdir()}
    assert any(name.startswith("libgrpc++.so") for name in libraries)
    assert not [name for name in libraries if name.startswith(("libc.so", "libtorch", "libc10", "libcud"))]
    assert str(build_directory()) not in (kit / "bin/hydrophone-server").read_text()


def test_every_part_passes_on_the_cpu(kit, tmp_path):
    done = run_kit(kit, f"--out={tmp_path / 'result.json'}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(done.stdout) <= PRINTED_CHARACTERS
    parts = json.loads((tmp_path / "result.json").read_text())["parts"]
    assert list(parts) == ["start", "points", "interventions", "mixes", "memory", "forward", "traffic", "size"]
    for name, part in parts.items():
        assert part["status"] == "done", (name, part)
        assert part["rows"], name


def test_a_part_that_fails_is_said_and_does_not_hide_the_next(kit, tmp_path):
    program = kit / "bin/hydrophone_bench_client"
    moved = program.rename(kit / "bin/elsewhere")
    try:
        done = run_kit(kit, "--only=traffic", "--only=start", f"--out={tmp_path / 'result.json'}")
    finally:
        moved.rename(program)
    assert done.returncode == 1
    parts = json.loads((tmp_path / "result.json").read_text())["parts"]
    assert parts["traffic"]["status"] == "failed"
    assert "hydrophone_bench_client" in parts["traffic"]["reason"]
    assert parts["start"]["status"] == "done"
    assert "failed: traffic" in done.stdout


def test_without_time_left_the_rest_is_skipped_and_said(kit, tmp_path):
    done = run_kit(kit, "--seconds=0", f"--out={tmp_path / 'result.json'}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("SKIPPED") == 8


def test_a_part_without_an_end_is_stopped_with_everything_that_was_started(kit, tmp_path):
    # XL takes longer to write than the part has.
    done = run_kit(kit, "--seconds=16", "--only=size", f"--out={tmp_path / 'result.json'}", shapes="")
    assert done.returncode == 1, done.stdout + done.stderr
    assert json.loads((tmp_path / "result.json").read_text())["parts"]["size"]["status"] == "stopped"
    assert not subprocess.run(["pgrep", "-f", str(kit)], capture_output=True, text=True).stdout
