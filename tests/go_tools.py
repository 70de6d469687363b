"""Where the programs in Go are that deploy/lib/go_tools.sh builds."""

import os
import pathlib
import shutil


def find(name):
    """$GRPCURL for "grpcurl", else the one in the cache, else the one in PATH."""
    user_cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
    cache = pathlib.Path(os.environ.get("HYDROPHONE_CACHE") or user_cache / "hydrophone")
    cached = cache / "go-bin" / name
    program = os.environ.get(name.upper()) or (str(cached) if cached.exists() else shutil.which(name))
    assert program, f"there is no {name} in {cached.parent} nor in PATH; tests/run builds it"
    return program
