"""The examples in the Python client's docstrings and READMEs, against a server."""

import doctest
import importlib
import inspect
import pkgutil
import re
import sys

import pytest
from conftest import ROOT, cache_directory
from python_client import PACKAGE, hp

sys.path.append(str(cache_directory() / "transformer-lens"))  # behind what the environment has itself
MODULES = sorted(each.name for each in pkgutil.walk_packages(hp.__path__, "hydrophone."))


@pytest.fixture(scope="module")
def examples(server):
    with hp.Client(server.address) as client:
        yield {"hp": hp, "client": client}


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_are_true(name, examples):
    module = importlib.import_module(name)
    finder, runner = doctest.DocTestFinder(), doctest.DocTestRunner()
    for test in finder.find(module, name, globs=dict(examples)):
        runner.run(test)
    assert runner.failures == 0


def test_every_method_of_a_client_has_an_example():
    methods = {name for name in vars(hp.Client) if not name.startswith("_")} - {"run", "close"}
    without = [name for name in sorted(methods) if ">>>" not in (getattr(hp.Client, name).__doc__ or "")]
    assert methods and not without


def test_help_shows_what_a_method_takes():
    for client in (hp.Client("localhost:1"), hp.aio.Client("localhost:1")):
        for name in ("extract", "stream", "tokenize", "max_activating"):
            first, *_ = inspect.signature(getattr(client, name)).parameters
            assert first == ("corpus" if name == "max_activating" else "inputs"), name


def test_both_clients_have_the_same_methods():
    blocking, awaited = ({n for n in vars(each) if not n.startswith("_")} for each in (hp.Client, hp.aio.Client))
    assert blocking == awaited


@pytest.mark.parametrize("readme", [ROOT / "README.md", PACKAGE / "README.md"], ids=["top", "package"])
def test_the_lines_of_a_readme_run(readme, server, tmp_path, monkeypatch):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("agg")
    monkeypatch.chdir(tmp_path)
    lines = re.search(r"```python\n(.*?)```", readme.read_text(), re.DOTALL)[1]
    lines, addresses = re.subn(r'hp\.Client\("[^"]*"\)', f'hp.Client("{server.address}")', lines)
    assert addresses == 1
    names = {}
    exec(lines, names)
    with names["client"] as client:
        assert names["r"]["attn.c_proj", 10].shape == (len(names["r"].tokens[0]), client.model().n_embd)
