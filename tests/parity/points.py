"""Every hook point's name, expected value and tolerance, for comparisons with Hugging Face's model.

The tolerance: both compute in float32 with other orders of summation. A sum of k products of size 1 is off by about
sqrt(k) * 6e-8; over 12 blocks of width 768 that is a few 1e-6 on residual streams of size 1 to 10. 5e-5 leaves room for
other machines' BLAS, and is far below what a wrong epsilon, activation or scale gives. Logits are sums of a whole row's
errors, and scores are products of two rows: 1e-4.
"""

import hugging_face
import numpy as np

TOLERANCE = 5e-5
LOOSER = {"blocks.L.attn.hook_attn_scores": 1e-4, "logits": 1e-4}

SHORT = 160  # tokens
ROOM = "--max_response_bytes=2000000000"  # for every point of as many tokens of 124M: the server's flag
SQUARE = ("blocks.L.attn.hook_attn_scores", "blocks.L.attn.hook_softmax", "blocks.L.attn.hook_pattern")
COPIES = ("hook_attn_in", "hook_q_input", "hook_k_input", "hook_v_input")  # as large as all heads together


def expected_values(model, ids):
    """Hugging Face's values, and the residuals of the two equations, which are zero by their definition."""
    values = hugging_face.clean_values(model, ids)
    for layer in range(model.config.n_layer):
        values[f"blocks.{layer}.hook_reconstruction_residual"] = np.zeros_like(values["ln_final.hook_out"])
    values["hook_ln_f_residual"] = np.zeros_like(values["ln_final.hook_out"])
    return values


def kind_of(name):
    return ".".join("L" if part.isdigit() else part for part in name.split("."))


def names_for(every, tokens, blocks):
    """The points to ask of so many tokens: of a long input, the insides of attention and MLP in the last block only."""
    if tokens <= SHORT:
        return every

    def is_inside(name):
        return ".attn." in name or ".mlp." in name or name.endswith(COPIES)

    return [name for name in every if not is_inside(name) or name.startswith(f"blocks.{blocks - 1}.")]


def allowed_of(kind):
    return LOOSER.get(kind, TOLERANCE)
