"""The tensors of a random GPT-2: names and shapes as Hugging Face saves them, and values.

Used by random_checkpoint.py, whose help says how the values are drawn.
"""

import dataclasses
import math
import pathlib
import zlib

import numpy as np
from safetensors_writer import Tensor

OUTLIER_EVERYWHERE = 1 / 60  # of the first token's outlier, at every position


@dataclasses.dataclass
class Options:
    """What is written; sizes are GPT-2's names for them."""

    n_layer: int = 12
    n_embd: int = 768
    n_head: int = 12
    n_positions: int = 1024
    n_inner: int | None = None  # 4 n_embd
    vocab_size: int = 50257
    dtype: str = "float32"
    seed: int = 0
    shards: int = 1
    prefix: bool = True
    old_buffers: bool = False
    untied: bool = False
    init_std: float = 0.02
    activation: str = "gelu_new"
    layer_norm_epsilon: float = 1e-5
    scale_attn_weights: bool = True
    scale_attn_by_inverse_layer_idx: bool = False
    reorder_and_upcast_attn: bool = False
    outlier_dims: tuple = ()
    outlier_scale: float = 3000.0
    tokenizer: pathlib.Path | None = None  # the default model's, where vocab_size fits

    def check(self):
        """Raises ValueError, naming the flag, for what no checkpoint can be."""
        for name in ("n_layer", "n_embd", "n_head", "n_positions", "vocab_size", "shards"):
            if getattr(self, name) < 1:
                raise ValueError(f"--{name.replace('_', '-')} must be at least 1, got {getattr(self, name)}")
        if self.n_inner is not None and self.n_inner < 1:
            raise ValueError(f"--n-inner must be at least 1, got {self.n_inner}")
        if self.n_embd % self.n_head:
            raise ValueError(f"--n-embd {self.n_embd} is not a multiple of --n-head {self.n_head}")
        for dim in self.outlier_dims:
            if not 0 <= dim < self.n_embd:
                raise ValueError(f"--outlier-dims {dim} is outside 0..{self.n_embd - 1}")


def weight_shapes(options):
    """Yields (name without prefix, shape, kind) in the order of Hugging Face's state_dict."""
    d, f = options.n_embd, options.n_inner or 4 * options.n_embd
    yield "wte.weight", (options.vocab_size, d), "weight"
    yield "wpe.weight", (options.n_positions, d), "weight"
    for layer in range(options.n_layer):
        h = f"h.{layer}."
        yield h + "ln_1.weight", (d,), "norm_weight"
        yield h + "ln_1.bias", (d,), "norm_bias"
        yield h + "attn.c_attn.weight", (d, 3 * d), "weight"
        yield h + "attn.c_attn.bias", (3 * d,), "weight"
        yield h + "attn.c_proj.weight", (d, d), "projection"
        yield h + "attn.c_proj.bias", (d,), "weight"
        yield h + "ln_2.weight", (d,), "norm_weight"
        yield h + "ln_2.bias", (d,), "norm_bias"
        yield h + "mlp.c_fc.weight", (d, f), "weight"
        yield h + "mlp.c_fc.bias", (f,), "weight"
        yield h + "mlp.c_proj.weight", (f, d), "projection"
        yield h + "mlp.c_proj.bias", (d,), "weight"
    yield "ln_f.weight", (d,), "norm_weight"
    yield "ln_f.bias", (d,), "norm_bias"


def random_values(name, shape, kind, options):
    """float32 values of one tensor, outliers included."""
    generator = np.random.Generator(np.random.PCG64([options.seed, zlib.crc32(name.encode())]))
    values = generator.standard_normal(shape, dtype=np.float32)
    scale = {
        "weight": options.init_std,
        "projection": options.init_std / math.sqrt(2 * options.n_layer),
        "norm_weight": 0.1,
        "norm_bias": 0.05,
    }[kind]
    values *= np.float32(scale)
    if kind == "norm_weight":
        values += np.float32(1)
    plant_outliers(name, values, options)
    return values


def plant_outliers(name, values, options):
    for index, dim in enumerate(options.outlier_dims):
        outlier = options.outlier_scale * (-1) ** index
        if name == "wpe.weight":
            values[0, dim] = outlier
        elif name == "h.0.mlp.c_proj.bias":
            values[dim] = outlier * OUTLIER_EVERYWHERE


def old_buffers(options):
    """Yields what saves of old held besides weights: the causal mask, the masked score."""
    n = options.n_positions
    for layer in range(options.n_layer):
        yield (
            f"h.{layer}.attn.bias",
            (1, 1, n, n),
            lambda: np.tril(np.ones((1, 1, n, n), np.float32)),
        )
        yield f"h.{layer}.attn.masked_bias", (), lambda: np.array(-1e4, np.float32)


def all_tensors(options):
    """The tensors to write, in order. Their values are made when they are written."""
    prefix = "transformer." if options.prefix else ""

    def weight(name, shape, kind, written_as):
        return Tensor(written_as, shape, options.dtype, lambda: random_values(name, shape, kind, options))

    tensors = [weight(name, shape, kind, prefix + name) for name, shape, kind in weight_shapes(options)]
    if options.old_buffers:
        tensors += [Tensor(prefix + name, shape, "float32", make) for name, shape, make in old_buffers(options)]
    if options.untied:
        tensors.append(weight("lm_head.weight", (options.vocab_size, options.n_embd), "weight", "lm_head.weight"))
    return tensors
