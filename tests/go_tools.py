"""Where the programs in Go are that deploy/lib/go_tools.sh builds."""

import os
import shutil

from conftest import cache_directory


def find(name):
    """$GRPCURL for "grpcurl", else the one in the cache, else the one in PATH."""
    cached = cache_directory() / "go-bin" / name
    program = os.environ.get(name.upper()) or (str(cached) if cached.exists() else shutil.which(name))
    assert program, f"there is no {name} in {cached.parent} nor in PATH; tests/run builds it"
    return program
