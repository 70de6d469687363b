#!/usr/bin/env python3
"""Writes reference_golden.json: what Hugging Face's GPT-2 gives in float64 on a tiny random checkpoint.

reference_test.cc holds the C++ reference against it. The weights are multiples of 1/256, so that
they are exact in float32 and short in the file; one set serves all configurations. reorder_and_upcast_attn
is missing: Hugging Face refuses it in float64.

    make_reference_golden.py > reference_golden.json

Needs numpy, torch and transformers (made with 2.13 and 5.23).
"""

import json
import sys

import numpy as np
import torch
import transformers

SIZES = {
    "n_layer": 2,
    "n_embd": 6,
    "n_head": 2,
    "n_inner": 10,
    "n_positions": 6,
    "vocab_size": 7,
}
TOKEN_IDS = [3, 0, 6, 3, 1]
CASES = {
    "gelu_new": {},
    "gelu_pytorch_tanh": {"activation_function": "gelu_pytorch_tanh"},
    "gelu_fast": {"activation_function": "gelu_fast"},
    "gelu": {"activation_function": "gelu"},
    "quick_gelu": {"activation_function": "quick_gelu"},
    "relu": {"activation_function": "relu"},
    "silu": {"activation_function": "silu"},
    "tanh": {"activation_function": "tanh"},
    "unscaled": {"scale_attn_weights": False},
    "inverse_layer": {"scale_attn_by_inverse_layer_idx": True},
    "epsilon": {"layer_norm_epsilon": 0.125},
}


def model_of(changes):
    config = transformers.GPT2Config(**SIZES, bos_token_id=None, eos_token_id=None, **changes)
    config._attn_implementation = "eager"
    return transformers.GPT2Model(config).double().eval()


def fill(model):
    generator = np.random.Generator(np.random.PCG64(3))
    weights = {}
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            values = np.round(generator.standard_normal(tuple(parameter.shape)) * 128) / 256
            if ".ln_" in f".{name}" and name.endswith("weight"):
                values += 1
            parameter.copy_(torch.from_numpy(values))
            weights[name] = values.ravel().tolist()
    return weights


def points_of(model):
    """The values at every point that the reference gives, in its order."""
    points = {}

    def keep(name, value):
        points[name] = (value[0] if isinstance(value, tuple) else value).detach().numpy().ravel()

    def output_of(module, name):
        module.register_forward_hook(lambda _, __, output: keep(name, output))

    def input_of(module, name):
        module.register_forward_pre_hook(lambda _, inputs: keep(name, inputs[0]))

    output_of(model.wte, "hook_embed")
    output_of(model.wpe, "hook_pos_embed")
    for layer, block in enumerate(model.h):
        input_of(block, f"blocks.{layer}.hook_resid_pre")
        output_of(block.ln_1, f"blocks.{layer}.ln1.hook_out")
        output_of(block.attn.c_proj, f"blocks.{layer}.hook_attn_out")
        input_of(block.ln_2, f"blocks.{layer}.hook_resid_mid")
        output_of(block.ln_2, f"blocks.{layer}.ln2.hook_out")
        output_of(block.mlp.c_proj, f"blocks.{layer}.hook_mlp_out")
        output_of(block, f"blocks.{layer}.hook_resid_post")
    output_of(model.ln_f, "ln_final.hook_out")
    with torch.inference_mode():
        model(torch.tensor([TOKEN_IDS]), use_cache=False)
    return [{"name": name, "values": values.tolist()} for name, values in points.items()]


def main():
    cases = []
    for name, changes in CASES.items():
        model = model_of(changes)
        weights = fill(model)
        config = {
            "activation_function": "gelu_new",
            "layer_norm_epsilon": 1e-5,
            "scale_attn_weights": True,
            "scale_attn_by_inverse_layer_idx": False,
        } | changes
        cases.append({"name": name, "config": config, "points": points_of(model)})
    golden = {
        "made_with": f"torch {torch.__version__}, transformers {transformers.__version__}",
        "sizes": SIZES,
        "token_ids": TOKEN_IDS,
        "weights": weights,
        "cases": cases,
    }
    json.dump(golden, sys.stdout, separators=(",", ":"))
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
