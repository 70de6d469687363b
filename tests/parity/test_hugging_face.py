"""Every hook point of width d against Hugging Face transformers, on the same checkpoint, in the same run.

Hugging Face's values come from module hooks and output_hidden_states, eval mode, float32. The largest absolute
difference of each kind of point is printed at the end and must not exceed TOLERANCE.

The tolerance: both compute in float32 with other orders of summation. A sum of k products of size 1 is off by about sqrt(k) * 6e-8;
over 12 blocks of width 768 that is a few 1e-6 on residual streams of size 1 to 10. 5e-5 leaves room for other
machines' BLAS, and is far below what a wrong epsilon, activation or scale gives.
"""

import collections

import numpy as np
import pytest
import torch
import transformers

from conftest import DEFAULT_MODEL, FIGURES, Server

TOLERANCE = 5e-5

CHECKPOINTS = {
    "default": None,
    "124M": ["--preset", "gpt2"],
    "n_inner 100": ["--n-layer", "3", "--n-embd", "60", "--n-head", "5", "--n-inner", "100", "--n-positions", "128", "--init-std", "0.15"],
    "untied, inverse layer scale": [
        *["--n-layer", "4", "--n-embd", "48", "--n-head", "3", "--n-positions", "96", "--untied", "--init-std", "0.15"],
        *["--scale-attn-by-inverse-layer-idx", "--reorder-and-upcast-attn", "--no-prefix", "--old-buffers"],
    ],
    "relu, unscaled, sharded": [
        *["--n-layer", "2", "--n-embd", "132", "--n-head", "11", "--n-positions", "64", "--activation", "relu"],
        *["--no-scale-attn-weights", "--shards", "3", "--layer-norm-epsilon", "1e-3", "--init-std", "0.05"],
    ],
    "one block, erf gelu": ["--n-layer", "1", "--n-embd", "20", "--n-head", "1", "--n-inner", "260", "--activation", "gelu", "--init-std", "0.3"],
    "fp16 on disk": ["--n-layer", "5", "--n-embd", "96", "--n-head", "2", "--n-positions", "256", "--dtype", "float16", "--init-std", "0.1"],
    "bf16 on disk": ["--n-layer", "2", "--n-embd", "64", "--n-head", "4", "--n-positions", "256", "--dtype", "bfloat16"],
}

BLOCK_POINTS = {
    "blocks.{}.ln1.hook_out": "h.{}.ln_1",
    "blocks.{}.hook_attn_out": "h.{}.attn.c_proj",
    "blocks.{}.attn.hook_resid_dropout": "h.{}.attn.resid_dropout",
    "blocks.{}.ln2.hook_out": "h.{}.ln_2",
    "blocks.{}.hook_mlp_out": "h.{}.mlp.c_proj",
    "blocks.{}.mlp.hook_dropout": "h.{}.mlp.dropout",
    "blocks.{}.hook_resid_post": "h.{}",
}


def inputs_for(context):
    """Six inputs, from one token to the full context."""
    random = np.random.default_rng(0)
    sentence = "Plants make fantastic pets because they don't leave a mess after you feed them."
    return [
        {"text": "hello"},
        {"text": sentence if context > 20 else "Plants"},
        {"text_bytes": "Ünïcödé 🐋 <|endoftext|>\n\n  ok".encode()},
        {"token_ids": [50256]},
        {"token_ids": random.integers(0, 50257, size=context // 2 + 1).tolist()},
        {"token_ids": random.integers(0, 50257, size=context).tolist()},
    ]


def hugging_face_values(model, ids):
    """Every point's value [tokens, d] under our names."""
    values, handles = {}, []
    transformer = model.transformer

    def keep_output(name):
        def hook(_module, _inputs, output):
            values[name] = (output[0] if isinstance(output, tuple) else output).detach()[0].numpy()

        return hook

    def keep_input(name):
        def hook(_module, inputs, kwargs=None):
            values[name] = inputs[0].detach()[0].numpy()

        return hook

    modules = dict(transformer.named_modules())
    for layer in range(model.config.n_layer):
        for ours, theirs in BLOCK_POINTS.items():
            handles.append(modules[theirs.format(layer)].register_forward_hook(keep_output(ours.format(layer))))
        block = modules[f"h.{layer}"]
        handles.append(block.register_forward_pre_hook(keep_input(f"blocks.{layer}.hook_resid_pre")))
        handles.append(block.ln_2.register_forward_pre_hook(keep_input(f"blocks.{layer}.hook_resid_mid")))
    handles.append(transformer.wte.register_forward_hook(keep_output("hook_embed")))
    handles.append(transformer.wpe.register_forward_hook(keep_output("hook_pos_embed")))
    handles.append(transformer.ln_f.register_forward_hook(keep_output("ln_final.hook_out")))
    with torch.inference_mode():
        output = model(torch.tensor([ids]), output_hidden_states=True, use_cache=False)
    for handle in handles:
        handle.remove()
    for index, state in enumerate(output.hidden_states):
        values[f"hidden_states.{index}"] = state[0].numpy()
    # Hugging Face has no name for a LayerNorm before its affine part: PyTorch's own, on its captured input.
    normalized = lambda x: torch.nn.functional.layer_norm(
        torch.from_numpy(x), x.shape[-1:], eps=model.config.layer_norm_epsilon
    ).numpy()
    for layer in range(model.config.n_layer):
        values[f"blocks.{layer}.ln1.hook_normalized"] = normalized(values[f"blocks.{layer}.hook_resid_pre"])
        values[f"blocks.{layer}.ln2.hook_normalized"] = normalized(values[f"blocks.{layer}.hook_resid_mid"])
    values["ln_final.hook_normalized"] = normalized(values[f"blocks.{model.config.n_layer - 1}.hook_resid_post"])
    # Zero by their definition: the residuals of the two equations.
    for layer in range(model.config.n_layer):
        values[f"blocks.{layer}.hook_reconstruction_residual"] = np.zeros_like(values["ln_final.hook_out"])
    values["hook_ln_f_residual"] = np.zeros_like(values["ln_final.hook_out"])
    return values


def kind_of(name):
    return ".".join("L" if part.isdigit() else part for part in name.split("."))


@pytest.fixture(scope="module")
def table():
    rows = []
    yield rows
    FIGURES.append(f"Largest absolute difference to Hugging Face transformers {transformers.__version__} (allowed: {TOLERANCE:g})")
    FIGURES.append(f"{'checkpoint':28} {'point':42} {'largest difference':>18} {'of largest value':>18}")
    FIGURES.extend("{:28} {:42} {:18.2e} {:18.3g}".format(*row) for row in rows)


@pytest.mark.parametrize("checkpoint", CHECKPOINTS)
def test_every_point_equals_hugging_faces(checkpoint, api, random_checkpoint, table):
    arguments = CHECKPOINTS[checkpoint]
    directory = DEFAULT_MODEL if arguments is None else random_checkpoint(checkpoint.replace(" ", "_"), *arguments)
    model = transformers.GPT2LMHeadModel.from_pretrained(directory, dtype=torch.float32).eval()
    worst, largest = collections.defaultdict(float), collections.defaultdict(float)
    with Server(directory) as server, api.connect(server.address) as client:
        listed = {point.name for point in client.stub.ListHookPoints(api.pb.ListHookPointsRequest()).hook_points if point.capturable}
        inputs = inputs_for(model.config.n_positions)
        names = sorted(hugging_face_values(model, [0]))
        assert {kind_of(name) for name in names} == listed, "a point is not compared, or not served"
        extraction = client.extract(
            inputs=[api.pb.Input(**fields) for fields in inputs], hook_points=names, max_response_bytes=0
        )
        for run, info in enumerate(extraction.inputs):
            expected = hugging_face_values(model, list(info.token_ids))
            assert set(expected) == set(names)
            for name, value in expected.items():
                ours = extraction.named(name, run)
                assert ours.shape == value.shape, name
                kind = kind_of(name)
                worst[kind] = max(worst[kind], float(np.abs(ours - value).max()))
                largest[kind] = max(largest[kind], float(np.abs(value).max()))
    for kind in worst:
        table.append((checkpoint, kind, worst[kind], largest[kind]))
    assert all(difference <= TOLERANCE for difference in worst.values()), dict(worst)
