"""The scripts of the course's next lessons: their numbers against Hugging Face's model and a computation one by one."""

import importlib.util
import re

import numpy as np
import pytest
import torch
from conftest import DEFAULT_MODEL
from python_client import PACKAGE
from transformers import GPT2LMHeadModel, GPT2Tokenizer

TOLERANCE = 5e-6  # of the largest value, as in tests/parity


@pytest.fixture(scope="module")
def hugging_face():
    """hugging_face(text, "mlp.c_fc"): that module's output in every block, float64 [layer, token, neuron]."""
    model = GPT2LMHeadModel.from_pretrained(DEFAULT_MODEL, dtype=torch.float32).eval()
    tokenizer = GPT2Tokenizer.from_pretrained(DEFAULT_MODEL)

    def run(text, name):
        kept = []
        handles = [
            block.get_submodule(name).register_forward_hook(lambda module, inputs, output: kept.append(output[0]))
            for block in model.transformer.h
        ]
        with torch.inference_mode():
            model(**tokenizer(text, return_tensors="pt"))
        for handle in handles:
            handle.remove()
        return torch.stack(kept).double().numpy()

    run.tokens = lambda text: [tokenizer.decode([number]) for number in tokenizer(text).input_ids]
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # the model is small, and other tests run beside
    yield run
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def ran(server, tmp_path_factory):
    """ran("script") is its module, what it measured, and what it printed, after a run as a program's."""
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("agg")

    def run(name):
        spec = importlib.util.spec_from_file_location(name, PACKAGE / "examples" / f"{name}.py")
        spec.loader.exec_module(module := importlib.util.module_from_spec(spec))
        picture = tmp_path_factory.mktemp(name) / "picture.png"
        kept = {}
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("HYDROPHONE_SERVER", server.address)
            measure = module.measure
            patch.setattr(module, "measure", lambda client: kept.setdefault("found", measure(client)))
            patch.setattr(module, "print", lambda text: kept.setdefault("printed", text), raising=False)
            module.main(picture)
        assert picture.read_bytes().startswith(b"\x89PNG") and picture.stat().st_size > 10_000
        return module, kept["found"], kept["printed"].splitlines()

    return run


def assert_close(got, expected):
    assert got.shape == expected.shape
    assert np.abs(got - expected).max() <= TOLERANCE * np.abs(expected).max()


def test_neurons_by_category(ran, hugging_face):
    script, found, printed = ran("neurons_by_category")
    nouns, verbs = len(script.NOUNS) * 3 // 4, len(script.VERBS) * 3 // 4
    assert (nouns, verbs) == (30, 30) and not set(script.NOUNS) & set(script.VERBS)

    def values(words):
        return np.stack([hugging_face(script.SENTENCE.format(word), "mlp.c_fc")[:, -1] for word in words], axis=1)

    direct = values(script.NOUNS[:nouns] + script.VERBS[:verbs])
    assert_close(found.values, direct)
    category = np.array([0.5] * nouns + [-0.5] * verbs)
    # Values that are off by `error` move a slope by twice that at most, and R2 by four times the error's share of their
    # spread.
    error, spread = TOLERANCE * np.abs(direct).max(), direct.std(axis=1)
    for layer in (0, 5, 11):
        for neuron in range(0, direct.shape[2], 17):
            y, design = direct[layer, :, neuron], np.stack([np.ones(len(category)), category], axis=1)
            (_, slope), [left], *_ = np.linalg.lstsq(design, y)
            assert found.slopes[layer, neuron] == pytest.approx(slope, rel=0, abs=2 * error)
            r2, reach = 1 - left / np.square(y - y.mean()).sum(), 4 * error / spread[layer, neuron]
            assert found.r2[layer, neuron] == pytest.approx(r2, rel=0, abs=reach)
    shuffled, largest = np.random.default_rng(0), []
    for _ in range(script.SHUFFLES):
        order = shuffled.permutation(category)
        largest.append([np.square(np.corrcoef(order, layer.T)[0, 1:]).max() for layer in direct[[0, 11]]])
    threshold = np.quantile(largest, 0.95, axis=0)
    assert found.threshold[[0, 11]] == pytest.approx(threshold, rel=0, abs=4 * error / spread.min())
    held_out = values(script.NOUNS[nouns:] + script.VERBS[verbs:])
    for layer, accuracy in enumerate(found.held_out):
        direction = np.where(found.r2[layer] > found.threshold[layer], found.slopes[layer], 0)
        above = held_out[layer] @ direction > (direct[layer] @ direction).mean()
        assert accuracy == np.mean(above == (np.arange(len(above)) < len(script.NOUNS) - nouns))
    assert [int(line.split()[1]) for line in printed[1:]] == found.tuned.sum(axis=1).tolist()
    assert found.tuned.any() and not found.tuned.all() and found.held_out.mean() > 0.7


def test_activation_histograms(ran, hugging_face):
    script, found, printed = ran("activation_histograms")
    by_group = {name: [] for name in script.GROUPS}
    for text in script.TEXTS:
        direct = hugging_face(text, "mlp.act")
        for position, token in enumerate(hugging_face.tokens(text)):
            if position > 0:
                length = len(token.strip())
                [group] = [name for name, lengths in script.GROUPS.items() if length in lengths]
                by_group[group].append(direct[:, position])
    for number, of_tokens in enumerate(by_group.values()):
        values = np.stack(of_tokens, axis=1)  # [layer, token, neuron]
        assert found.tokens[number] == values.shape[1] > 0
        assert found.counts[:, number].sum(axis=1).tolist() == [values[0].size] * len(values)
        assert found.mean[:, number] == pytest.approx(values.mean(axis=(1, 2)), abs=TOLERANCE * np.abs(values).max())
        assert found.std[:, number] == pytest.approx(values.std(axis=(1, 2)), abs=TOLERANCE * np.abs(values).max())
        # A value within the tolerance of an edge may be counted on either side of it.
        reach = TOLERANCE * np.abs(values).max()
        assert found.active[:, number] == pytest.approx(
            (values > 0).mean(axis=(1, 2)), abs=(np.abs(values) <= reach).mean(axis=(1, 2)).max()
        )
        for layer in range(len(values)):
            for place, (low, high) in enumerate(bins(script.EDGES)):
                inside = ((low <= values[layer]) & (values[layer] < high)).sum()
                near = (np.minimum(np.abs(values[layer] - low), np.abs(values[layer] - high)) <= reach).sum()
                assert abs(found.counts[layer, number, place] - inside) <= near
    assert printed[1].count("(") == len(script.GROUPS) and len(printed) == 2 + len(found.counts)
    assert re.findall(r"-?\d\.\d+", printed[2])[0] == f"{found.mean[0, 0]:.4f}"


def bins(edges):
    """Each bin's ends; the last one's has no upper one."""
    return zip(edges[:-1], [*edges[1:-1], np.inf], strict=True)


def test_context_neurons(ran, hugging_face):
    script, found, printed = ran("context_neurons")
    texts = [[context.format(word) for word in script.WORDS] for context in script.CONTEXTS]
    assert {len(hugging_face.tokens(context.format("king"))) for context in script.CONTEXTS} == {4}
    direct = np.array([np.stack([hugging_face(text, "mlp.act")[:, -1] for text in each], axis=1) for each in texts])
    assert_close(found.values, direct)
    differences, count = found.values[0] - found.values[1], len(script.WORDS)
    for layer in (0, 11):
        t = [each.mean() / (each.std(ddof=1) / count**0.5) for each in differences[layer].T]
        assert found.t[layer] == pytest.approx(t, rel=1e-9)
    signs = np.random.default_rng(0).choice([-1.0, 1.0], size=(script.SHUFFLES, count))
    largest = []
    for sign in signs:
        flipped = differences[11].T * sign
        largest.append(np.abs(flipped.mean(axis=1) / (flipped.std(axis=1, ddof=1) / count**0.5)).max())
    assert found.threshold[11] == pytest.approx(np.quantile(largest, 0.95), rel=1e-9)
    assert found.without_attention.tolist() == [0.0] * len(found.t)
    assert [int(line.split()[1]) for line in printed[1:]] == found.modulated.sum(axis=1).tolist()
    assert found.modulated.any() and not found.modulated.all()
