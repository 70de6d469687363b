"""What is asked for: token ids and requests, as the benchmark's client and the grpcio server read them."""

import numpy as np

VOCABULARY = 50257
DELTAS = ["attn.c_proj", "mlp.c_proj"]
ALL = [*DELTAS, "hidden_states"]  # 12 + 12 + 13 tensors of GPT-2 124M


def hook(point, layers=(), positions=""):
    described = {"point": point}
    if layers:
        described["layers"] = list(layers)
    if positions:
        described["positions"] = positions
    return described


def hooks(points, layers=(), positions=""):
    return [hook(point, layers, positions) for point in points]


def request(inputs, hooks_wanted, rows=True):
    return {"inputs": inputs, "hooks": hooks_wanted, "rows": rows}


def batch(count, length, seed=0):
    """`count` lists of `length` random tokens."""
    return np.random.default_rng(seed).integers(0, VOCABULARY, (count, length)).tolist()


def ragged(lengths, seed=0):
    generator = np.random.default_rng(seed)
    return [generator.integers(0, VOCABULARY, length).tolist() for length in lengths]


def lognormal_lengths(count, median=40, sigma=1.0, longest=512, seed=0):
    """Lengths of texts as people write them: many short ones, a few long ones."""
    drawn = np.random.default_rng(seed).lognormal(np.log(median), sigma, count)
    return np.clip(np.rint(drawn), 1, longest).astype(int).tolist()


def sharing_prefix(count, shared, length, seed=0):
    """Prompts that part after `shared` tokens."""
    generator = np.random.default_rng(seed)
    prefix = generator.integers(0, VOCABULARY, shared).tolist()
    return [prefix + generator.integers(0, VOCABULARY, length - shared).tolist() for _ in range(count)]


def in_batches(inputs, size):
    return [inputs[first : first + size] for first in range(0, len(inputs), size)]
