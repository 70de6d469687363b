"""Makes one edit after another by TransformerLens's names, on the bridge of a checkpoint on disk.

Usage: transformer_lens_edits.py CHECKPOINT_DIRECTORY ID,ID,... EDITS.npz OUT.npz

EDITS.npz holds an addition for each name, [s, ...] or [H, s, s]. OUT.npz holds, for those names that the bridge has a
hook at, "logits NAME": the last position's with the addition made there, and "value NAME": what was there before.
"""

import sys

import numpy as np
import torch
import transformers
from transformer_lens.model_bridge import TransformerBridge

# Hooks that the bridge passes only when it is told to; the last two exclude each other.
SWITCHES = {
    "set_use_attn_result": ("hook_result",),
    "set_use_hook_mlp_in": ("hook_mlp_in",),
    "set_use_attn_in": ("hook_attn_in",),
    "set_use_split_qkv_input": ("hook_q_input", "hook_k_input", "hook_v_input"),
}


def switch_for(name):
    return next((switch for switch, ends in SWITCHES.items() if name.endswith(ends)), None)


def edited(bridge, ids, name, addition):
    """The value at the name and the logits, or None where no hook of this name is passed."""
    seen = []

    def hook(value, hook):
        seen.append(value.detach().clone())
        return value + addition

    switch = switch_for(name)
    if switch:
        getattr(bridge, switch)(True)
    try:
        logits = bridge.run_with_hooks(torch.tensor([ids]), fwd_hooks=[(name, hook)], prepend_bos=False)
    finally:
        if switch:
            getattr(bridge, switch)(False)
    return (seen[0][0].numpy(), logits[0, -1:].numpy()) if seen else None


def main():
    directory, ids, edits, out = sys.argv[1:]
    model = transformers.GPT2LMHeadModel.from_pretrained(directory, dtype=torch.float32, attn_implementation="eager")
    tokenizer = transformers.GPT2Tokenizer.from_pretrained(directory)
    bridge = TransformerBridge.boot_transformers(directory, hf_model=model.eval(), tokenizer=tokenizer, device="cpu")
    ids, made = [int(each) for each in ids.split(",")], {}
    with torch.inference_mode():
        for name, addition in np.load(edits).items():
            if name not in bridge.hook_dict:
                continue
            result = edited(bridge, ids, name, torch.from_numpy(addition))
            if result:
                made[f"value {name}"], made[f"logits {name}"] = result
    np.savez(out, **made)


if __name__ == "__main__":
    main()
