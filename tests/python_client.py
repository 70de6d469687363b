"""The Python client from its sources, with the API's descriptors compiled as a build of the package compiles them.

Tests write `from python_client import hp`. tests/client/python/test_package.py installs what a build makes.
"""

import importlib.util
import os
import pathlib
import sys

PACKAGE = pathlib.Path(__file__).resolve().parents[1] / "client/python"


def compile_descriptors():
    spec = importlib.util.spec_from_file_location("hatch_build", PACKAGE / "hatch_build.py")
    build = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(build)
    out = PACKAGE / build.DESCRIPTORS
    temporary = out.with_name(f"{out.name}.{os.getpid()}")
    build.compile_protos(PACKAGE.parents[1] / "proto", temporary)
    os.replace(temporary, out)  # another run may be reading it


compile_descriptors()
sys.path.insert(0, str(PACKAGE / "src"))

import hydrophone as hp  # noqa: E402

__all__ = ["PACKAGE", "hp"]
