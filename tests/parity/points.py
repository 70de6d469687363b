"""Every hook point's name, expected value and tolerance, for comparisons with Hugging Face's model.

The tolerance is a share of the tensor's largest value, since float32's steps grow with the numbers. Both sides compute
in float32 with other orders of summation. A sum of k products of size 1 is off by about sqrt(k) * 6e-8, and of size
sqrt(k) itself; 12 blocks of width 768 pass that on, so that tensors differ by 1e-7 to 2e-6 of their largest value.
5e-6 leaves room for other machines' BLAS, and is far below what a wrong epsilon, activation or scale gives. A score is
a product of two rows that mostly cancels: its error goes with the rows' lengths, while the score, of few tokens above
all, may be a small part of them: 2e-5. Weights so large that attention is decided by scores in the hundreds multiply
every rounding (test_float64_distance.py has some).
"""

import hugging_face
import numpy as np

TOLERANCE = 5e-6  # of the tensor's largest value
LOOSER = {"blocks.L.attn.hook_attn_scores": 2e-5}

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
