"""What is built on extract: the logit lens, patching grids, parameters, Verify, the most activating places."""

import numpy as np
import pytest
from conftest import Server
from python_client import hp

CLEAN, CORRUPT = "The capital of France is", "The capital of Italy is"
DIFFERENCE = hp.logit_diff(" the", " a")


@pytest.fixture(scope="module")
def ask(server):
    with hp.Client(server.address, progress=False) as client:
        yield client


def test_a_patching_grid_is_its_runs_one_by_one(ask):
    grid = ask.patch_grid(CLEAN, CORRUPT, "resid_pre", metric=DIFFERENCE, layers=[0, 7])
    assert grid.values.shape == (2, 5) and grid.layers == (0, 7) and grid.labels[3] == " Italy"
    for row, layer in enumerate(grid.layers):
        for position in range(5):
            runs = [hp.run(0), hp.run(1, hp.patch("resid_pre", 0, layers=layer, positions=position))]
            alone = ask.extract([CLEAN, CORRUPT], runs=runs, metrics=DIFFERENCE)
            assert grid.values[row, position] == alone.metric("logit_diff", 1)[0]
    assert grid.clean == ask.extract(CLEAN, metrics=DIFFERENCE).metric("logit_diff")[0]
    assert grid.corrupt == ask.extract(CORRUPT, metrics=DIFFERENCE).metric("logit_diff")[0]
    assert grid.restored[1, 3] == pytest.approx((grid.values[1, 3] - grid.corrupt) / (grid.clean - grid.corrupt))


def test_a_patching_grid_of_many_requests_is_that_of_one(ask):
    with Server(flags=["--max_batch_tokens=50"]) as server, hp.Client(server.address) as small:
        one, many = (each.patch_grid(CLEAN, CORRUPT, metric=DIFFERENCE) for each in (ask, small))
    np.testing.assert_array_equal(one.values, many.values)


def test_heads_are_patched_one_by_one(ask):
    grid = ask.patch_grid(CLEAN, CORRUPT, "z", metric=DIFFERENCE, layers=-1, by="head")
    assert grid.values.shape == (1, 4) and grid.layers == (11,)
    runs = [hp.run(0), hp.run(1, hp.patch("z", 0, layers=11, heads=2))]
    assert grid.values[0, 2] == ask.extract([CLEAN, CORRUPT], runs=runs, metrics=DIFFERENCE).metric("logit_diff", 1)[0]


@pytest.mark.parametrize(
    "argument, call",
    [
        ("hook", {"hook": "no_such"}),
        ("layers", {"layers": 99}),
        ("layers", {"layers": [0, 1], "hook": "blocks.3.hook_resid_pre"}),
        ("clean", {"clean": ""}),
        ("by", {"by": "heads"}),
    ],
)
def test_errors_of_patching_name_the_argument(ask, argument, call):
    with pytest.raises(hp.InvalidArgument) as caught:
        ask.patch_grid(**{"clean": CLEAN, "corrupt": CORRUPT, "metric": DIFFERENCE, **call})
    assert caught.value.argument == argument, caught.value.violations


@pytest.mark.parametrize(
    "argument, call",
    [
        ("input", {"input": ""}),
        ("layers[0]", {"layers": [99]}),
        ("positions[0]", {"positions": [99]}),
        ("hook", {"hook": "mlp_out"}),
        ("top_k", {"top_k": 99999}),
        ("tokens", {"tokens": " two words"}),
        ("tokens[1]", {"tokens": [1, 99999]}),
    ],
)
def test_errors_of_the_lens_name_the_argument(ask, argument, call):
    with pytest.raises(hp.InvalidArgument) as caught:
        ask.logit_lens(**{"input": CLEAN, **call})
    assert caught.value.argument == argument, caught.value.violations


def test_patching_needs_as_many_tokens(ask):
    with pytest.raises(hp.InvalidArgument, match="got 6 tokens, expected 5") as caught:
        ask.patch_grid(CLEAN, CLEAN + " a", metric=DIFFERENCE)
    assert caught.value.argument == "corrupt"


def test_the_lens_of_the_last_layer_is_the_model(ask):
    logits = ask.extract(CLEAN, "logits")["logits"]
    lens = ask.logit_lens(CLEAN, layers=[3, -1], top_k=4, tokens=[" the", 5])
    assert lens.layers == (3, 11) and lens.positions == tuple(range(5)) and lens.tokens[3] == " France"
    np.testing.assert_array_equal(lens.top_ids[1, :, 0], logits.argmax(axis=1))
    np.testing.assert_array_equal(lens.top_logits[1, :, 0], logits.max(axis=1))
    np.testing.assert_array_equal(lens.logits[1, :, 1], logits[:, 5])
    assert np.all(np.diff(lens.top_logprobs, axis=-1) <= 0)
    assert lens.final_divergence[1].tolist() == [0.0] * 5 and lens.final_divergence[0].min() > 0
    assert lens.ranks.shape == lens.logprobs.shape == (2, 5, 2)
    assert lens.table(-1).splitlines()[0] == "after ' is', position 4"
    assert repr(lens.top_tokens[1, -1, 0]) in lens.table(-1).splitlines()[2]


def test_parameters(ask, client):
    _, bare = client.parameters("wte.weight", "ln_f.*")
    whole = ask.parameters(["wte", "ln_f"])
    assert list(whole) == [info.name for info, _ in bare]
    for info, array in bare:
        np.testing.assert_array_equal(whole[info.name], array)
    [paris] = ask.tokenize(" Paris")[0].token_ids
    np.testing.assert_array_equal(ask.parameters("wte", tokens=[" Paris", 5])["wte"], whole["wte"][[paris, 5]])
    np.testing.assert_array_equal(ask.parameters("wte", rows=[9, 2])["transformer.wte.weight"], whole["wte"][[9, 2]])
    names = {each.name: each for each in ask.list_parameters()}
    assert names["lm_head.weight"].tied_to == "transformer.wte.weight" and len(names) > 100
    with pytest.raises(KeyError, match="expected one of"):
        whole["wpe"]


@pytest.mark.parametrize(
    "argument, call",
    [
        ("names", {"names": "no_such"}),
        ("names[1]", {"names": ["wte", "no_such"]}),
        ("tokens", {"names": "wte", "tokens": [" two words"]}),
        ("tokens", {"names": "wte", "tokens": 1, "rows": [2]}),
        ("names", {"rows": [2]}),
        ("rows", {"names": "wte", "rows": []}),
        ("rows[0]", {"names": "ln_f", "rows": [99999]}),
    ],
)
def test_errors_of_parameters_name_the_argument(ask, argument, call):
    with pytest.raises(hp.InvalidArgument) as caught:
        ask.parameters(**call)
    assert caught.value.argument == argument, caught.value.violations


def test_verify(ask):
    found = ask.verify(CLEAN, layers=[3], include_residuals=True, quantile=0.99, skip_reference=True)
    assert found and found.layers[0].layer == 3 and found.layers[0].bitwise
    assert found.layers[0].residual.shape == (5, 64) and not found.layers[0].residual.any()
    assert found.final_state.max_abs_raw_difference > 1 and "checks passed" in repr(found)
    with pytest.raises(hp.InvalidArgument) as caught:
        ask.verify(CLEAN, quantile=2.0)
    assert caught.value.argument == "quantile"


def test_hook_points_and_tokens(ask):
    points = {point.name: point for point in ask.hook_points()}
    assert points["blocks.L.hook_attn_out"].editable and points["blocks.L.hook_attn_out"].layers == 12
    assert ask.detokenize([list(ask.tokenize("caf\u00e9 \U0001f600")[0].token_ids), [0]]) == [
        "caf\u00e9 \U0001f600",
        "!",
    ]
    assert ask.tokenize(["", "a"], skip_bad_inputs=True)[0].skipped
    with pytest.raises(hp.InvalidArgument) as caught:
        ask.tokenize(["a", ""])
    assert caught.value.argument == "inputs[1]"


CORPUS = [f"{word} and {word} again, said the {word}. " * 9 for word in ("fox", "dog", "king", "sea")] * 5 + [""]


def test_the_most_activating_windows_of_a_corpus(ask):
    top = ask.max_activating(iter(CORPUS), "mlp.hook_post", layer=5, unit=37, k=6, context=16)
    expected = []
    for number, info in enumerate(ask.tokenize(CORPUS, skip_bad_inputs=True)):
        for begin in range(0, len(info.token_ids), 16):
            ids = list(info.token_ids[begin : begin + 16])
            values = ask.extract(ids, "mlp.hook_post", layers=5, features=37)["mlp.hook_post"].reshape(-1)
            expected.append((-float(values.max()), number, begin, int(values.argmax())))
    found = [(-each.value, each.window.text, each.window.begin, each.position) for each in top]
    assert found == sorted(expected)[:6]
    assert f"[[{top[0].token}]]" in top[0].context() and top[0].context() in repr(top).encode().decode("unicode_escape")


def test_the_windows_as_html_are_escaped(ask):
    html = ask.max_activating(["<b>Hello & goodbye</b>"], "mlp.hook_post", layer=5, unit=37, k=1).html()
    assert "<b>Hello" not in html and "&lt;" in html and "&amp;" in html and "rgba" in html


@pytest.mark.parametrize(
    "argument, call",
    [
        ("k", {"k": 0}),
        ("context", {"context": 5000}),
        ("hook", {"layer": None}),
        ("unit", {"unit": 9999}),
        ("layer", {"layer": 12}),
        ("layer", {"hook": "blocks.5.mlp.hook_post"}),
    ],
)
def test_errors_of_max_activating_name_the_argument(ask, argument, call):
    with pytest.raises(hp.InvalidArgument) as caught:
        ask.max_activating(["Hello"], **{"hook": "mlp.hook_post", "layer": 5, "unit": 1, **call})
    assert caught.value.argument == argument


def test_an_empty_corpus_has_no_places(ask):
    assert len(ask.max_activating([], "mlp.hook_post", layer=5, unit=1)) == 0
