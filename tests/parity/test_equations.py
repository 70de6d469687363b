"""The lessons' equations, to the bit, on bytes received over gRPC.

Values that an equation compares come from separate requests, so that two names of one buffer cannot agree by being
the same. The arithmetic is NumPy's in float32, in the order that the forward pass adds: (H + attention delta) + MLP
delta; any other grouping rounds elsewhere. ln_f is the checkpoint's own, applied by the same libtorch.
"""

import json

import numpy as np
import pytest
import safetensors.torch
import torch
from conftest import DEFAULT_MODEL, Server

LESSON = "Plants make fantastic pets because they don't leave a mess after you feed them."
TEXTS = [LESSON, "hello", "Ünïcödé 🐋\n\n  ok"]

CHECKPOINTS = {
    "default": None,
    "124M": ["--preset", "gpt2"],
    "124M with outliers": ["--preset", "gpt2", "--outlier-dims", "138,378,447", "--dtype", "float16"],
    "odd": "--n-layer 3 --n-embd 60 --n-head 5 --n-inner 100 --n-positions 77 --init-std 0.2".split(),
}


@pytest.fixture(scope="module", params=CHECKPOINTS)
def served(request, api, random_checkpoint):
    """A checkpoint's directory, a client of a server on it, and its number of blocks."""
    arguments = CHECKPOINTS[request.param]
    directory = DEFAULT_MODEL if arguments is None else random_checkpoint(request.param.replace(" ", "_"), *arguments)
    with Server(directory) as server, api.connect(server.address) as client:
        yield directory, client, client.model().model.n_layer


def rows(client, name, layer=None):
    """All texts' rows of a point, from a request of its own."""
    hook = {"hook_point": name, "layers": [] if layer is None else [layer]}
    extraction = client.extract(texts=TEXTS, hooks=[client.pb.HookSelector(**hook)], layout=client.pb.LAYOUT_ROWS)
    assert len(extraction.tensors) == 1
    return extraction.tensors[0][1]


def same_bits(a, b):
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def test_a3_each_block_adds_exactly_its_two_deltas(served):
    _, client, blocks = served
    for layer in range(blocks):
        state = rows(client, "hidden_states", layer)
        rebuilt = (state + rows(client, "attn.c_proj", layer)) + rows(client, "mlp.c_proj", layer)
        raw = rows(client, "hook_resid_post", layer)
        assert same_bits(rebuilt, raw), layer
        if layer + 1 < blocks:
            assert same_bits(rebuilt, rows(client, "hidden_states", layer + 1)), layer
        assert not rows(client, "hook_reconstruction_residual", layer).any(), layer
        # The test can fail: another grouping rounds elsewhere.
        assert not same_bits(state + (rows(client, "attn.c_proj", layer) + rows(client, "mlp.c_proj", layer)), raw)


def test_b1_each_hidden_state_is_what_enters_its_block(served):
    _, client, blocks = served
    for layer in range(blocks):
        assert same_bits(rows(client, "hidden_states", layer), rows(client, "hook_resid_pre", layer)), layer


def layer_norm(x, weight, bias, epsilon):
    """As the numeric contract says (server/model/kernels/cpu/layer_norm_row.h), of float32 rows."""

    def sum_of(values):
        lanes = np.zeros((len(values), 32), np.float32)
        for first in range(0, values.shape[1], 32):
            part = values[:, first : first + 32]
            lanes[:, : part.shape[1]] += part
        sums = lanes.astype(np.float64)
        while sums.shape[1] > 1:
            sums = sums[:, : sums.shape[1] // 2] + sums[:, sums.shape[1] // 2 :]
        return sums

    count = x.shape[1]
    centred = x - (sum_of(x) / count).astype(np.float32)
    scale = (1 / np.sqrt(sum_of(centred * centred) / count + epsilon)).astype(np.float32)
    return centred * scale * weight + bias


def test_b2_and_b3_the_last_state_is_ln_f_of_the_raw_output(served):
    directory, client, blocks = served
    raw = rows(client, "hook_resid_post", blocks - 1)
    last = rows(client, "hidden_states", -1)
    assert np.abs(raw - last).max() > 0.1
    weights = safetensors.torch.load_file(directory / "model.safetensors")

    def find(name):
        return next(value for key, value in weights.items() if key.endswith(name)).float()

    epsilon = json.loads((directory / "config.json").read_text())["layer_norm_epsilon"]
    normed = layer_norm(raw, find("ln_f.weight").numpy(), find("ln_f.bias").numpy(), epsilon)
    assert same_bits(normed, last)
    torchs = torch.nn.functional.layer_norm(
        torch.from_numpy(raw.copy()), (raw.shape[1],), find("ln_f.weight"), find("ln_f.bias"), epsilon
    ).numpy()
    # PyTorch's sums have another order, which depends on the CPU: a few roundings.
    assert np.abs(torchs - last).max() <= 4e-7 * np.abs(last).max()
    assert not rows(client, "hook_ln_f_residual").any()


def test_b4_raw_and_normalised_come_under_different_names(served):
    _, client, blocks = served
    both = client.extract(
        texts=["hello"], hook_points=[f"blocks.{blocks - 1}.hook_resid_post", f"hidden_states.{blocks}"]
    )
    assert [info.name for info, _ in both.tensors] == [
        f"blocks.{blocks - 1}.hook_resid_post",
        f"hidden_states.{blocks}",
    ]


def test_verify_agrees(served):
    _, client, blocks = served
    report = client.stub.Verify(client.pb.VerifyRequest(texts=TEXTS), timeout=300)
    assert report.passed, [check for check in report.checks if not check.passed]
    assert [layer.layer for layer in report.layers] == list(range(blocks))
    assert all(layer.bitwise and layer.max_abs == 0 for layer in report.layers)
    assert report.final_state.max_abs_input_difference == 0
    assert report.final_state.max_abs_ln_f_difference == 0
