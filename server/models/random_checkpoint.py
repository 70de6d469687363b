#!/usr/bin/env python3
"""Writes a GPT-2 checkpoint of any size with random weights, as Hugging Face saves it.

For tests and benchmarks: the arithmetic and the memory of a real GPT-2 without a download. The
result is a directory with config.json, model.safetensors (or shards and their index) and the
tokenizer's vocab.json and merges.txt. Only numpy is needed. 124M parameters (fp32, 0.5 GB) take a
few seconds, XL (1.56 billion, 6.2 GB) about a minute, both in the memory of one tensor.

No parameter is left at a value that would hide its absence: weights are normal with standard
deviation --init-std (those of both c_proj divided by sqrt(2 layers), as in GPT-2), biases are too,
LayerNorm weights are 1 + 0.1 normal, its biases 0.05 normal. Every tensor has its own generator,
made from --seed and its name: dtype, sharding, prefix and buffers never change a value.

--outlier-dims plants what real GPT-2 grows: a few dimensions of the residual stream that are huge
at the first token and large elsewhere. The first row of wpe is set to +-SCALE there, and the first
block's mlp.c_proj.bias to +-SCALE/60 (signs alternate); the values then stay in the residual stream
of all later blocks. Near 3000 two neighbouring float32 numbers are 2.4e-4 apart: compare such
dimensions relatively.

Examples:
  random_checkpoint.py /tmp/gpt2  # GPT-2 124M, fp32
  random_checkpoint.py /tmp/xl --preset gpt2-xl --dtype bfloat16 --shards 4
  random_checkpoint.py /tmp/old --no-prefix --old-buffers --outlier-dims 138,378,447
  random_checkpoint.py /tmp/odd --n-layer 3 --n-embd 60 --n-head 5 --n-inner 100 --n-positions 77 \\
      --init-std 0.2
  random_checkpoint.py /tmp/relu --n-layer 2 --activation relu --untied \\
      --scale-attn-by-inverse-layer-idx
"""

import argparse
import json
import pathlib
import shutil
import sys
import time

import safetensors_writer
from random_weights import Options, all_tensors

DEFAULT_TOKENIZER = pathlib.Path(__file__).resolve().parent / "hydrophone-gpt2-tiny"
PRESETS = {  # layers, width, heads
    "gpt2": (12, 768, 12),
    "gpt2-medium": (24, 1024, 16),
    "gpt2-large": (36, 1280, 20),
    "gpt2-xl": (48, 1600, 25),
}


def split_into_shards(tensors, count):
    """`count` non-empty lists of neighbours of about equal bytes."""
    if count > len(tensors):
        raise ValueError(f"--shards {count} is more than there are tensors ({len(tensors)})")
    total, done, shards = sum(t.nbytes for t in tensors), 0, [[] for _ in range(count)]
    for index, tensor in enumerate(tensors):
        fair = done * count // total  # the shard in which this tensor's first byte belongs
        reachable = sum(1 for shard in shards if shard)  # one past the last begun: no shard may be skipped
        needed = count - (len(tensors) - index)  # every later shard still gets a tensor
        which = min(max(fair, needed), reachable, count - 1)
        shards[which].append(tensor)
        done += tensor.nbytes
    return shards


def write_weights(out, tensors, shards):
    if shards == 1:
        safetensors_writer.write(out / "model.safetensors", tensors)
        return
    weight_map = {}
    for number, shard in enumerate(split_into_shards(tensors, shards), start=1):
        name = f"model-{number:05}-of-{shards:05}.safetensors"
        safetensors_writer.write(out / name, shard)
        weight_map.update({tensor.name: name for tensor in shard})
    index = {
        "metadata": {
            "total_parameters": sum(t.elements for t in tensors),
            "total_size": sum(t.nbytes for t in tensors),
        },
        "weight_map": dict(sorted(weight_map.items())),
    }
    write_json(out / "model.safetensors.index.json", index)


def config_of(options):
    """config.json with every key that Hugging Face 5 writes for GPT-2."""
    end_of_text = 50256 if options.vocab_size > 50256 else None
    return {
        "activation_function": options.activation,
        "add_cross_attention": False,
        "architectures": ["GPT2LMHeadModel"],
        "attn_pdrop": 0.1,
        "bos_token_id": end_of_text,
        "dtype": options.dtype,
        "embd_pdrop": 0.1,
        "eos_token_id": end_of_text,
        "initializer_range": options.init_std,
        "layer_norm_epsilon": options.layer_norm_epsilon,
        "model_type": "gpt2",
        "n_embd": options.n_embd,
        "n_head": options.n_head,
        "n_inner": options.n_inner,
        "n_layer": options.n_layer,
        "n_positions": options.n_positions,
        "pad_token_id": None,
        "reorder_and_upcast_attn": options.reorder_and_upcast_attn,
        "resid_pdrop": 0.1,
        "scale_attn_by_inverse_layer_idx": options.scale_attn_by_inverse_layer_idx,
        "scale_attn_weights": options.scale_attn_weights,
        "summary_activation": None,
        "summary_first_dropout": 0.1,
        "summary_proj_to_labels": True,
        "summary_type": "cls_index",
        "summary_use_proj": True,
        "tie_word_embeddings": not options.untied,
        "use_cache": True,
        "vocab_size": options.vocab_size,
    }


def write_json(path, value):
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


def copy_tokenizer(options, out):
    """Copies the tokenizer asked for, else the default model's if the vocabulary has its size."""
    source = options.tokenizer
    if source is None:
        if options.vocab_size != 50257:
            return
        source = DEFAULT_TOKENIZER
    entries = len(json.loads((source / "vocab.json").read_text(encoding="utf-8")))
    if entries != options.vocab_size:
        raise ValueError(f"{source / 'vocab.json'} has {entries} entries, --vocab-size is {options.vocab_size}")
    for name in ("vocab.json", "merges.txt"):
        shutil.copyfile(source / name, out / name)


def remove_weights(out):
    """So that shards of an earlier run do not stay beside this one's."""
    for pattern in (
        "model*.safetensors",
        "model.safetensors.index.json",
        "vocab.json",
        "merges.txt",
    ):
        for path in out.glob(pattern):
            path.unlink()


def write(out, options):
    """Writes the directory `out`, returns the tensors. ValueError: impossible options."""
    options.check()
    tensors = all_tensors(options)
    out = pathlib.Path(out)
    out.mkdir(parents=True, exist_ok=True)
    remove_weights(out)
    copy_tokenizer(options, out)
    write_json(out / "config.json", config_of(options))
    write_weights(out, tensors, options.shards)
    return tensors


def parse_flags(argv):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("out", type=pathlib.Path, help="directory to write (weights that lie there are replaced)")
    sizes = parser.add_argument_group("sizes")
    add(
        "--preset",
        choices=PRESETS,
        default="gpt2",
        help="layers, width and heads of (default: %(default)s, 124M)",
    )
    for name, text in (
        ("n-layer", "blocks"),
        ("n-embd", "model width"),
        ("n-head", "heads"),
        ("n-positions", "longest input in tokens (default: 1024)"),
        ("n-inner", "MLP width (default: 4 n_embd)"),
        ("vocab-size", "tokens (default: 50257)"),
    ):
        sizes.add_argument(f"--{name}", type=int, metavar="N", default=argparse.SUPPRESS, help=text)
    add(
        "--dtype",
        choices=safetensors_writer.DTYPES,
        default="float32",
        help="of the file (default: %(default)s)",
    )
    add("--seed", type=int, default=0, metavar="N", help="(default: %(default)s)")
    add(
        "--init-std",
        type=float,
        default=0.02,
        metavar="X",
        help="of weights and biases (default: %(default)s, as GPT-2; take 0.2 for small widths)",
    )
    saving = parser.add_argument_group("how it is saved")
    saving.add_argument("--shards", type=int, default=1, metavar="N", help="files (default: %(default)s)")
    saving.add_argument(
        "--prefix",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="names begin with `transformer.` (GPT-2's release: without; default: with)",
    )
    saving.add_argument("--old-buffers", action="store_true", help="attn.bias and attn.masked_bias, as saves of old")
    saving.add_argument("--untied", action="store_true", help="an lm_head.weight of its own")
    saving.add_argument(
        "--tokenizer",
        type=pathlib.Path,
        metavar="DIR",
        help="vocab.json and merges.txt (default: the default model's if the vocabulary is 50257)",
    )
    arithmetic = parser.add_argument_group("what changes the arithmetic")
    arithmetic.add_argument(
        "--activation",
        default="gelu_new",
        metavar="NAME",
        help="activation_function: gelu_new (default), gelu, relu, silu, ...; written unchecked",
    )
    arithmetic.add_argument(
        "--layer-norm-epsilon", type=float, default=1e-5, metavar="X", help="(default: %(default)s)"
    )
    arithmetic.add_argument(
        "--scale-attn-weights",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="divide scores by sqrt(head width) (default: yes)",
    )
    arithmetic.add_argument("--scale-attn-by-inverse-layer-idx", action="store_true", help="and by the layer's number")
    arithmetic.add_argument("--reorder-and-upcast-attn", action="store_true")
    arithmetic.add_argument(
        "--outlier-dims",
        default="",
        metavar="D,D,...",
        help="plant outliers there, e.g. 138,378,447",
    )
    arithmetic.add_argument(
        "--outlier-scale",
        type=float,
        default=3000.0,
        metavar="X",
        help="their size at the first token (default: %(default)s)",
    )
    return parser, parser.parse_args(argv)


def options_from(flags):
    values = vars(flags).copy()
    preset = dict(zip(("n_layer", "n_embd", "n_head"), PRESETS[values.pop("preset")], strict=True))
    values["outlier_dims"] = tuple(int(dim) for dim in values["outlier_dims"].split(",") if dim.strip())
    del values["out"]
    return Options(**{**preset, **values})


def main(argv=None):
    parser, flags = parse_flags(argv)
    begun = time.monotonic()
    try:
        tensors = write(flags.out, options_from(flags))
    except (OSError, ValueError) as error:
        parser.error(str(error))
    print(
        f"{flags.out}: {sum(t.elements for t in tensors) / 1e6:.1f} million elements, "
        f"{sum(t.nbytes for t in tensors) / 1e6:.1f} MB, {time.monotonic() - begun:.1f} s",
        file=sys.stderr,
    )


if __name__ == "__main__":
    main()
