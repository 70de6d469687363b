"""The notebook of the two lessons runs, and its numbers are those of Verify."""

import json
import os

import nbclient
import nbformat
import numpy as np
import pytest
from python_client import PACKAGE, hp

PATH = PACKAGE / "examples/lessons.ipynb"
LESSON = "Plants make fantastic pets because they don't leave a mess after you feed them."
# What a last cell prints of the kernel's variables.
NUMBERS = """
import json
print(json.dumps({
    "residual": float(np.abs(residual).max()), "correlations": correlations, "layer": LAYER, "edited": EDITED,
    "hidden": {name: [float((~masks(layer)[name]).mean()) for layer in range(model.n_layer)] for name in masks(0)},
    "before_dropout": float(before_dropout), "after_dropout": float(after_dropout),
    "seeds": [bool(np.array_equal(train["resid_post"], each["resid_post"])) for each in (again, other)],
    "shares": [float(each) for each in shares], "entering": float(entering), "norms": [float(each) for each in norms],
    "normed": float(np.linalg.norm(normed)), "raw_difference": float(raw_difference),
    "ln_f": [float(recomputed_difference), float(served_difference), float(np.abs(normed).max())],
    "verified": bool(verified), "grid": grid.values.tolist(),
}))
"""


@pytest.fixture(scope="module")
def executed(server, tmp_path_factory):
    """The notebook after a run, with one more cell."""
    notebook = nbformat.read(PATH, as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell(NUMBERS))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HYDROPHONE_SERVER", server.address)
        patch.setenv(
            "PYTHONPATH", os.pathsep.join([str(PACKAGE / "src"), *os.environ.get("PYTHONPATH", "").split(":")])
        )
        patch.setenv("IPYTHONDIR", str(tmp_path_factory.mktemp("ipython")))
        nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3").execute()
    return notebook


@pytest.fixture(scope="module")
def found(executed):
    return json.loads(executed.cells[-1].outputs[0]["text"])


@pytest.fixture(scope="module")
def ask(server):
    with hp.Client(server.address, progress=False) as client:
        yield client


def test_it_is_committed_without_outputs():
    cells = [cell for cell in nbformat.read(PATH, as_version=4).cells if cell.cell_type == "code"]
    assert len(cells) > 10
    assert not any(cell.outputs or cell.execution_count for cell in cells)


def test_it_shows_its_pictures(executed):
    shown = [output for cell in executed.cells for output in cell.get("outputs", []) if "image/png" in str(output)]
    assert len(shown) == 5


def test_the_first_lesson_is_that_of_verify(ask, found):
    for name, options in (("at most 30", {"max_abs": 30.0}), ("99 %", {"quantile": 0.99})):
        report = ask.verify(LESSON, skip_reference=True, **options)
        assert found["residual"] == max(layer.max_abs for layer in report.layers) == 0
        assert found["hidden"][name] == pytest.approx([layer.hidden_share for layer in report.layers])
        for layer, ours in zip(
            report.layers, zip(found["correlations"]["all"], found["correlations"][name], strict=True), strict=True
        ):
            for each in layer.correlations:
                assert [of[each.name] for of in ours] == pytest.approx([each.r, each.r_masked], abs=1e-9), each.name


def test_the_sum_closes_after_the_dropouts_alone(found):
    assert found["before_dropout"] > 0.01 and found["after_dropout"] == 0
    assert found["seeds"] == [True, False]


def test_the_edit_is_felt_from_its_layer_on(ask, found):
    clean, without = (
        ask.extract(LESSON, "resid_post", edits=edits).stack("resid_post").astype(np.float64)
        for edits in (None, hp.zero("mlp_out", layers=found["edited"]))
    )
    direct = [np.linalg.norm(b - a) / np.linalg.norm(a) for a, b in zip(clean, without, strict=True)]
    assert found["shares"] == pytest.approx(direct) and found["shares"][found["edited"] - 1] == 0
    assert found["shares"][found["edited"]] > 0


def test_the_second_lesson_is_that_of_verify(ask, found):
    final = ask.verify("hello", skip_reference=True).final_state
    assert found["entering"] == final.max_abs_input_difference == 0
    assert found["raw_difference"] == pytest.approx(final.max_abs_raw_difference) and found["raw_difference"] > 1
    assert found["norms"] == pytest.approx(final.raw_profile_norms) and found["normed"] == pytest.approx(
        final.normalised_norm
    )
    recomputed, served, largest = found["ln_f"]
    assert served == final.max_abs_ln_f_difference == 0
    assert recomputed <= 5e-6 * largest  # float64 against float32, as in tests/parity
    assert found["verified"]


def test_the_grid_is_the_clients(ask, found):
    grid = ask.patch_grid(
        "The capital of France is", "The capital of Italy is", "resid_pre", metric=hp.logit_diff(" Paris", " Rome")
    )
    assert np.array_equal(np.array(found["grid"], dtype=np.float32), grid.values)
