"""What is computed from values instead of sending them, against float64.

Projections, the logit lens, metrics and comparisons.
"""

import grpc
import numpy as np
import pytest
import torch
import transformers
from conftest import DEFAULT_MODEL
from hydrophone_client import tensor

TEXTS = ["Plants make fantastic pets because they don't leave a mess after you feed them.", "Hello there, world"]
BLOCKS = 12
LENS_POINTS = ["blocks.0.hook_resid_pre", "blocks.6.hook_resid_mid", "blocks.11.hook_resid_post", "hidden_states.5"]
TOLERANCE = 1e-4
PIECES = {15496: "Hello", 995: "Ġworld"}


@pytest.fixture(scope="module")
def model():
    """Hugging Face's, in float64."""
    loaded = transformers.GPT2LMHeadModel.from_pretrained(DEFAULT_MODEL, dtype=torch.float32)
    return loaded.eval().double()


@pytest.fixture(scope="module")
def full(client):
    """{run: {name: array}} of whole captures."""
    names = [*LENS_POINTS, "blocks.3.attn.hook_z", "blocks.3.attn.hook_pattern", "logits"]
    return client.extract(texts=TEXTS, hook_points=names).by_run()


@pytest.fixture(scope="module")
def log_probabilities(full):
    """{run: [s, V]} of the model's own logits, float64."""
    return {run: torch.from_numpy(full[run]["logits"].copy()).double().log_softmax(-1).numpy() for run in full}


def lens_logits(model, rows):
    """ln_f and the unembedding of raw residual rows, float64."""
    with torch.inference_mode():
        return model.lm_head(model.transformer.ln_f(torch.from_numpy(rows.copy()).double())).numpy()


def rank_range(logits, token):
    """The ranks that a token may have when each logit is off by the tolerance."""
    above = (logits > logits[token] + 2 * TOLERANCE).sum()
    return above, (logits >= logits[token] - 2 * TOLERANCE).sum() - 1


@pytest.mark.parametrize("name", ["blocks.6.hook_resid_mid", "blocks.3.attn.hook_z", "blocks.3.attn.hook_pattern"])
def test_a_projection_is_the_dot_products(name, full, client):
    texts = TEXTS[:1]  # keys of a pattern are as many as tokens
    whole = full[0][name]
    matrix = np.random.default_rng(0).normal(size=(5, whole.shape[-1])).astype(np.float32)
    hook = client.pb.HookSelector(hook_point=name, project=tensor(client.pb, matrix))
    got = client.extract(texts=texts, hooks=[hook]).named(name)
    expected = whole.astype(np.float64) @ matrix.astype(np.float64).T
    bound = np.abs(whole).astype(np.float64) @ np.abs(matrix).astype(np.float64).T * whole.shape[-1] * 2.0**-24
    assert got.shape == expected.shape
    assert (np.abs(got - expected) <= bound).all()


def test_a_projection_has_the_same_bits_alone_and_in_company(client):
    name, pb = "blocks.6.hook_resid_mid", client.pb
    vector = tensor(pb, np.random.default_rng(1).normal(size=64))

    def hook(**more):
        return pb.HookSelector(hook_point=name, project=vector, **more)

    together = client.extract(texts=TEXTS * 3, hooks=[hook()])
    rows = client.extract(texts=TEXTS, hooks=[hook()], layout=pb.LAYOUT_ROWS).named(name)
    alone = [client.extract(texts=[text], hooks=[hook()]).named(name) for text in TEXTS]
    last = client.extract(texts=TEXTS[:1], hooks=[hook(positions=pb.Positions(at=[-1]))]).named(name)
    for run in range(6):
        assert together.named(name, run).tobytes() == alone[run % 2].tobytes()
    assert rows.tobytes() == np.concatenate(alone).tobytes()
    assert last.tobytes() == alone[0][-1:].tobytes()


def test_a_projection_comes_after_units_and_reduction(full, client):
    name, pb = "blocks.6.hook_resid_mid", client.pb
    units, vector = pb.Units(features=[3, 9, 60]), np.float32([1, -2, 0.5])
    hook = pb.HookSelector(hook_point=name, units=units, reduction=pb.REDUCTION_MAX, project=tensor(pb, vector))
    got = client.extract(texts=TEXTS[:1], hooks=[hook]).named(name)
    expected = full[0][name][:, [3, 9, 60]].max(0).astype(np.float64) @ vector
    assert got.shape == (1, 1)
    np.testing.assert_allclose(got[0], expected, rtol=1e-6)


@pytest.mark.parametrize("name", LENS_POINTS)
def test_a_logit_lens_is_ln_f_and_the_unembedding(name, full, model, client):
    asked, pb = [15496, 995], client.pb
    hook = pb.HookSelector(hook_point=name, logit_lens=pb.LogitLens(top_k=4, token_ids=asked))
    extraction = client.extract(texts=TEXTS, hooks=[hook])
    for values in extraction.values:
        run = values.info.runs[0]
        logits = lens_logits(model, full[run][name])
        logprobs = torch.from_numpy(logits).log_softmax(-1).numpy()
        assert len(values.scores) == len(logits) * (4 + len(asked))
        for position, row in enumerate(logits):
            scores = [score for score in values.scores if score.position == position]
            assert [score.token_id for score in scores[4:]] == asked
            assert [score.piece for score in scores[4:]] == [PIECES[token] for token in asked]
            assert [score.rank for score in scores[:4]] == [0, 1, 2, 3]
            np.testing.assert_allclose(
                [score.value for score in scores[:4]], np.sort(row)[::-1][:4], atol=TOLERANCE, rtol=0
            )
            for score in scores:
                assert score.run == run
                assert abs(score.value - row[score.token_id]) <= TOLERANCE
                assert abs(score.logprob - logprobs[position, score.token_id]) <= TOLERANCE
                low, high = rank_range(row, score.token_id)
                assert low <= score.rank <= high


def test_a_logit_lens_of_chosen_positions_says_which(client):
    pb = client.pb
    ends, best = pb.Positions(at=[-1, 0]), pb.LogitLens(top_k=1)
    hook = pb.HookSelector(hook_point="blocks.4.hook_resid_post", positions=ends, logit_lens=best)
    extraction = client.extract(texts=TEXTS, hooks=[hook])
    tokens = [len(info.token_ids) for info in extraction.inputs]
    expected = [(0, tokens[0] - 1), (0, 0), (1, tokens[1] - 1), (1, 0)]
    assert [(score.run, score.position) for score in extraction.scores()] == expected


@pytest.mark.parametrize("name", LENS_POINTS)
def test_all_logits_of_a_lens_come_as_a_tensor(name, full, model, client):
    pb = client.pb
    hook = pb.HookSelector(hook_point=name, logit_lens=pb.LogitLens(logits=True))
    extraction = client.extract(texts=TEXTS, hooks=[hook])
    assert all(info.lens_logits and info.name == name for info, _ in extraction.tensors)
    for run in full:
        got = extraction.named(name, run)
        np.testing.assert_allclose(got, lens_logits(model, full[run][name]), atol=TOLERANCE, rtol=0)
        alone = client.extract(texts=[TEXTS[run]], hooks=[hook]).named(name)
        assert alone.tobytes() == got.tobytes()
    rows = client.extract(texts=TEXTS, hooks=[hook], layout=pb.LAYOUT_ROWS, dtype=pb.DTYPE_FLOAT16).named(name)
    with np.errstate(over="ignore"):
        whole = np.concatenate([extraction.named(name, run) for run in full]).astype(np.float16)
    assert rows.tobytes() == whole.tobytes()


@pytest.mark.parametrize("name", ["logits", "blocks.11.hook_resid_post"])
def test_a_lens_of_the_last_state_has_the_bits_of_the_logits(name, full, client):
    pb = client.pb
    lens = pb.LogitLens(logits=True)
    got = client.extract(texts=TEXTS, hooks=[pb.HookSelector(hook_point=name, logit_lens=lens)])
    for run in full:
        assert got.named(name, run).tobytes() == full[run]["logits"].tobytes()


@pytest.mark.parametrize("name", [*LENS_POINTS, "logits"])
def test_a_lens_has_entropy_and_divergence_from_the_end(name, full, model, log_probabilities, client):
    pb = client.pb
    numbers = pb.LogitLens(top_k=1, entropy=True, final_divergence=True)
    hook = pb.HookSelector(hook_point=name, logit_lens=numbers)
    extraction = client.extract(texts=TEXTS, hooks=[hook, pb.HookSelector(hook_point="blocks.11.hook_mlp_out")])
    scores = {(s.run, s.position, s.metric): s.value for s in extraction.scores() if s.metric}
    for run in full:
        logits = full[run]["logits"] if name == "logits" else lens_logits(model, full[run][name])
        log_p = torch.from_numpy(np.array(logits)).double().log_softmax(-1).numpy()
        log_q = log_probabilities[run]
        entropy, divergence = -(np.exp(log_p) * log_p).sum(-1), (np.exp(log_q) * (log_q - log_p)).sum(-1)
        for position in range(len(log_p)):
            assert abs(scores[run, position, "entropy"] - entropy[position]) <= TOLERANCE
            assert abs(scores[run, position, "final_divergence"] - divergence[position]) <= TOLERANCE
            if name in ("logits", "blocks.11.hook_resid_post"):
                assert scores[run, position, "final_divergence"] == 0
        alone = client.extract(texts=[TEXTS[run]], hooks=[hook]).scores()
        assert [s.value for s in alone] == [s.value for s in extraction.scores() if s.run == run]


def test_a_lens_diverges_from_the_end_of_its_own_run(client):
    pb = client.pb
    zero = pb.Intervention(hook_point="blocks.11.hook_mlp_out", positions=pb.Positions(slice=":"), zero=pb.Zero())
    runs = [pb.Run(), pb.Run(interventions=[zero])]
    lens = pb.LogitLens(final_divergence=True)
    hooks = [pb.HookSelector(hook_point=f"blocks.{layer}.hook_resid_post", logit_lens=lens) for layer in (10, 11)]
    extraction = client.extract(texts=TEXTS[:1], runs=runs, hooks=hooks)
    values = {(v.info.layer, v.info.runs[0]): np.array([s.value for s in v.scores]) for v in extraction.values}
    assert (values[10, 0] != values[10, 1]).all()
    assert not values[11, 0].any()
    assert not values[11, 1].any()


def test_scores_of_a_whole_vocabulary_are_refused_before_anything_is_computed(client):
    pb = client.pb
    hook = pb.HookSelector(hook_point="blocks.3.hook_resid_post", logit_lens=pb.LogitLens(top_k=50257))
    with pytest.raises(grpc.RpcError) as refused:
        client.extract(texts=TEXTS, hooks=[hook], validate_only=True)
    limit = client.model().limits.max_message_bytes
    assert "logit_lens.logits gives the logits as a tensor" in refused.value.details()
    assert f"the limit is {limit}" in refused.value.details()


def test_a_logit_difference(full, client):
    metric = client.pb.Metric(key="greeting", logit_diff=client.pb.LogitDiff(correct=15496, wrong=995))
    scores = client.extract(texts=TEXTS, metrics=[metric]).scores()
    assert [(score.run, score.metric) for score in scores] == [(0, "greeting"), (1, "greeting")]
    for score in scores:
        logits = full[score.run]["logits"].astype(np.float64)
        assert score.position == len(logits) - 1
        assert abs(score.value - (logits[-1, 15496] - logits[-1, 995])) <= 1e-5


def test_the_next_tokens_loss(log_probabilities, client):
    metric = client.pb.Metric(key="loss", next_token_loss=client.pb.NextTokenLoss())
    extraction = client.extract(texts=TEXTS, metrics=[metric])
    ids = [list(info.token_ids) for info in extraction.inputs]
    scores = extraction.scores()
    assert [(score.run, score.position) for score in scores] == [(r, i) for r in (0, 1) for i in range(len(ids[r]) - 1)]
    for score in scores:
        expected = -log_probabilities[score.run][score.position, ids[score.run][score.position + 1]]
        assert abs(score.value - expected) <= 1e-5


@pytest.fixture(scope="module")
def pair(client):
    """Two runs of one input, the second scaled somewhere, its baseline the first: fields, names, and full values."""
    pb = client.pb
    edit = pb.Intervention(hook_point="blocks.3.hook_mlp_out", positions=pb.Positions(at=[2, 3]), scale=-2)
    names = ["blocks.2.hook_resid_post", "blocks.3.hook_mlp_out", "blocks.8.attn.hook_z"]
    names += ["blocks.9.attn.hook_attn_scores", "logits"]
    clean, edited = pb.Run(), pb.Run(interventions=[edit])
    full = client.extract(texts=TEXTS[:1], runs=[clean, edited], hook_points=names).by_run()
    compared = pb.Run(interventions=[edit], baseline=0)
    return {"texts": TEXTS[:1], "runs": [clean, compared]}, names, full


def test_a_comparison_with_the_baseline_is_numpys(pair, client):
    fields, names, full = pair
    extraction = client.extract(**fields, hooks=[client.pb.HookSelector(hook_point=name, runs=[1]) for name in names])
    assert sorted(values.info.name for values in extraction.values) == sorted(names)
    for values in extraction.values:
        got, info = values.comparison, values.info
        assert (list(info.runs), info.baseline) == ([1], 0)
        run, base = full[1][info.name].astype(np.float64), full[0][info.name].astype(np.float64)
        finite = np.isfinite(run) & np.isfinite(base)
        assert (got.count, got.nonfinite) == (finite.sum(), (~finite).sum())
        run, base = run[finite], base[finite]
        norms = np.linalg.norm(run - base), np.abs(run - base).max(), np.linalg.norm(run), np.linalg.norm(base)
        measured = [got.difference_l2, got.difference_max, got.run_l2, got.baseline_l2]
        np.testing.assert_allclose(measured, norms, rtol=1e-10)
        likeness = run @ base / norms[2] / norms[3], np.corrcoef(run, base)[0, 1]
        np.testing.assert_allclose([got.cosine, got.pearson_r], likeness, rtol=1e-9)
    upstream = next(values.comparison for values in extraction.values if values.info.name == names[0])
    assert (upstream.difference_l2, upstream.difference_max) == (0, 0)


def test_a_run_without_a_baseline_beside_one_with_gives_its_tensor(pair, client):
    fields, names, full = pair
    extraction = client.extract(**fields, hook_points=names[:1])
    assert extraction.named(names[0], 0).tobytes() == full[0][names[0]].tobytes()
    assert [list(values.info.runs) for values in extraction.values] == [[1]]


def test_the_divergence_from_the_baseline(pair, client):
    fields, _, full = pair
    pb = client.pb
    metric = pb.Metric(key="kl", positions=pb.Positions(slice=":"), runs=[1], divergence=pb.Divergence())
    scores = client.extract(**fields, metrics=[metric]).scores()
    base, run = (torch.from_numpy(full[i]["logits"].copy()).double().log_softmax(-1) for i in (0, 1))
    expected = (base.exp() * (base - run)).sum(-1).numpy()
    assert [score.position for score in scores] == list(range(len(expected)))
    np.testing.assert_allclose([score.value for score in scores], expected, atol=1e-6, rtol=1e-4)
    assert scores[0].value == 0 and scores[-1].value > 0
