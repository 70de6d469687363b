"""Files that are there whole or not at all, also after SIGKILL or a power cut."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import pathlib
import socket
from collections.abc import Callable, Iterator
from typing import IO, Any

from hydrophone.bulk.part import Part
from hydrophone.errors import DiskFull, InvalidArgument

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


def replace(path: pathlib.Path, write: Callable[[IO[bytes]], object], *, mark: str = "") -> None:
    """Writes a file beside its place, has the disk keep it, and renames it. A file beside it that a killed process left
    is written over. `mark` tells processes apart that write the same file at once. DiskFull when there is no room."""
    temporary = path.with_name(f".{path.name}{mark}.partial")
    try:
        try:
            with temporary.open("wb") as file:
                write(file)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        _keep_names(path.parent)
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise DiskFull(f"there is no room for {path}: {error.strerror}") from error
        raise


def _keep_names(directory: pathlib.Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def alone(directory: pathlib.Path, part: Part | None = None) -> Iterator[None]:
    """While this lasts, no other process writes here; beside a part's, those of other parts do. The locks end with the
    process, however that ends."""
    if part is None:
        with _locked(directory, os.O_RDONLY, exclusive=True, directory=directory):
            for left in directory.glob(".*.json*.partial"):  # by a process that was killed
                left.unlink()
            yield
        return
    lock = directory / f".part-{part.index}-of-{part.count}.lock"
    with (
        _locked(directory, os.O_RDONLY, exclusive=False, directory=directory),
        _locked(lock, os.O_RDWR | os.O_CREAT, exclusive=True, directory=directory),
    ):
        yield
        lock.unlink()  # the part is done, so that a process that has the lost file's lock finds nothing to do


@contextlib.contextmanager
def _locked(path: pathlib.Path, flags: int, *, exclusive: bool, directory: pathlib.Path) -> Iterator[None]:
    import fcntl  # which Windows lacks

    descriptor = os.open(path, flags, 0o666)
    try:
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InvalidArgument.of("out", f"another process is writing into {directory}") from None
        yield
    finally:
        os.close(descriptor)


def write_json(path: pathlib.Path, value: Any) -> None:
    """A file of JSON. Parts of a job write the same one, perhaps at once."""
    text = json.dumps(value, indent=1, sort_keys=True) + "\n"
    replace(path, lambda file: file.write(text.encode()), mark=f".{socket.gethostname()}-{os.getpid()}")
