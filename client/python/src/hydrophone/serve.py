"""A hydrophone-server of one's own on this machine."""

from __future__ import annotations

import itertools
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import time
import weakref
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import IO, Any

from hydrophone.client import Client
from hydrophone.connection.operation import Call
from hydrophone.errors import DeadlineExceeded, HydrophoneError, Unavailable
from hydrophone.operations.progress import Progress
from hydrophone.proto import health

PROGRAM = "hydrophone-server"
_LISTENING = re.compile(r'listening on ([^\s"]+)')
_POLL_SECONDS = 0.05
_STOP_SECONDS = 60.0


class Served(Client):
    """A client of a server that it started, and that close(), the end of a with block, or that of the program stops."""

    def __init__(self, process: subprocess.Popen[bytes], log: IO[bytes], address: str, **options: Any) -> None:
        super().__init__(address, **options)
        self._process = process
        self._log = log
        self._stop = weakref.finalize(self, _stop, process, log)

    @property
    def log(self) -> str:
        """What the server has written so far."""
        return _read(self._log)

    def close(self) -> None:
        """Closes the connections and stops the server."""
        super().close()
        self._stop()

    def __enter__(self) -> Served:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"hydrophone.serve(...): {self.address}, process {self._process.pid}"


def serve(
    model: str | os.PathLike[str] | None = None,
    *,
    binary: str | os.PathLike[str] | None = None,
    flags: Mapping[str, object] | Sequence[str] = (),
    timeout: float = 120.0,
    **options: Any,
) -> Served:
    """Starts a server on a free port of this machine, waits until it serves, and gives a client of it.

    `model` is a checkpoint's directory; without it the server has a small one of its own. The program is `binary`, or
    HYDROPHONE_SERVER_BINARY, or hydrophone-server on PATH. `flags` are the server's, as a mapping ({"threads": 2}) or
    as it takes them (["--threads=2"]); `options` are the client's. DeadlineExceeded when it does not serve within
    `timeout` seconds; Unavailable, with its log, when it ends.

        with hp.serve(model="gpt2") as client:
            client.extract("Hello world", "attn.c_proj", layers=10)
    """
    listed = [f"--{name}={value}" for name, value in flags.items()] if isinstance(flags, Mapping) else list(flags)
    command = [find(binary), "--listen=127.0.0.1:0", "--metrics_listen=off", *listed]
    if model is not None:
        command.append(f"--model={pathlib.Path(model)}")
    log = tempfile.TemporaryFile()  # noqa: SIM115 (closed with the server)
    # A session of its own: Ctrl-C interrupts the caller's work, not the server.
    process = subprocess.Popen(command, stderr=log, stdout=subprocess.DEVNULL, start_new_session=True)
    try:
        return _wait(process, log, timeout, options)
    except BaseException:
        _stop(process, log)
        raise


def find(binary: str | os.PathLike[str] | None = None) -> str:
    """The path of the server's program. FileNotFoundError says where it was looked for."""
    named = os.fspath(binary) if binary is not None else os.environ.get("HYDROPHONE_SERVER_BINARY") or PROGRAM
    found = shutil.which(named)
    if found is None:
        raise FileNotFoundError(
            f"there is no program {named}: give its path as binary= or in HYDROPHONE_SERVER_BINARY, or put "
            f"{PROGRAM} on PATH (deploy/quickstart builds it in build/bin)"
        )
    return found


def _wait(process: subprocess.Popen[bytes], log: IO[bytes], timeout: float, options: Mapping[str, Any]) -> Served:
    begun = time.monotonic()
    with Progress(options.get("progress", True), round(timeout), "s until the server must serve") as progress:
        for second in itertools.count(1):
            while time.monotonic() < begun + min(second, timeout):
                served = _served(process, log, options)
                if served is not None:
                    return served
                time.sleep(_POLL_SECONDS)
            if second >= timeout:
                break
            progress.add(1)
    raise DeadlineExceeded(f"the server does not serve after {timeout:g} s:\n{_read(log)}")


def _served(process: subprocess.Popen[bytes], log: IO[bytes], options: Mapping[str, Any]) -> Served | None:
    """The server's client, once it serves."""
    ended = process.poll() is not None
    written = _read(log)
    if ended:
        raise Unavailable(f"the server ended with status {process.returncode}:\n{written}")
    found = _LISTENING.search(written)
    if found is None:
        return None
    with Client(found[1], **options) as asking:
        serves = _serves(asking)
    return Served(process, log, found[1], **options) if serves else None


def _read(log: IO[bytes]) -> str:
    # Read by position: the server writes through the same open file, and has its offset.
    return os.pread(log.fileno(), os.fstat(log.fileno()).st_size, 0).decode(errors="replace")


def _serves(client: Client) -> bool:
    request, response = health.HealthCheckRequest(), health.HealthCheckResponse
    try:
        answer = client.driver.run(_one(Call("grpc.health.v1.Health/Check", request, response)))
    except HydrophoneError:
        return False
    return bool(answer.status == 1)  # SERVING


def _one(call: Call) -> Any:
    return (yield call)


def _stop(process: subprocess.Popen[bytes], log: IO[bytes]) -> None:
    """Ends it as Kubernetes would; kills it when it does not end."""
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    log.close()
