"""Files that are there whole or not at all, also after SIGKILL or a power cut."""

from __future__ import annotations

import errno
import json
import os
import pathlib
import socket
from collections.abc import Callable
from typing import IO, Any

from hydrophone.errors import DiskFull

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


def replace(path: pathlib.Path, write: Callable[[IO[bytes]], object], *, mark: str = "") -> None:
    """Writes a file beside its place, has the disk keep it, and renames it; its mode is the umask's. A file beside it
    that a killed process left is written over. `mark` tells processes apart that write the same file at once. DiskFull
    when there is no room."""
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


def this_process() -> str:
    """A mark that no other process has, also none of a machine that shares the directory."""
    return f".{socket.gethostname()}-{os.getpid()}"


def write_json(path: pathlib.Path, value: Any) -> None:
    """A file of JSON, which several processes may write at once."""
    text = json.dumps(value, indent=1, sort_keys=True) + "\n"
    replace(path, lambda file: file.write(text.encode()), mark=this_process())


def _keep_names(directory: pathlib.Path) -> None:
    if not hasattr(os, "O_DIRECTORY"):  # Windows, which opens no directories
        return
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
