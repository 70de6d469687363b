"""The code on the page for those who come from other libraries: each of them gives the same numbers.

baukit is installed from its repository alone: its code is not run here.
"""

import os
import re
import subprocess
import sys

import numpy as np
import pytest
from conftest import DEFAULT_MODEL, FIGURES, cache_directory
from python_client import PACKAGE

PAGE = (PACKAGE / "COMING_FROM.md").read_text()
RUN = {"Plain hooks": [], "nnsight": [cache_directory() / "nnsight"], "Hydrophone": [PACKAGE / "src"]}  # PYTHONPATH
RESULTS = {
    "Weights": "row",
    "Reading an activation": "delta",
    "Several layers": "states",
    "Ablating": "ablated",
    "Editing one position": "steered",
    "Steering while generating": "new",
    "Patching between prompts": "patched",
    "Logit lens": "top",
}
TOLERANCE = 5e-6  # of the largest value, as in tests/parity
KEEP = """
import numpy as np
np.savez({path!r}, **{{name: np.asarray(getattr(value, "detach", lambda: value)()) for name, value in {names}.items()}})
"""


def code():
    """The code of each section by the library that it is for: {section: {library: code}}."""
    sections = re.split(r"^## (.*)\n", PAGE, flags=re.MULTILINE)[1:]
    block = re.compile(r"^\*\*(.*?)\*\*[^\n]*\n\n```python\n(.*?)```", re.DOTALL | re.MULTILINE)
    return {title: dict(block.findall(text)) for title, text in zip(sections[::2], sections[1::2], strict=True)}


@pytest.fixture(scope="module")
def results(server, tmp_path_factory):
    directory, found = tmp_path_factory.mktemp("coming_from"), {}
    for library, path in RUN.items():
        script, out = directory / f"run {library}.py", directory / f"{library}.npz"
        lines = "".join(blocks.get(library, "") for blocks in code().values())
        lines = lines.replace('"gpt2"', repr(str(DEFAULT_MODEL))).replace("lab:50051", server.address)
        names = "{" + ", ".join(f"{name!r}: {name}" for name in RESULTS.values()) + "}"
        script.write_text(lines + KEEP.format(path=str(out), names=names))
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, path)), "HF_HUB_OFFLINE": "1"}
        environment["OMP_NUM_THREADS"] = "1"  # the model is small, and other tests run beside
        done = subprocess.run([sys.executable, script], env=environment, capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, done.stderr
        found[library] = dict(np.load(out))
    return found


def test_every_section_has_every_library():
    sections = code()
    assert list(sections) == ["Setting up", *RESULTS, "What is there and not here"]
    for title in ["Setting up", *RESULTS]:
        assert set(sections[title]) == {*RUN, "baukit"}, title


@pytest.mark.parametrize("library", ["Plain hooks", "nnsight"])
def test_a_library_and_hydrophone_give_the_same(library, results):
    shares = {}
    for title, name in RESULTS.items():
        got, expected = results["Hydrophone"][name], results[library][name]
        assert got.shape == expected.shape, title
        if np.issubdtype(expected.dtype, np.integer):
            assert np.array_equal(got, expected), title
        else:
            shares[title] = float(np.abs(got - expected).max() / np.abs(expected).max())
    FIGURES.append(f"Coming from {library}: worst {max(shares.values()):.2e} of the largest value")
    assert len(shares) == 6 and max(shares.values()) <= TOLERANCE, shares
