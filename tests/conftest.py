"""Servers, checkpoints, gRPC stubs and grpcurl, which the Python tests share.

The programs are those of $HYDROPHONE_BUILD_DIR (from the repository's root; default: build). Servers compute on
$HYDROPHONE_TEST_DEVICE (as --device takes it; default: cpu).
"""

import contextlib
import json
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
LONG = os.environ.get("HYDROPHONE_TEST_LONG") == "1"  # tests/run --long: also what takes minutes, and all of each crowd
SERVICE = "hydrophone.v1.ActivationService"

sys.path.insert(0, str(ROOT / "tests"))


# What tests measured and a reader should see, whether they passed or not.
FIGURES = []


def pytest_sessionfinish(session):
    """One of several processes hands what it measured to the one that prints."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["figures"] = FIGURES


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    FIGURES.extend(getattr(node, "workeroutput", {}).get("figures", []))


def pytest_terminal_summary(terminalreporter):
    for line in FIGURES:
        terminalreporter.write_line(line)


def cache_directory():
    """Where tests/run installs what the tests need."""
    user_cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
    return pathlib.Path(os.environ.get("HYDROPHONE_CACHE") or user_cache / "hydrophone")


def build_directory():
    return ROOT / os.environ.get("HYDROPHONE_BUILD_DIR", "build")


def server_device():
    return os.environ.get("HYDROPHONE_TEST_DEVICE") or "cpu"


class Server:
    """A hydrophone-server on free loopback ports, or where `listen` says; use as a context manager.

    `program` is another server than the built one, or what runs it there, with its arguments.
    """

    def __init__(self, model=None, flags=(), environment=None, listen="127.0.0.1:0", program=()):
        self.command = [
            *(program or [str(build_directory() / "bin/hydrophone-server")]),
            f"--listen={listen}",
            "--metrics_listen=127.0.0.1:0",
            f"--device={server_device()}",
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
            elif found := re.search(r'listening on ([^\s"]+)', line):
                self.address = found[1]
                self._listening.set()
        self._listening.set()  # the log ended: it has stopped

    def stop(self, timeout=60):
        """Ends it as Kubernetes would, and gives its exit status."""
        self.process.terminate()
        return self.process.wait(timeout)

    def whole_log(self):
        """Ends it, and gives every line that it wrote."""
        self.stop()
        self._reader.join(10)
        return self.log

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self._reader.join(10)


def make_api(generated):
    """The messages and stubs of proto/, generated into a directory."""
    from grpc_tools import protoc

    protos = [
        str(path.relative_to(ROOT / "proto"))
        for folder in ("hydrophone/v1", "google/rpc", "grpc/health/v1")
        for path in sorted((ROOT / "proto" / folder).glob("*.proto"))
    ]
    wellknown = pathlib.Path(protoc.__file__).parent / "_proto"
    arguments = [
        "protoc",
        f"-I{ROOT / 'proto'}",
        f"-I{wellknown}",
        f"--python_out={generated}",
        f"--grpc_python_out={generated}",
    ]
    # google/ and grpc/ are packages of other distributions: their modules are made under names of our own.
    assert protoc.main([*arguments, *[p for p in protos if p.startswith("hydrophone/")]]) == 0
    for package in ("hydrophone", "hydrophone/v1"):
        (pathlib.Path(generated) / package / "__init__.py").touch()
    with generated_modules(generated):
        from hydrophone_client import Api

        return Api()


@contextlib.contextmanager
def generated_modules(generated):
    """Imports of `hydrophone` mean the generated package, and not the Python client, which has that name too."""

    def taken_out():
        names = [name for name in sys.modules if name.partition(".")[0] == "hydrophone"]
        return {name: sys.modules.pop(name) for name in names}

    client = taken_out()
    sys.path.insert(0, str(generated))
    try:
        yield
    finally:
        sys.path.remove(str(generated))
        taken_out()
        sys.modules.update(client)


@pytest.fixture(scope="session")
def api(tmp_path_factory):
    return make_api(tmp_path_factory.mktemp("api"))


@pytest.fixture(scope="session")
def server():
    """A server on the default model."""
    with Server() as running:
        yield running


@pytest.fixture
def program():
    """The path of the program `hydrophone`."""
    return str(build_directory() / "bin/hydrophone")


@pytest.fixture
def hydrophone(program, server):
    """Runs the program against the server; gives its output, after checking its exit status."""

    def run(*arguments, status=0, text=None):
        command = [program, "--server", server.address, *map(str, arguments)]
        done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=300)
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout if status == 0 else done.stderr

    return run


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


def messages_of(text):
    """The JSON messages that a text holds, one after the other.

    Fields are named as the proto writes them: C++'s reflection does not send the JSON names.
    """
    decoder, found, at = json.JSONDecoder(), [], 0
    while at < len(text.rstrip()):
        message, at = decoder.raw_decode(text, at)
        found.append(message)
        at += len(text[at:]) - len(text[at:].lstrip())
    return found


@pytest.fixture(scope="session")
def grpcurl(server):
    """Runs grpcurl with flags, then the server's address, then what to do; gives the finished process."""
    import go_tools

    program = go_tools.find("grpcurl")

    def run(*verb, flags=(), request=None):
        data = ["-d", json.dumps(request)] if request is not None else []
        command = [program, "-plaintext", "-max-time", "120", *flags, *data, server.address, *verb]
        return subprocess.run(command, capture_output=True, text=True, timeout=180)

    return run


@pytest.fixture(scope="session")
def call(grpcurl):
    """Calls a method of the service; gives the messages of a call that went well."""

    def run(method, request=None, service=SERVICE):
        done = grpcurl(f"{service}/{method}", request=request)
        assert done.returncode == 0, done.stderr
        return messages_of(done.stdout)

    return run


@pytest.fixture(scope="session")
def refused(grpcurl):
    """Calls a method; gives the google.rpc.Status of a call that was refused, its details by type."""

    def run(method, request):
        done = grpcurl(f"{SERVICE}/{method}", flags=["-format-error"], request=request)
        assert done.returncode != 0, done.stdout
        status = json.loads(done.stderr)
        status["details"] = {detail["@type"].rpartition(".")[2]: detail for detail in status["details"]}
        return status

    return run
