"""GPT-2 in Hugging Face's library with forward hooks on the two output projections; no LM head."""

import torch
import transformers

from peers.worker import device


class HookedGpt2:
    """Gives captures by the names of tests/bench/workload.py. Hooks are set for each call, as its caller asks."""

    def __init__(self, directory):
        self._model = transformers.GPT2Model.from_pretrained(directory, dtype=torch.float32).eval().to(device())

    def _module(self, point, layer):
        block = self._model.h[layer]
        return block.attn.c_proj if point == "attn.c_proj" else block.mlp.c_proj

    @torch.inference_mode()
    def run(self, ids, points, layers=None, mask=None):
        """ids [batch, sequence]; {name: [batch, sequence, width]}, in the host's memory."""
        captured, handles = {}, []

        def keep(name):
            return lambda module, inputs, output: captured.__setitem__(name, output)

        for point in points:
            if point == "hidden_states":
                continue
            for layer in layers if layers else range(len(self._model.h)):
                handles.append(self._module(point, layer).register_forward_hook(keep(f"{point}.{layer}")))
        try:
            states = "hidden_states" in points
            mask = None if mask is None else mask.to(device())
            output = self._model(ids.to(device()), attention_mask=mask, use_cache=False, output_hidden_states=states)
        finally:
            for handle in handles:
                handle.remove()
        for layer, state in enumerate(output.hidden_states or ()):
            captured[f"hidden_states.{layer}"] = state
        return {name: values.cpu() for name, values in captured.items()}
