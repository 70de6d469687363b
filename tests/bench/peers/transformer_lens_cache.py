"""TransformerLens's run_with_cache: THREADS MODEL. With logits, as by default, or without."""

import sys

import torch
import transformers
from transformer_lens.model_bridge import TransformerBridge

from peers.worker import device, serve, timed


def names(layers):
    """TransformerLens's names of the 37 tensors."""
    wanted = {"ln_final.hook_out"}
    for layer in range(layers):
        wanted |= {f"blocks.{layer}.{name}" for name in ("attn.hook_out", "mlp.hook_out", "hook_in")}
    return wanted


@torch.inference_mode()
def main():
    torch.set_num_threads(int(sys.argv[1]))
    model = transformers.GPT2LMHeadModel.from_pretrained(sys.argv[2], dtype=torch.float32).eval()
    tokenizer = transformers.GPT2Tokenizer.from_pretrained(sys.argv[2])
    bridge = TransformerBridge.boot_transformers(sys.argv[2], hf_model=model, tokenizer=tokenizer, device=device())
    wanted = names(bridge.cfg.n_layers)

    def forward(inputs, logits):
        ids = torch.tensor(inputs, device=device())
        return_type = "logits" if logits else None

        def work():
            _, cache = bridge.run_with_cache(ids, names_filter=lambda name: name in wanted, return_type=return_type)
            assert len(cache) == len(wanted), sorted(wanted - set(cache))
            return {name: values.cpu() for name, values in cache.items()}

        return timed(work)

    serve({"forward": forward})


main()
