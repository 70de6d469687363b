"""The program `hydrophone`, run against a server on the default model."""

import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]


@pytest.fixture
def program():
    """The program's path."""
    return str(ROOT / os.environ.get("HYDROPHONE_BUILD_DIR", "build") / "bin/hydrophone")


@pytest.fixture
def hydrophone(program, server):
    """Runs the program against the server; gives its output, after checking its exit status."""

    def run(*arguments, status=0, text=None):
        command = [program, "--server", server.address, *map(str, arguments)]
        done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=300)
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout if status == 0 else done.stderr

    return run
