"""Keeps processes that write into one directory apart."""

from __future__ import annotations

import contextlib
import os
import pathlib
from collections.abc import Iterator

from hydrophone.bulk.part import Part
from hydrophone.errors import InvalidArgument


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
