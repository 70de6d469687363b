#!/usr/bin/env python3
"""Writes reference_golden.json: what Hugging Face's GPT-2 gives in float64 on a tiny random checkpoint.

reference_test.cc holds the C++ reference against it. The weights are multiples of 1/256, so that
they are exact in float32 and short in the file; one set serves all configurations. reorder_and_upcast_attn
is missing: Hugging Face refuses it in float64.

    make_reference_golden.py > reference_golden.json

Needs numpy, torch and transformers (made with 2.13 and 5.23).
"""

import json
import re
import sys
from pathlib import Path

import numpy as np
import torch
import transformers

sys.path.insert(0, str(Path(__file__).parents[3] / "parity"))
from hugging_face import clean_values  # noqa: E402

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
# Points whose value is another point's by definition: copies, branches, values that no dropout changes.
REPEATED = re.compile(
    r"hook_(attn_in|[qkv]_input|softmax|resid_dropout|dropout|in)$|hidden_states\.[01]$|c_proj\.input$"
)


def model_of(changes):
    config = transformers.GPT2Config(
        **SIZES, tie_word_embeddings=False, bos_token_id=None, eos_token_id=None, **changes
    )
    config._attn_implementation = "eager"
    return transformers.GPT2LMHeadModel(config).double().eval()


def fill(model):
    generator = np.random.Generator(np.random.PCG64(3))
    weights = {}
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            values = np.round(generator.standard_normal(tuple(parameter.shape)) * 128) / 256
            if ".ln_" in f".{name}" and name.endswith("weight"):
                values += 1
            parameter.copy_(torch.from_numpy(values))
            weights[name.removeprefix("transformer.")] = values.ravel().tolist()
    return weights


def points_of(model):
    """The values of every point of the catalogue, but for those that repeat another's: reference_test.cc makes them."""
    values = clean_values(model, TOKEN_IDS)
    names = [name for name in values if not REPEATED.search(name)]
    return [{"name": name, "values": [finite(value) for value in values[name].ravel().tolist()]} for name in names]


def finite(value):
    """JSON has no infinity: null stands for the -inf of a masked score."""
    return None if value == -np.inf else value


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
