"""Train mode: dropout with the checkpoint's probabilities, drawn from the request's seed, at Hugging Face's places."""

import concurrent.futures

import hugging_face
import numpy as np
import pytest
import torch
from conftest import DEFAULT_MODEL, Server

P = 0.1  # of every place, in the checkpoints used here
KEPT = np.float32(1 / (1 - P))
BLOCKS, WIDTH = 12, 64
PLACES = {
    "embedding": None,
    "after attention": ("hook_attn_out", "attn.hook_resid_dropout"),
    "after the MLP": ("hook_mlp_out", "mlp.hook_dropout"),
}
TEXT = "Plants make fantastic pets because they don't leave a mess after you feed them."


def random_ids(seed, tokens):
    return np.random.default_rng(seed).integers(0, 50257, size=tokens).tolist()


def captured(client, inputs, names, **fields):
    """{run: {name: array}}"""
    inputs = [client.pb.Input(token_ids=ids) for ids in inputs]
    return client.extract(inputs=inputs, hook_points=names, **fields).by_run()


def sampled_rate(draws):
    """The share of kept ones, and how far from 1 - P chance may put it: five standard deviations."""
    return draws.mean(), 5 * np.sqrt(P * (1 - P) / draws.size)


def before_and_after(values, place):
    """The two arrays of each layer that has the place."""
    if place == "embedding":
        yield values["hook_embed"] + values["hook_pos_embed"], values["hidden_states.0"]
        return
    for layer in range(BLOCKS):
        yield tuple(values[f"blocks.{layer}.{point}"] for point in PLACES[place])


@pytest.fixture(scope="module")
def seventeen_inputs(client):
    """Train-mode values at the places of width d: for the embedding, over a million elements."""
    inputs = [random_ids(seed, 942) for seed in range(17)]
    places = [point for pair in PLACES.values() if pair for point in pair]
    hooks = [client.pb.HookSelector(hook_point=point, runs=[0, 1]) for point in places]
    return captured(client, inputs, ["hook_embed", "hook_pos_embed", "hidden_states.0"], hooks=hooks, train_seed=11)


@pytest.mark.parametrize("place", PLACES)
def test_kept_values_are_scaled_and_the_others_zero_at_the_checkpoints_rate(place, seventeen_inputs):
    kept = []
    for values in seventeen_inputs.values():
        if place != "embedding" and "blocks.0.hook_mlp_out" not in values:
            continue
        for before, after in before_and_after(values, place):
            dropped = after == 0
            assert np.array_equal(after[~dropped], (before * KEPT)[~dropped])
            kept.append(~dropped[before != 0])
    draws = np.concatenate(kept)
    assert draws.size > 1_000_000
    rate, allowed = sampled_rate(draws)
    assert abs(rate - (1 - P)) <= allowed


def test_attention_drops_at_the_checkpoints_rate_and_mixes_by_what_is_left(api, random_checkpoint):
    directory, tokens = random_checkpoint("124M", "--preset", "gpt2"), 40
    inputs = [random_ids(seed, tokens) for seed in range(10)]
    names = [f"blocks.{layer}.attn.hook_{point}" for layer in range(12) for point in ("softmax", "pattern", "v", "z")]
    with Server(directory) as server, api.connect(server.address) as client:
        runs = captured(client, inputs, names, train_seed=5)
    visible = np.tril(np.ones((tokens, tokens), bool))
    draws = []
    for values in runs.values():
        for layer in range(12):
            softmax, pattern, v, z = (
                values[f"blocks.{layer}.attn.hook_{part}"] for part in ("softmax", "pattern", "v", "z")
            )
            np.testing.assert_allclose(softmax.sum(-1), 1, atol=1e-5)
            kept = pattern != 0
            assert np.array_equal(pattern[kept], (softmax * KEPT)[kept])
            np.testing.assert_allclose(np.einsum("hqk,khd->qhd", pattern, v), z, atol=1e-5)
            draws.append(kept[:, visible].ravel())
    draws = np.concatenate(draws)
    assert draws.size > 1_000_000
    rate, allowed = sampled_rate(draws)
    assert abs(rate - (1 - P)) <= allowed


def test_inputs_layers_and_places_draw_independently(seventeen_inputs):
    masks = [
        (after == 0).ravel()
        for run in (0, 1)
        for place in ("after attention", "after the MLP")
        for _, after in list(before_and_after(seventeen_inputs[run], place))[:3]
    ]
    masks += [(seventeen_inputs[run]["hidden_states.0"] == 0).ravel() for run in range(4)]
    correlations = np.corrcoef(np.array(masks, dtype=np.float64))
    others = np.abs(correlations[~np.eye(len(masks), dtype=bool)])
    assert others.max() <= 5 / np.sqrt(masks[0].size)


EVERYWHERE = [
    *("hidden_states", "attn.hook_z", "hook_attn_out", "attn.hook_resid_dropout"),
    *("hook_mlp_out", "mlp.hook_dropout", "logits"),
]


def bits(values):
    return {name: array.tobytes() for name, array in values.items()}


def test_the_same_seed_gives_the_same_bytes_whoever_shares_the_server(client):
    mine, train = random_ids(3, 50), {"train_seed": 2**63 + 9}
    alone = bits(captured(client, [mine], EVERYWHERE, **train)[0])
    company = [random_ids(seed, 10 + 7 * seed) for seed in range(5)]
    among = captured(client, [*company, mine, mine], EVERYWHERE, **train)
    assert bits(among[5]) == bits(among[6]) == alone

    def hammer(seed):
        return captured(client, [random_ids(seed, 30)], EVERYWHERE, **({"train_seed": seed} if seed % 2 else {}))

    with concurrent.futures.ThreadPoolExecutor(6) as callers:
        others = [callers.submit(hammer, seed) for seed in range(24)]
        again = [callers.submit(captured, client, [mine], EVERYWHERE, **train) for _ in range(6)]
        assert all(bits(each.result()[0]) == alone for each in again)
        assert all(each.result() for each in others)


def test_another_seed_gives_other_bytes(client):
    first, second = (captured(client, [random_ids(3, 50)], ["hidden_states.0"], train_seed=seed)[0] for seed in (0, 1))
    assert bits(first) != bits(second)


def test_without_a_seed_nothing_is_dropped(client):
    values = captured(client, [random_ids(3, 50)], ["attn.hook_resid_dropout", "hook_attn_out"])[0]
    for layer in range(BLOCKS):
        before, after = (values[f"blocks.{layer}.{point}"] for point in PLACES["after attention"])
        assert before.tobytes() == after.tobytes()


def test_a6_the_sum_fails_before_the_dropouts_and_closes_after_them(client):
    attention_half = ["hook_resid_pre", "hook_attn_out", "attn.hook_resid_dropout", "hook_resid_mid"]
    points = [*attention_half, "hook_mlp_out", "mlp.hook_dropout", "hook_resid_post"]
    values = captured(client, [random_ids(3, 50)], points, train_seed=7)[0]
    for layer in range(BLOCKS):
        pre, attention, attention_dropped, mid, mlp, mlp_dropped, post = (
            values[f"blocks.{layer}.{point}"] for point in points
        )
        assert np.array_equal(pre + attention_dropped, mid)
        assert np.array_equal((pre + attention_dropped) + mlp_dropped, post)
        assert np.abs((pre + attention) + mlp - post).max() > 1e-2


def test_verify_shows_that_the_deltas_close_only_after_the_dropouts(client):
    report = client.stub.Verify(client.pb.VerifyRequest(texts=[TEXT], train_seed=7), timeout=300)
    assert report.passed, [check for check in report.checks if not check.passed]
    assert len(report.layers) == BLOCKS
    assert any("A6" in check.name for check in report.checks), [check.name for check in report.checks]


DROPPED = ("hook_embed_dropout", "attn.hook_pattern", "attn.hook_resid_dropout", "mlp.hook_dropout")


def test_hugging_faces_model_with_the_same_draws_gives_the_same_values(api):
    """The masks are read off the captures after each dropout."""
    ids = random_ids(4, 60)
    model = hugging_face.load(DEFAULT_MODEL, hugging_face.TRACED)
    names = list(hugging_face.edited_values(model, [0]))
    with Server(DEFAULT_MODEL) as server, api.connect(server.address) as client:
        ours = captured(client, [ids], names, train_seed=1)[0]
    masks = {name: ours[name] != 0 for name in names if name.endswith(DROPPED)}
    edits = [
        (name, lambda value, mask=mask: value * float(KEPT) * torch.from_numpy(mask)) for name, mask in masks.items()
    ]
    expected = hugging_face.edited_values(model, ids, edits)
    for name in names:
        difference, _ = hugging_face.largest_difference(ours[name], expected[name])
        assert difference <= 1e-4, name


def test_runs_of_one_input_are_samples_by_their_own_seeds(client):
    ids, pb = random_ids(8, 30), client.pb
    inputs, names = [pb.Input(token_ids=ids)], ["hidden_states", "logits"]
    alone = [bits(captured(client, [ids], names, train_seed=seed)[0]) for seed in (3, 4)]
    runs = [pb.Run(train_seed=3), pb.Run(train_seed=4), pb.Run()]
    samples = client.extract(inputs=inputs, runs=runs, hook_points=names).by_run()
    assert [bits(samples[run]) for run in (0, 1)] == alone
    assert bits(samples[2]) == bits(captured(client, [ids], names)[0])
