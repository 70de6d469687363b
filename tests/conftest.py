"""Servers, checkpoints and gRPC stubs that the Python tests share.

The programs are those of $HYDROPHONE_BUILD_DIR (from the repository's root; default: build).
"""

import os
import pathlib
import re
import subprocess
import sys
import threading

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]
DEFAULT_MODEL = ROOT / "server/models/hydrophone-gpt2-tiny"
RANDOM_CHECKPOINT = ROOT / "server/models/random_checkpoint.py"
START_SECONDS = 120

sys.path.insert(0, str(ROOT / "tests"))


# What tests measured and a reader should see, whether they passed or not.
FIGURES = []


def pytest_terminal_summary(terminalreporter):
    for line in FIGURES:
        terminalreporter.write_line(line)


def cache_directory():
    """Where tests/run installs what the tests need."""
    user_cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
    return pathlib.Path(os.environ.get("HYDROPHONE_CACHE") or user_cache / "hydrophone")


def build_directory():
    return ROOT / os.environ.get("HYDROPHONE_BUILD_DIR", "build")


class Server:
    """A hydrophone-server on free loopback ports; use as a context manager."""

    def __init__(self, model=None, flags=(), environment=None):
        self.command = [
            str(build_directory() / "bin/hydrophone-server"),
            "--listen=127.0.0.1:0",
            "--metrics_listen=127.0.0.1:0",
            *([f"--model={model}"] if model else []),
            *flags,
        ]
        self.environment = {**os.environ, **(environment or {})}
        self.log = []

    def __enter__(self):
        self.process = subprocess.Popen(
            self.command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, env=self.environment
        )
        self._listening = threading.Event()
        self._reader = threading.Thread(target=self._read_log, daemon=True)
        self._reader.start()
        if not self._listening.wait(START_SECONDS) or not self.address:
            self.process.kill()
            raise RuntimeError("the server did not start:\n" + "".join(self.log))
        return self

    def _read_log(self):
        self.address, self.metrics_address = "", ""
        for line in self.process.stderr:
            self.log.append(line)
            if found := re.search(r"metrics on http://([^/\s]+)/metrics", line):
                self.metrics_address = found[1]
            elif found := re.search(r"listening on (\S+:\d+)", line):
                self.address = found[1]
                self._listening.set()
        self._listening.set()  # the log ended: it has stopped

    def stop(self, timeout=60):
        """Ends it as Kubernetes would, and gives its exit status."""
        self.process.terminate()
        return self.process.wait(timeout)

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self._reader.join(10)


@pytest.fixture(scope="session")
def api(tmp_path_factory):
    """The generated messages and stubs, made from proto/ now."""
    from grpc_tools import protoc

    generated = tmp_path_factory.mktemp("api")
    protos = [
        str(path.relative_to(ROOT / "proto"))
        for folder in ("hydrophone/v1", "google/rpc", "grpc/health/v1")
        for path in sorted((ROOT / "proto" / folder).glob("*.proto"))
    ]
    wellknown = pathlib.Path(protoc.__file__).parent / "_proto"
    arguments = ["protoc", f"-I{ROOT / 'proto'}", f"-I{wellknown}", f"--python_out={generated}", f"--grpc_python_out={generated}"]
    # google/ and grpc/ are packages of other distributions: their modules are made under names of our own.
    assert protoc.main([*arguments, *[p for p in protos if p.startswith("hydrophone/")]]) == 0
    sys.path.insert(0, str(generated))
    from hydrophone_client import Api

    return Api()


@pytest.fixture(scope="session")
def server():
    """A server on the default model."""
    with Server() as running:
        yield running


@pytest.fixture(scope="session")
def client(api, server):
    with api.connect(server.address) as connected:
        yield connected


@pytest.fixture(scope="session")
def random_checkpoint(tmp_path_factory):
    """Writes a random checkpoint: random_checkpoint("name", "--n-layer", "2", ...) gives its directory."""
    written = {}

    def write(name, *arguments):
        key = (name, *arguments)
        if key not in written:
            directory = tmp_path_factory.mktemp("checkpoints") / name
            command = [sys.executable, str(RANDOM_CHECKPOINT), str(directory), *arguments]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            written[key] = directory
        return written[key]

    return write
