"""The report's numbers, against the same computed directly from captures."""

import dataclasses

import numpy as np
import pytest
from conftest import Server
from python_client import hp

from hydrophone.report import compute, maps, profiles, scatters
from hydrophone.report.ask import FINAL, LESSON, Mask, Question, ask

LAYERS = 12


@pytest.fixture(scope="module")
def client(server):
    with hp.Client(server.address, progress=False) as connected:
        yield connected


@pytest.fixture(scope="module")
def answers(client):
    return ask(client, Question(), lambda step: None)


@pytest.fixture(scope="module")
def outlier_answers(random_checkpoint):
    """Of a model with planted outliers and many heads."""
    shape = "--n-layer 3 --n-embd 60 --n-head 6 --n-positions 64 --outlier-dims 7,13".split()
    with (
        Server(random_checkpoint("outliers", *shape)) as server,
        hp.Client(server.address, progress=False) as connected,
    ):
        yield ask(connected, Question(), lambda step: None)


@pytest.fixture(scope="module")
def captured(client):
    """The states, raw throughout, and the two deltas of the lesson's text, float64 [layers, tokens, width]."""
    r = client.extract(LESSON, ["resid_pre", "resid_post", "attn.c_proj", "mlp.c_proj"])
    states = np.concatenate([r.stack("resid_pre"), r.stack("resid_post")[-1:]])
    return tuple(each.astype(np.float64) for each in (states, r.stack("attn.c_proj"), r.stack("mlp.c_proj")))


def r_of(x, y, kept=slice(None)):
    return np.corrcoef(x[kept].ravel(), y[kept].ravel())[0, 1]


def kept_by_quantile(arrays):
    quantile = float(np.float32(0.99))  # as the wire has it
    return np.all([np.abs(each) <= np.quantile(np.abs(each), quantile) for each in arrays], axis=0)


def pairs(captured, layer):
    states, attention, mlp = (captured[0], captured[1][layer], captured[2][layer])
    now, then = states[layer], states[layer + 1]
    return {
        compute.STATES: (now, then),
        compute.DELTAS: (attention, mlp),
        compute.INCREMENT: (attention + mlp, then - now),
        compute.SUM: (now, attention + mlp),
    }, kept_by_quantile([now, then, attention, mlp])


def test_the_four_panels_are_the_lessons_layer(answers, captured):
    made = compute.scatter(answers)
    expected, kept = pairs(captured, 10)
    assert made.layer == 10
    np.testing.assert_array_equal(made.hidden, ~kept.ravel())
    for panel, (x, y) in zip(made.panels, expected.values(), strict=True):
        np.testing.assert_array_equal(panel.x, x.ravel())
        np.testing.assert_array_equal(panel.y, y.ravel())
        # Both are float64; sums in another order differ in the last digits.
        assert panel.r == pytest.approx(r_of(x, y), abs=1e-12)
        assert panel.r_masked == pytest.approx(r_of(x, y, kept), abs=1e-12)


@pytest.mark.parametrize("masked", [False, True])
def test_the_dots_are_the_panels_values(answers, masked):
    numbers = compute.scatter(answers)
    figure = scatters.scatter(numbers, masked)
    for axes, panel in zip(figure.axes, numbers.panels, strict=True):
        lines = {line.get_label(): line for line in axes.get_lines()}
        assert ("hidden by the mask" in lines) is not masked
        dots = np.concatenate([lines[name].get_xydata() for name in ("kept", "hidden by the mask") if name in lines])
        shown = np.flatnonzero(~numbers.hidden) if masked else np.argsort(numbers.hidden, kind="stable")
        np.testing.assert_array_equal(dots, np.stack([panel.x, panel.y], axis=1)[shown])
        assert f"r = {panel.r_masked if masked else panel.r:.3f}" in axes.get_title(loc="left")


def test_correlations_of_every_layer_are_of_raw_states(answers, captured):
    made = compute.correlations(answers)
    for layer in range(LAYERS):
        expected, kept = pairs(captured, layer)
        for name, (x, y) in expected.items():
            assert made.r[name][layer] == pytest.approx(r_of(x, y), abs=1e-12)
            assert made.r_masked[name][layer] == pytest.approx(r_of(x, y, kept), abs=1e-12)


def test_the_flag_is_the_correlation_with_the_normalised_state(answers, client, captured):
    made = compute.correlations(answers)
    normalised = client.extract(LESSON, "hidden_states", layers=-1)["hidden_states"].astype(np.float64)
    assert made.flagged == pytest.approx(r_of(captured[0][-2], normalised), abs=1e-12)
    assert abs(made.flagged - made.r[compute.STATES][-1]) > 1e-3
    curves, below = profiles.correlations(made).axes
    flagged = [line for line in curves.get_lines() if line.get_label().startswith("flagged")]
    assert [tuple(line.get_xydata()[0]) for line in flagged] == [(LAYERS - 1, made.flagged)]
    np.testing.assert_array_equal(curves.get_lines()[0].get_ydata(), made.r[compute.STATES])
    np.testing.assert_array_equal(below.get_lines()[0].get_ydata(), made.r_masked[compute.STATES])


def test_only_the_models_own_order_leaves_nothing(answers, captured):
    made = compute.residuals(answers)
    states, attention, mlp = (each.astype(np.float32) for each in captured)
    np.testing.assert_array_equal(made.server, np.zeros(LAYERS))
    regrouped = np.abs(states[1:] - (states[:-1] + (attention + mlp))).max(axis=(1, 2))
    np.testing.assert_array_equal(made.regrouped, regrouped)
    assert regrouped.max() > 0
    np.testing.assert_array_equal(made.states, np.abs(states[1:]).max(axis=(1, 2)))
    assert made.flagged == answers.verified.final_state.max_abs_raw_difference
    curves = {line.get_label(): line.get_ydata() for line in profiles.residuals(made).axes[0].get_lines()}
    np.testing.assert_array_equal(curves["H[L+1] - ((H[L] + attn) + MLP)"], made.server)
    np.testing.assert_array_equal(curves["flagged: with hidden_states[12]"], [made.flagged])


@pytest.mark.parametrize("which", ["answers", "outlier_answers"])
def test_what_is_hidden_is_what_the_server_hides(which, request):
    answers = request.getfixturevalue(which)
    for report in answers.verified.layers:
        hidden = compute.hidden(answers.mask, compute._layer_arrays(answers, report.layer))
        assert hidden.mean() == pytest.approx(report.hidden_share, abs=1e-15)
        for axis, counted in ((1, report.hidden_positions), (0, report.hidden_dimensions)):
            count = hidden.sum(axis=axis)
            most = [int(each) for each in np.argsort(-count, kind="stable")[:8] if count[each]]
            assert counted == {place: count[place] for place in most}


def test_the_lessons_mask_is_used_where_it_hides_something(answers, outlier_answers):
    assert outlier_answers.mask == Mask(30.0, None)
    assert answers.mask == Mask(None, 0.99, instead=True)
    made = compute.outliers(outlier_answers)
    assert set(np.flatnonzero(made.layers_hidden.sum(axis=0))) == {7, 13}
    assert made.layers_hidden[0, 7] == 3, "hidden in every layer"
    dots = maps.outliers(made, 3).axes[2].collections[0].get_offsets()
    np.testing.assert_array_equal(dots[:, ::-1], np.argwhere(made.layers_hidden))


@pytest.mark.parametrize("given, expected", [({"max_abs": 5.1}, Mask(5.1, None)), ({"quantile": 0.9}, Mask(None, 0.9))])
def test_a_mask_that_is_asked_for_is_used(client, given, expected):
    answers = ask(client, Question(**given), lambda step: None)
    assert answers.mask == expected
    hidden = compute.hidden(answers.mask, compute._layer_arrays(answers, 10))
    assert hidden.mean() == pytest.approx(answers.verified.layers[10].hidden_share, abs=1e-15) and hidden.any()


def test_what_is_no_number_is_hidden():
    array = np.array([[1.0, np.nan, np.inf, 2.0]], dtype=np.float32)
    np.testing.assert_array_equal(compute.hidden(Mask(1.5, None), [array]), [[False, True, True, True]])
    np.testing.assert_array_equal(compute.hidden(Mask(None, 1.0), [array]), [[False, True, True, False]])
    assert compute.hidden(Mask(None, 0.5), [np.full((1, 2), np.nan, dtype=np.float32)]).all()


def test_pearson_of_a_constant_is_undefined():
    assert np.isnan(compute.pearson(np.ones(3, dtype=np.float32), np.arange(3, dtype=np.float32)))


def test_the_final_state_is_shown_raw_and_normed(answers, client):
    made = compute.final_state(answers)
    r = client.extract(FINAL, ["resid_pre", "resid_post", "hidden_states"])
    np.testing.assert_array_equal(made.raw, r["resid_post", -1][-1])
    np.testing.assert_array_equal(made.normalised, r["hidden_states", -1][-1])
    norms = [np.linalg.norm(each.astype(np.float64), axis=1).mean() for each in r.all("resid_pre")]
    norms.append(np.linalg.norm(r["resid_post", -1].astype(np.float64), axis=1).mean())
    np.testing.assert_allclose(made.norms, norms, rtol=1e-12)
    normalised = np.linalg.norm(r["hidden_states", -1].astype(np.float64), axis=1).mean()
    assert made.normalised_norm == pytest.approx(normalised, rel=1e-12)
    above, below = profiles.final_state(made).axes
    assert [len(line.get_ydata()) for line in above.get_lines()] == [LAYERS + 1, 1]
    np.testing.assert_array_equal(below.get_lines()[1].get_ydata(), made.raw)
    np.testing.assert_array_equal(below.get_lines()[2].get_ydata(), made.normalised)
    assert below.get_yscale() == "linear"


def test_outliers_of_the_final_state_leave_the_others_room(outlier_answers):
    below = profiles.final_state(compute.final_state(outlier_answers)).axes[1]
    assert below.get_yscale() == "symlog"


def test_attention_is_of_the_heads_that_look_least_at_the_first_token(answers, outlier_answers):
    assert compute.attention(answers).heads == (0, 1, 2, 3)
    made = compute.attention(outlier_answers)
    patterns = outlier_answers.lesson["hook_pattern"]
    shares = patterns[:, :, 0].mean(axis=1)
    assert len(made.heads) == 4 and max(shares[list(made.heads)]) <= min(shares[list(set(range(6)) - set(made.heads))])
    panels = [axes for axes in maps.attention(made).axes if axes.get_title(loc="left")]
    for axes, head in zip(panels, made.heads, strict=True):
        assert axes.get_title(loc="left") == f"head {head}"
        np.testing.assert_array_equal(axes.images[0].get_array(), patterns[head])


def test_the_lens_shows_the_most_likely_token_and_its_probability(answers, client):
    axes = maps.logit_lens(answers.lens).axes[0]
    logits = client.extract("The capital of France is", "logits")["logits"].astype(np.float64)
    shown = np.asarray(axes.images[0].get_array())
    probabilities = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    # The server's log probabilities are float32 of float64 sums.
    np.testing.assert_allclose(shown[-1], probabilities.max(axis=1), rtol=1e-5)
    last = [text.get_text() for text in axes.texts][-5:]
    likely = client.detokenize([[int(each)] for each in logits.argmax(axis=1)])
    assert last == [token.strip(" ").replace("\n", "\\n") for token in likely]


def test_the_grid_shows_what_is_restored(answers, client):
    axes = maps.patching(answers.grid).axes[0]
    clean, corrupt = "The capital of France is", "The capital of Italy is"
    grid = client.patch_grid(clean, corrupt, metric=hp.logit_diff(" Paris", " Rome"))
    np.testing.assert_array_equal(axes.images[0].get_array(), grid.restored)
    assert [label.get_text() for label in axes.get_xticklabels()] == ["The", "capital", "of", "Italy", "is"]
    nothing_lost = dataclasses.replace(grid, clean=grid.corrupt)
    np.testing.assert_array_equal(maps.patching(nothing_lost).axes[0].images[0].get_array(), grid.values)


def test_labels_of_tokens_stay_readable(answers):
    many = dataclasses.replace(
        compute.outliers(answers),
        tokens=tuple(f" {'$' * 20}{n}" for n in range(100)),
        layers_hidden=np.ones((100, 3), dtype=np.int64),
    )
    labels = [label.get_text() for label in maps.outliers(many, 12).axes[2].get_yticklabels()]
    assert len(labels) == 25 and labels[0] == r"\$" * 11 + "…"
