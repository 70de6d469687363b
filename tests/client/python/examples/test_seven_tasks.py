"""Seven tasks beside TransformerLens's: the same results, in no more lines."""

import ast
import collections.abc
import importlib.util
import inspect
import os
import pickle
import re
import subprocess
import sys

import numpy as np
import pytest
from conftest import DEFAULT_MODEL, FIGURES, ROOT, cache_directory
from python_client import PACKAGE, hp

EXAMPLES = PACKAGE / "examples"
TASKS = sorted((EXAMPLES / "seven_tasks").glob("*.py"))
NAMES = [path.stem for path in TASKS]
TOLERANCE = 5e-6  # of the largest value, as in tests/parity


def load(name):
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / "seven_tasks" / f"{name}.py")
    spec.loader.exec_module(module := importlib.util.module_from_spec(spec))
    return module


@pytest.fixture(scope="module")
def theirs(tmp_path_factory):
    out = tmp_path_factory.mktemp("transformer_lens")
    script = ROOT / "tests/client/python/examples/transformer_lens_tasks.py"
    path = [cache_directory() / "transformer-lens", PACKAGE / "src"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, path)), "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, script, DEFAULT_MODEL, EXAMPLES / "seven_tasks", out]
    done = subprocess.run(list(map(str, command)), env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    return out


@pytest.fixture(scope="module")
def ask(server):
    with hp.Client(server.address, progress=False) as client:
        yield client


def distances(got, expected):
    """The largest difference of each array or number, as a share of its largest value; all else must be equal. Of
    iterators of shuffled rows, how far apart the nearest rows of the two are."""
    if isinstance(got, collections.abc.Iterator):
        return rows_apart([next(got).numpy() for _ in expected], expected)
    if isinstance(expected, list):
        assert len(got) == len(expected)
        return [share for pair in zip(got, expected, strict=True) for share in distances(*pair)]
    if isinstance(expected, (str, int)):
        assert got == expected
        return []
    assert np.shape(got) == np.shape(expected)
    return [float(np.abs(got - expected).max() / np.abs(expected).max())]


def rows_apart(got, expected):
    """From each row of the one to the nearest of the other, at most; both have all rows of a corpus, in any order."""
    assert {batch.shape for batch in got} == {batch.shape for batch in expected} and len(got[0]) > 1
    one, other = np.concatenate(got), np.concatenate(expected)
    apart = np.array([np.abs(other - row).max(axis=1) for row in one])
    return [float(max(apart.min(axis=0).max(), apart.min(axis=1).max()) / np.abs(other).max())]


@pytest.mark.parametrize("name", NAMES)
def test_a_task_gives_what_transformer_lens_gives(name, ask, theirs, tmp_path):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("agg")
    task, picture = load(name), tmp_path / "ours.png"
    got = task.ours(ask, picture) if "picture" in inspect.signature(task.ours).parameters else task.ours(ask)
    shares = distances(got, pickle.loads((theirs / f"{name}.pickle").read_bytes()))
    assert max(shares, default=0.0) <= TOLERANCE, shares
    if (theirs / f"{name}.png").exists():
        assert min(each.stat().st_size for each in (picture, theirs / f"{name}.png")) > 5000


def lines(source):
    """The lines of a function's body that are neither blank, nor a comment, nor of an import."""
    [definition] = ast.parse(source).body
    imports = [each for each in definition.body if isinstance(each, (ast.Import, ast.ImportFrom))]
    left_out = {line for each in imports for line in range(each.lineno, each.end_lineno + 1)}
    numbered = list(enumerate(source.splitlines(), 1))[definition.body[0].lineno - 1 :]
    written = [line.strip() for number, line in numbered if number not in left_out]
    return sum(bool(line) and not line.startswith("#") for line in written)


def test_no_task_takes_more_lines_than_with_transformer_lens():
    row = re.compile(r"^\| \[(\w+)\]\(seven_tasks/\1\.py\).* \| (\d+) \| (\d+) \|$", re.MULTILINE)
    table = {name: (int(ours), int(theirs)) for name, ours, theirs in row.findall((EXAMPLES / "README.md").read_text())}
    for name in NAMES:
        ours, theirs = (lines(inspect.getsource(each)) for each in (load(name).ours, load(name).theirs))
        FIGURES.append(f"Lines of {name}: {ours}, with TransformerLens {theirs}")
        assert ours <= theirs, name
        assert table[name] == (ours, theirs), name
    assert set(table) == set(NAMES)


def test_lines_are_counted_as_they_are_written():
    source = (
        'def task(model):\n    import os\n\n    # A comment.\n    path = [\n        "a",\n    ]\n\n    return path\n'
    )
    assert lines(source) == 4
