"""decompose_resid, accumulated_resid, stack_head_results and logit_attrs, equal to TransformerLens's."""

import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest
from conftest import DEFAULT_MODEL, FIGURES, cache_directory
from python_client import hp

SCRIPT = pathlib.Path(__file__).with_name("transformer_lens_stacks.py")
TEXT = "Plants make fantastic pets because they don't leave a mess after you feed them."
TOLERANCE = 5e-6  # of the largest value, as in tests/parity
CASES = [
    ["all", "decompose_resid", {}],
    ["before 3", "decompose_resid", {"layer": 3}],
    ["before MLP 3", "decompose_resid", {"layer": 3, "mlp_input": True}],
    ["before MLP 3, scaled", "decompose_resid", {"layer": 3, "mlp_input": True, "apply_ln": True}],
    ["attention", "decompose_resid", {"mode": "attn", "incl_embeds": False}],
    ["MLPs, scaled", "decompose_resid", {"mode": "mlp", "apply_ln": True}],
    ["states", "accumulated_resid", {}],
    ["states with mid", "accumulated_resid", {"layer": 4, "incl_mid": True, "mlp_input": True}],
    ["states, scaled", "accumulated_resid", {"layer": 4, "apply_ln": True}],
    ["states, normalised", "accumulated_resid", {"incl_mid": True, "apply_ln": True}],
    ["heads", "stack_head_results", {}],
    ["heads before 2 and the rest", "stack_head_results", {"layer": 2, "incl_remainder": True}],
    ["heads, scaled", "stack_head_results", {"layer": 5, "apply_ln": True}],
]
NAMES = [name for name, _, _ in CASES]


@pytest.fixture(scope="module")
def ask(server):
    with hp.Client(server.address, progress=False) as client:
        yield client


@pytest.fixture(scope="module")
def theirs(ask, tmp_path_factory):
    directory = tmp_path_factory.mktemp("transformer_lens")
    (directory / "cases.json").write_text(json.dumps(CASES))
    ids = ",".join(map(str, ask.tokenize(TEXT)[0].token_ids))
    command = [sys.executable, SCRIPT, DEFAULT_MODEL, ids, directory / "cases.json", directory / "out.npz"]
    environment = {**os.environ, "PYTHONPATH": str(cache_directory() / "transformer-lens"), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(list(map(str, command)), env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    return dict(np.load(directory / "out.npz"))


@pytest.fixture(scope="module")
def ours(ask):
    return {name: getattr(ask, function)(TEXT, **arguments) for name, function, arguments in CASES}


def relative(got, expected):
    assert got.shape == expected.shape
    return float(np.abs(got - expected).max() / np.abs(expected).max())


def test_stacks_are_those_of_transformer_lens(ours, theirs):
    worst = {name: relative(ours[name].values, theirs[name]) for name in NAMES}
    FIGURES.append(f"Residual stacks, to TransformerLens: worst {max(worst.values()):.2e} of the largest value")
    assert max(worst.values()) <= TOLERANCE, worst
    for name in NAMES:
        assert list(ours[name].labels) == theirs[f"labels {name}"].tolist(), name


def test_attributions_are_those_of_transformer_lens(ask, ours, theirs):
    names = [name for name in NAMES if f"attrs {name}" in theirs]
    worst = {name: relative(ask.logit_attrs(ours[name], 5, 9), theirs[f"attrs {name}"]) for name in names}
    assert len(worst) > 7 and max(worst.values()) <= TOLERANCE, worst


def test_the_parts_are_the_stream(ask, ours):
    final = ask.extract(TEXT, "resid_post", layers=-1)["resid_post"]
    np.testing.assert_allclose(ours["all"].values.sum(axis=0), final, atol=1e-4)
    np.testing.assert_array_equal(ours["states"]["final_post"], final)


def test_positions(ask, ours):
    last = ask.decompose_resid(TEXT, pos_slice="last")
    np.testing.assert_array_equal(last.values, ours["all"].values[:, -1:])
    both = ask.logit_attrs(ours["all"], [5] * ours["all"].values.shape[1], " a")
    assert both.shape == ours["all"].values.shape[:2]


@pytest.mark.parametrize(
    "argument, method, call",
    [
        ("layer", "decompose_resid", {"layer": 13}),
        ("mode", "decompose_resid", {"mode": "both"}),
        ("mlp_input", "accumulated_resid", {"mlp_input": True}),
        ("layer", "stack_head_results", {"layer": 0}),
        ("pos_slice[0]", "decompose_resid", {"pos_slice": [99]}),
        ("input", "decompose_resid", {"input": ""}),
    ],
)
def test_errors_name_the_argument_of_a_stack(ask, argument, method, call):
    with pytest.raises(hp.InvalidArgument) as caught:
        getattr(ask, method)(**{"input": TEXT, **call})
    assert caught.value.argument == argument, caught.value.violations


def test_errors_of_attributions_name_the_argument(ask, ours):
    for argument, tokens in (
        ("tokens", (" two words",)),
        ("tokens", ([1, 2],)),
        ("tokens", (99999,)),
        ("incorrect_tokens", (1, " two words")),
    ):
        with pytest.raises(hp.InvalidArgument) as caught:
            ask.logit_attrs(ours["all"], *tokens)
        assert caught.value.argument == argument
