"""Packages that this one uses and does not require."""

from __future__ import annotations

import importlib
from typing import Any


def need(module: str, extra: str) -> Any:
    """Imports a module of an extra; the ImportError of one that is missing says how to get it."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        raise ImportError(f"{package} is not installed: pip install 'hydrophone[{extra}]'", name=package) from error
