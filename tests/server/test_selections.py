"""Selections, reductions, types and summaries against NumPy's on the full capture, to the bit."""

import numpy as np
import pytest
import torch

TEXTS = ["Plants make fantastic pets because they don't leave a mess after you feed them.", "Hello there, world", "a"]
POINTS = [
    *("blocks.3.hook_resid_post", "blocks.0.attn.hook_z", "blocks.7.mlp.hook_post"),
    *("blocks.5.attn.hook_pattern", "ln_final.hook_scale"),
]
PLAIN = POINTS[0]


@pytest.fixture(scope="module")
def full(client):
    """{run: {name: array}} of the whole captures."""
    return client.extract(texts=TEXTS, hook_points=POINTS).by_run()


@pytest.fixture(scope="module")
def select(client):
    """One capture's array for each run that is asked for."""

    def run(hook_point=PLAIN, texts=TEXTS, **fields):
        hook = client.pb.HookSelector(hook_point=hook_point, **fields)
        return [array for _, array in client.extract(texts=texts, hooks=[hook]).tensors]

    return run


def same_bits(a, b):
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == np.ascontiguousarray(b).tobytes()


def rows_of(name, array, index):
    """Positions are rows; on patterns they are queries, the second dimension."""
    return array[:, index] if name.endswith("hook_pattern") else array[index]


def mean_rounded_once(array):
    """[n, ...] to [1, ...], accumulated in float64."""
    return array.astype(np.float64).mean(0, keepdims=True).astype(np.float32)


@pytest.mark.parametrize("name", POINTS)
@pytest.mark.parametrize("at", [[0], [-1], [3, 1, 2], [-1, 0, -2], [2, 2]])
def test_a_list_of_positions(name, at, full, select, client):
    for run, got in enumerate(select(name, TEXTS[:2], positions=client.pb.Positions(at=at))):
        assert same_bits(got, rows_of(name, full[run][name], at))


@pytest.mark.parametrize("name", POINTS)
@pytest.mark.parametrize("text", [":", "-1:", "::2", "1:3", "::-1", "-2:", ":100", "5:2", "-1", "0"])
def test_a_slice_as_numpy_writes_it(name, text, full, select, client):
    parts = [int(part) if part else None for part in text.split(":")]
    index = slice(*parts) if ":" in text else [parts[0]]
    for run, got in enumerate(select(name, positions=client.pb.Positions(slice=text))):
        assert same_bits(got, rows_of(name, full[run][name], index))


def test_positions_of_each_input(full, select, client):
    each = [client.pb.Positions(at=[1, 5]), client.pb.Positions(slice="-1:"), client.pb.Positions(slice="::-1")]
    got = select(positions=client.pb.Positions(per_input=each))
    for run, index in enumerate([[1, 5], slice(-1, None), slice(None, None, -1)]):
        assert same_bits(got[run], full[run][PLAIN][index])


@pytest.mark.parametrize(
    "name, units, index",
    [
        (PLAIN, {"features": [5, -1, 0]}, np.s_[:, [5, -1, 0]]),
        ("blocks.7.mlp.hook_post", {"features": list(range(0, 256, 7))}, np.s_[:, ::7]),
        ("blocks.0.attn.hook_z", {"heads": [-1, 0]}, np.s_[:, [-1, 0]]),
        ("blocks.0.attn.hook_z", {"features": [3]}, np.s_[:, :, [3]]),
        ("blocks.0.attn.hook_z", {"heads": [2], "features": [15, 4]}, None),
        ("blocks.5.attn.hook_pattern", {"heads": [3]}, np.s_[[3]]),
        ("blocks.5.attn.hook_pattern", {"features": [0]}, np.s_[:, :, [0]]),
    ],
)
def test_units(name, units, index, full, select, client):
    for run, got in enumerate(select(name, units=client.pb.Units(**units))):
        whole = full[run][name]
        expected = whole[index] if index else whole[:, units["heads"]][:, :, units["features"]]
        assert same_bits(got, expected)


@pytest.mark.parametrize("name", [POINTS[0], POINTS[1], POINTS[2], POINTS[4]])
@pytest.mark.parametrize("at", [None, [0], [-1, 0]])
def test_reductions_over_positions(name, at, full, select, client):
    texts = TEXTS if at != [-1, 0] else TEXTS[:2]
    positions = {} if at is None else {"positions": client.pb.Positions(at=at)}
    maxima = select(name, texts, reduction=client.pb.REDUCTION_MAX, **positions)
    means = select(name, texts, reduction=client.pb.REDUCTION_MEAN, **positions)
    for run in range(len(texts)):
        chosen = full[run][name] if at is None else full[run][name][at]
        assert same_bits(maxima[run], chosen.max(0, keepdims=True))
        assert same_bits(means[run], mean_rounded_once(chosen))


def test_a_mean_of_many_rows_is_float64s_rounded_once(client):
    ids = np.random.default_rng(2).integers(0, 50257, size=1000).tolist()
    inputs = [client.pb.Input(token_ids=ids)]
    whole = client.extract(inputs=inputs, hook_points=[PLAIN]).named(PLAIN)
    hook = client.pb.HookSelector(hook_point=PLAIN, reduction=client.pb.REDUCTION_MEAN)
    assert same_bits(client.extract(inputs=inputs, hooks=[hook]).named(PLAIN), mean_rounded_once(whole))


def test_float16_is_rounded_as_numpy_rounds(full, select, client):
    for name in POINTS:
        for run, got in enumerate(select(name, dtype=client.pb.DTYPE_FLOAT16)):
            assert same_bits(got, full[run][name].astype(np.float16))


def test_bfloat16_is_rounded_as_torch_rounds(full, select, client):
    for name in POINTS:
        for run, got in enumerate(select(name, dtype=client.pb.DTYPE_BFLOAT16)):
            assert same_bits(got, torch.from_numpy(full[run][name].copy()).bfloat16().float().numpy())


def test_floats_are_the_elements(full, client):
    hook = client.pb.HookSelector(hook_point=PLAIN, view=client.pb.VIEW_FLOATS)
    for values in client.extract(texts=TEXTS, hooks=[hook]).values:
        got = np.array(values.floats, np.float32).reshape(values.info.shape)
        assert same_bits(got, full[values.info.runs[0]][PLAIN])


@pytest.mark.parametrize("name", POINTS)
def test_summaries_are_numpys_in_float64(name, full, client):
    quantiles = [0, 0.1, 0.5, 0.999, 1]
    options = client.pb.SummaryOptions(threshold=0.25, top_k=3, quantiles=quantiles)
    hook = client.pb.HookSelector(hook_point=name, view=client.pb.VIEW_SUMMARY, summary=options)
    for values in client.extract(texts=TEXTS, hooks=[hook]).values:
        array, summary = full[values.info.runs[0]][name], values.summary
        wide = array.astype(np.float64)
        assert (summary.min, summary.max, summary.count, summary.nonfinite) == (wide.min(), wide.max(), wide.size, 0)
        expected = [wide.mean(), wide.std(), np.linalg.norm(wide), (np.abs(wide) > 0.25).mean()]
        moments = [summary.mean, summary.std, summary.l2, summary.share_above]
        np.testing.assert_allclose(moments, expected, rtol=1e-12, atol=1e-15)
        asked = np.float32(quantiles).astype(float)
        np.testing.assert_allclose(summary.quantiles, np.quantile(wide, asked), rtol=1e-12, atol=1e-15)
        largest = np.argsort(-np.abs(array), axis=None, kind="stable")[:3]
        assert [abs(extreme.value) for extreme in summary.top] == [abs(array.flat[i]) for i in largest]
        assert all(array[tuple(extreme.index)] == extreme.value for extreme in summary.top)


def test_masked_scores_are_counted_and_left_out(client):
    hook = client.pb.HookSelector(hook_point="blocks.5.attn.hook_attn_scores", view=client.pb.VIEW_SUMMARY)
    (values,) = client.extract(texts=TEXTS[:1], hooks=[hook]).values
    heads, tokens, _ = values.info.shape
    masked = heads * tokens * (tokens - 1) // 2
    assert (values.summary.nonfinite, values.summary.count) == (masked, heads * tokens * tokens - masked)
    assert np.isfinite([values.summary.mean, values.summary.min, values.summary.l2]).all()
