"""TransformerLens's stacks of a residual stream, on the bridge of a checkpoint on disk, before any processing.

Usage: transformer_lens_stacks.py CHECKPOINT_DIRECTORY ID,ID,... CASES.json OUT.npz

CASES.json holds a list of [name, function, arguments]; OUT.npz the stack of each, [components, positions, width], under
its name, its labels under "labels NAME", and under "attrs NAME" its logit_attrs for the tokens 5 and 9.
"""

import json
import sys

import numpy as np
import torch
import transformers
from transformer_lens.model_bridge import TransformerBridge


def main():
    directory, ids, cases, out = sys.argv[1:]
    model = transformers.GPT2LMHeadModel.from_pretrained(directory, dtype=torch.float32, attn_implementation="eager")
    tokenizer = transformers.GPT2Tokenizer.from_pretrained(directory)
    bridge = TransformerBridge.boot_transformers(directory, hf_model=model.eval(), tokenizer=tokenizer, device="cpu")
    made = {}
    with torch.inference_mode():
        _, cache = bridge.run_with_cache(torch.tensor([[int(each) for each in ids.split(",")]]), prepend_bos=False)
        with open(cases) as file:
            for name, function, arguments in json.load(file):
                stack, labels = getattr(cache, function)(**arguments, return_labels=True)
                made[name], made[f"labels {name}"] = stack[:, 0].numpy(), np.array(labels)
                if not arguments.get("apply_ln"):
                    made[f"attrs {name}"] = cache.logit_attrs(stack, 5, 9)[:, 0].numpy()
    np.savez(out, **made)


if __name__ == "__main__":
    main()
