"""nnsight's trace around Hugging Face's GPT-2: THREADS MODEL. With logits, as LanguageModel has them, or without."""

import sys

import nnsight
import torch
import transformers

from peers.worker import device, serve, timed


def trace(model, body, ids):
    """The 37 tensors, saved inside one trace. `body`: the traced GPT2Model."""
    with model.trace(ids, use_cache=False):
        saved = nnsight.save([])
        for block in body.h:
            saved.append(block.input)
            saved.append(block.attn.c_proj.output)
            saved.append(block.mlp.c_proj.output)
        saved.append(body.ln_f.output)
    return [values.cpu() for values in saved]


@torch.inference_mode()
def main():
    torch.set_num_threads(int(sys.argv[1]))
    with_head = transformers.GPT2LMHeadModel.from_pretrained(sys.argv[2], dtype=torch.float32).eval().to(device())
    whole, headless = nnsight.NNsight(with_head), nnsight.NNsight(with_head.transformer)

    def forward(inputs, logits):
        ids = torch.tensor(inputs, device=device())
        if logits:
            return timed(lambda: trace(whole, whole.transformer, ids))
        return timed(lambda: trace(headless, headless, ids))

    serve({"forward": forward})


main()
