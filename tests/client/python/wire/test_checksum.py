"""The checksum of chunks is zlib's CRC-32, whichever library computes it."""

import importlib
import sys
import zlib

import pytest
from python_client import hp  # noqa: F401  makes the package importable

from hydrophone.wire import checksum

SAMPLES = [b"", b"123456789", bytes(range(256)) * 5000]


@pytest.fixture
def without_isal(monkeypatch):
    monkeypatch.setitem(sys.modules, "isal.isal_zlib", None)  # an import of it fails
    yield importlib.reload(checksum)
    monkeypatch.undo()
    importlib.reload(checksum)


@pytest.mark.parametrize("data", SAMPLES)
def test_the_extra_computes_what_zlib_does(data):
    assert checksum.crc32.__module__ == "isal.isal_zlib"
    assert checksum.crc32(memoryview(data)) == zlib.crc32(data)


def test_without_the_extra_it_is_zlib(without_isal):
    assert without_isal.crc32 is zlib.crc32
