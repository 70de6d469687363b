"""Hugging Face's GPT-2 with every hook point's value under our names, and with edits made where they are computed.

The values come from PyTorch hooks on the model's modules. What has no module: queries, keys and values are thirds of
c_attn's output; scores and pattern pass through an attention function registered with transformers (TRACED), which
computes what its own eager one does; a per-head result is z times that head's rows of c_proj's weight; a LayerNorm's
scale and its value before the affine part are computed from its input.
"""

import contextlib

import numpy as np
import torch
import transformers
from transformers.masking_utils import eager_mask

TRACED = "hydrophone_traced"
END_OF_TEXT = 50256


def _traced_attention(module, query, key, value, attention_mask, scaling=None, dropout=0.0, **_kwargs):
    masked = attention_mask[..., : key.shape[-2]] < 0
    scores = (query @ key.transpose(-1, -2) * scaling).masked_fill(masked, -torch.inf)
    visit = getattr(module, "visit", lambda _name, values: values)
    scores = visit("hook_attn_scores", scores[0]).unsqueeze(0).masked_fill(masked, -torch.inf)
    softmax = visit("hook_softmax", scores.softmax(-1)[0]).unsqueeze(0).masked_fill(masked, 0)
    pattern = visit("hook_pattern", softmax[0]).unsqueeze(0).masked_fill(masked, 0)
    module.seen = {"hook_attn_scores": scores[0], "hook_softmax": softmax[0], "hook_pattern": pattern[0]}
    return (pattern @ value).transpose(1, 2), pattern


transformers.AttentionInterface.register(TRACED, _traced_attention)
transformers.AttentionMaskInterface.register(TRACED, eager_mask)


def load(directory, attention="eager", dtype=torch.float32, device="cpu"):
    """The checkpoint in eval mode."""
    model = transformers.GPT2LMHeadModel.from_pretrained(directory, dtype=dtype, attn_implementation=attention)
    return model.eval().to(device)


@contextlib.contextmanager
def one_thread():
    """For runs of a few tokens: waiting for other threads costs more than they do."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


class _Visits:
    """Values as the forward pass computes them, each after the edits made there."""

    def __init__(self, edits):
        self.edits, self.values = edits, {}

    def __call__(self, name, values):
        for edit in self.edits.get(name, ()):
            values = edit(values)
        self.values[name] = values.clone()  # what follows may be edited in place
        return values


def _hooks(model, visit):
    """Hooks that pass each module's value through visit(name, [s, ...]); gives the handles."""
    modules, heads = dict(model.named_modules()), model.config.n_head

    def output(path, name):
        def hook(_module, _inputs, out):
            first = out[0] if isinstance(out, tuple) else out
            visited = visit(name, first[0]).unsqueeze(0)
            return (visited, *out[1:]) if isinstance(out, tuple) else visited

        return modules[path].register_forward_hook(hook)

    def inplace_input(path, name):
        # In place: the residual path goes on with the same tensor.
        def hook(_module, inputs):
            inputs[0].copy_(visit(name, inputs[0][0].clone()).unsqueeze(0))

        return modules[path].register_forward_pre_hook(hook)

    def branch_input(path, name):
        def hook(_module, inputs):
            return (visit(name, inputs[0][0]).unsqueeze(0), *inputs[1:])

        return modules[path].register_forward_pre_hook(hook)

    def heads_input(path, name):
        def hook(_module, inputs):
            z = inputs[0][0].unflatten(-1, (heads, -1))
            return (visit(name, z).flatten(-2).unsqueeze(0), *inputs[1:])

        return modules[path].register_forward_pre_hook(hook)

    def thirds(path, names):
        def hook(_module, _inputs, out):
            parts = (part.unflatten(-1, (heads, -1)) for part in out[0].chunk(3, -1))
            return torch.cat(
                [visit(name, part).flatten(-2) for name, part in zip(names, parts, strict=True)], -1
            ).unsqueeze(0)

        return modules[path].register_forward_hook(hook)

    yield output("transformer.wte", "hook_embed")
    yield output("transformer.wpe", "hook_pos_embed")
    yield output("transformer.drop", "hook_embed_dropout")
    for layer in range(model.config.n_layer):
        module, point = f"transformer.h.{layer}", f"blocks.{layer}"
        yield inplace_input(module, f"{point}.hook_resid_pre")
        yield branch_input(f"{module}.ln_1", f"{point}.ln1.hook_in")
        yield output(f"{module}.ln_1", f"{point}.ln1.hook_out")
        yield output(f"{module}.attn.c_attn", f"{point}.attn.qkv.hook_out")
        yield thirds(f"{module}.attn.c_attn", [f"{point}.attn.hook_{part}" for part in "qkv"])
        yield heads_input(f"{module}.attn.c_proj", f"{point}.attn.hook_z")
        yield output(f"{module}.attn.c_proj", f"{point}.hook_attn_out")
        yield output(f"{module}.attn.resid_dropout", f"{point}.attn.hook_resid_dropout")
        yield inplace_input(f"{module}.ln_2", f"{point}.hook_resid_mid")
        yield branch_input(f"{module}.ln_2", f"{point}.ln2.hook_in")
        yield output(f"{module}.ln_2", f"{point}.ln2.hook_out")
        yield output(f"{module}.mlp.c_fc", f"{point}.mlp.hook_pre")
        yield output(f"{module}.mlp.act", f"{point}.mlp.hook_post")
        yield output(f"{module}.mlp.c_proj", f"{point}.hook_mlp_out")
        yield output(f"{module}.mlp.dropout", f"{point}.mlp.hook_dropout")
        yield output(module, f"{point}.hook_resid_post")
    yield branch_input("transformer.ln_f", "ln_final.hook_in")
    yield output("transformer.ln_f", "ln_final.hook_out")
    yield output("lm_head", "logits")


def _layer_norm_parts(x, epsilon):
    scale = (x.var(-1, keepdim=True, correction=0) + epsilon).sqrt()
    return scale, torch.nn.functional.layer_norm(x, x.shape[-1:], eps=epsilon)


def _add_derived(values, model):
    """What no module shows, from what modules showed. hidden_states are those that a run with edits would return."""
    layers, epsilon = model.config.n_layer, model.config.layer_norm_epsilon

    def layer_norm(name):
        x = values[f"{name}.hook_in"]
        values[f"{name}.hook_scale"], values[f"{name}.hook_normalized"] = _layer_norm_parts(x, epsilon)

    for layer in range(layers):
        point = f"blocks.{layer}"
        layer_norm(f"{point}.ln1")
        layer_norm(f"{point}.ln2")
        values[f"hidden_states.{layer}"] = values[f"{point}.hook_resid_pre"]
        for part in "qkv":
            values[f"{point}.attn.{part}.hook_in"] = values[f"{point}.ln1.hook_out"]
        z = values[f"{point}.attn.hook_z"]
        copies = values[f"{point}.ln1.hook_in"].unsqueeze(1).expand(-1, z.shape[1], -1)
        for copy in ("attn_in", "q_input", "k_input", "v_input"):
            values[f"{point}.hook_{copy}"] = copies
        values[f"transformer.h.{layer}.attn.c_proj.input"] = z.flatten(1)
        weight = model.transformer.h[layer].attn.c_proj.weight.unflatten(0, (z.shape[1], z.shape[2]))
        values[f"{point}.attn.hook_result"] = torch.einsum("she,hed->shd", z, weight)
    layer_norm("ln_final")
    values[f"hidden_states.{layers}"] = values["ln_final.hook_out"]


def _scores(model, values, layer):
    """Before the softmax, from Hugging Face's own queries and keys and its own scale; masked ones are -inf."""
    q, k = (values[f"blocks.{layer}.attn.hook_{part}"].transpose(0, 1) for part in "qk")
    scores = q @ k.transpose(-1, -2) * model.transformer.h[layer].attn.scaling
    return scores.masked_fill(torch.ones(scores.shape[1:], device=scores.device).triu(1).bool(), -torch.inf)


def clean_values(model, ids):
    """{name: array} of every point, of a model with eager attention: patterns and hidden states are its outputs."""
    visit = _Visits({})
    handles = list(_hooks(model, visit))
    with torch.inference_mode():
        output = model(
            torch.tensor([ids], device=model.device),
            output_hidden_states=True,
            output_attentions=True,
            use_cache=False,
        )
        values = visit.values
        _add_derived(values, model)
        assert len(output.attentions) == model.config.n_layer, "no patterns: not eager attention"
        for layer, pattern in enumerate(output.attentions):
            values[f"blocks.{layer}.attn.hook_attn_scores"] = _scores(model, values, layer)
            values[f"blocks.{layer}.attn.hook_softmax"] = values[f"blocks.{layer}.attn.hook_pattern"] = pattern[0]
        for index, state in enumerate(output.hidden_states):
            values[f"hidden_states.{index}"] = state[0]
    for handle in handles:
        handle.remove()
    return {name: value.cpu().numpy() for name, value in values.items()}


def edited_values(model, ids, edits=()):
    """{name: array} of a run of a model with TRACED attention.

    `edits` are pairs of a name and a function of [s, ...] tensors, applied in their order at each point.
    """
    by_name = {}
    for name, edit in edits:
        by_name.setdefault(name, []).append(edit)
    visit = _Visits(by_name)
    handles = list(_hooks(model, visit))
    attentions = [block.attn for block in model.transformer.h]
    for layer, attention in enumerate(attentions):
        attention.visit = lambda name, value, layer=layer: visit(f"blocks.{layer}.attn.{name}", value)
    with torch.inference_mode(), one_thread():
        model(torch.tensor([ids]), use_cache=False)
        _add_derived(visit.values, model)
        for layer, attention in enumerate(attentions):
            # After the causal mask, which no edit gets past.
            visit.values.update({f"blocks.{layer}.attn.{name}": value for name, value in attention.seen.items()})
    for handle in handles:
        handle.remove()
    assert by_name.keys() <= visit.values.keys(), "an edit was made nowhere"
    return {name: value.numpy() for name, value in visit.values.items()}


def generated(model, ids, count):
    """The continuation that Hugging Face makes greedily, and the smallest lead of a chosen token over the next best."""
    with torch.inference_mode(), one_thread():
        made = model.generate(
            torch.tensor([ids]),
            do_sample=False,
            max_new_tokens=count,
            eos_token_id=END_OF_TEXT,
            pad_token_id=END_OF_TEXT,
            return_dict_in_generate=True,
            output_logits=True,
        )
    leads = [best[0, 0] - best[0, 1] for best in (logits.topk(2).values for logits in made.logits)]
    return made.sequences[0, len(ids) :].tolist(), float(min(leads))


def largest_difference(ours, theirs):
    """Of two arrays, where they are finite, and the largest magnitude; they must be infinite at the same places."""
    assert ours.shape == theirs.shape
    finite = np.isfinite(theirs)
    assert np.array_equal(ours[~finite], theirs[~finite])
    return float(np.abs(ours[finite] - theirs[finite]).max(initial=0)), float(np.abs(theirs[finite]).max(initial=0))


def relative_difference(ours, theirs):
    """The largest difference as a share of the largest value; of arrays of zeros, 0 if they are equal."""
    difference, largest = largest_difference(ours, theirs)
    return difference / largest if difference and largest else difference and np.inf
