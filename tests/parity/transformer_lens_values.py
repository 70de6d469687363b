"""Writes what TransformerLens's bridge has in its cache, for checkpoints on disk: nothing is asked of a hub.

Usage: transformer_lens_values.py OUT_DIRECTORY ID,ID,... CHECKPOINT_DIRECTORY...

OUT_DIRECTORY/0.npz, 1.npz, ... hold the checkpoints' values, by the cache's names and without the batch dimension. The
bridge wraps Hugging Face's own model with the weights as they are: no folding, no centering, no compatibility mode.
"""

import sys

import numpy as np
import torch
import transformers
from transformer_lens.model_bridge import TransformerBridge


def bridge_values(directory, ids):
    model = transformers.GPT2LMHeadModel.from_pretrained(directory, dtype=torch.float32, attn_implementation="eager")
    tokenizer = transformers.GPT2Tokenizer.from_pretrained(directory)
    bridge = TransformerBridge.boot_transformers(directory, hf_model=model.eval(), tokenizer=tokenizer, device="cpu")
    bridge.set_use_attn_result(True)
    with torch.inference_mode():
        _, cache = bridge.run_with_cache(torch.tensor([ids]), prepend_bos=False)
    return {name: value[0].numpy() for name, value in cache.items()}


def main():
    out, ids, *directories = sys.argv[1:]
    for number, directory in enumerate(directories):
        np.savez(f"{out}/{number}.npz", **bridge_values(directory, [int(each) for each in ids.split(",")]))


if __name__ == "__main__":
    main()
