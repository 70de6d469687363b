"""Every hook point of TransformerLens's bridge, on the same checkpoint, asked for by each of the bridge's own names.

The bridge runs in a process of its own (transformer_lens_values.py), with packages that tests/run installs beside the
others.
"""

import collections
import os
import subprocess
import sys

import hugging_face
import numpy as np
import points
import pytest
from checkpoints import N_INNER_100
from conftest import DEFAULT_MODEL, FIGURES, ROOT, Server, cache_directory

CHECKPOINTS = {
    "default": None,
    "124M": ["--preset", "gpt2"],
    "n_inner 100": N_INNER_100,
}
IDS = [464, 2068, 7586, 21831, 11687, 625, 262, 16931, 3290, 50256, 13, 198, 198]

# In the bridge's cache alone: token and position ids, a second name of attn.hook_out and one of the logits, and the
# input of ln_f.
ONLY_THERE = {
    *("embed.hook_in", "pos_embed.hook_in"),
    *("blocks.L.attn.hook_hidden_states", "hook_unembed"),
}
# Points that it has no hook at, and those that it passes only by switches that exclude each other (see test_names.py).
ONLY_HERE = {
    *("hidden_states.L", "hook_embed_dropout", "blocks.L.attn.hook_resid_dropout", "blocks.L.attn.hook_softmax"),
    *("blocks.L.hook_attn_in", "blocks.L.hook_q_input", "blocks.L.hook_k_input", "blocks.L.hook_v_input"),
    *("blocks.L.attn.qkv.hook_out", "transformer.h.L.attn.c_proj.input"),
    *("blocks.L.hook_reconstruction_residual", "hook_ln_f_residual"),
}


@pytest.fixture(scope="module")
def directories(random_checkpoint):
    return {
        name: DEFAULT_MODEL if arguments is None else random_checkpoint(name.replace(" ", "_"), *arguments)
        for name, arguments in CHECKPOINTS.items()
    }


@pytest.fixture(scope="module")
def bridge(directories, tmp_path_factory):
    """{checkpoint: {name: array}}"""
    packages = cache_directory() / "transformer-lens"
    assert packages.is_dir(), f"there is no {packages}; tests/run installs it"
    out = tmp_path_factory.mktemp("transformer_lens")
    script = ROOT / "tests/parity/transformer_lens_values.py"
    command = [sys.executable, script, out, ",".join(map(str, IDS)), *directories.values()]
    environment = {**os.environ, "PYTHONPATH": str(packages), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(list(map(str, command)), env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return {name: dict(np.load(out / f"{number}.npz")) for number, name in enumerate(directories)}


@pytest.fixture(scope="module")
def table():
    rows = []
    yield rows
    FIGURES.append(
        "Largest difference to TransformerLens's bridge, as a share of the tensor's largest value "
        f"(allowed: {points.TOLERANCE:g})"
    )
    FIGURES.append(f"{'checkpoint':28} {'point':42} {'share':>9}")
    FIGURES.extend("{:28} {:42} {:9.1e}".format(*row) for row in rows)


def served_names(client):
    """{canonical name: all its names}, with L for the layer."""
    points = client.stub.ListHookPoints(client.pb.ListHookPointsRequest()).hook_points
    return {point.name: {point.name, *point.aliases} for point in points}


@pytest.mark.parametrize("checkpoint", CHECKPOINTS)
def test_every_point_of_the_bridge_equals_ours(checkpoint, directories, bridge, api, table):
    expected, worst = bridge[checkpoint], collections.defaultdict(float)
    with Server(directories[checkpoint]) as server, api.connect(server.address) as client:
        ours = served_names(client)
        theirs = {points.kind_of(name) for name in expected}
        assert theirs - set().union(*ours.values()) == ONLY_THERE
        assert {name for name, every in ours.items() if not every & theirs} == ONLY_HERE
        names = [name for name in expected if points.kind_of(name) not in ONLY_THERE]
        extraction = client.extract(inputs=[api.pb.Input(token_ids=IDS)], hook_points=names)
    for info, value in extraction.tensors:
        name = names[info.selector]
        if name.endswith("hook_attn_scores"):  # it masks with float32's smallest number
            expected[name][np.isneginf(value)] = -np.inf
        share = hugging_face.relative_difference(value, expected[name])
        worst[points.kind_of(name)] = max(worst[points.kind_of(name)], share)
    assert len(extraction.tensors) == len(names)
    table.extend((checkpoint, *row) for row in worst.items())
    assert all(share <= points.allowed_of(kind) for kind, share in worst.items()), dict(worst)
