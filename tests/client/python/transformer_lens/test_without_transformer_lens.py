"""The package without TransformerLens: its import brings nothing, and the bridge says what is missing."""

import subprocess
import sys

from python_client import PACKAGE

SCRIPT = """
import sys
sys.path.insert(0, sys.argv[1])
import hydrophone as hp
assert not {"torch", "transformers", "transformer_lens"} & set(sys.modules)
sys.modules["transformer_lens"] = None  # as if it were not installed
try:
    hp.transformer_lens.bridge("localhost:1")
except ImportError as error:
    assert "hydrophone[transformer-lens]" in str(error), error
else:
    raise AssertionError("it was found")
"""


def test_nothing_is_imported_and_a_missing_package_is_named():
    done = subprocess.run([sys.executable, "-c", SCRIPT, PACKAGE / "src"], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
