"""What machines are asked alike: requests that reach every number the server computes.

A question is a function of a client that gives the fields of Extract requests. QUICK ones take seconds on an emulated
machine and a small model, the others minutes.
"""

import numpy as np
from hydrophone_client import tensor

LENGTHS = (1, 2, 17, 130)
CONTEXT = 1024
FEW = ["hidden_states", "attn.c_proj", "mlp.c_proj"]


def ids(model, count, seed=0):
    return [int(token) for token in np.random.default_rng(seed + count).integers(0, model.vocab_size, count)]


def texts(client, *lengths):
    return [client.pb.Input(token_ids=ids(client.model().model, length)) for length in lengths]


def points(client):
    return list(client.stub.ListHookPoints(client.pb.ListHookPointsRequest()).hook_points)


def vector(client, width, seed=5):
    return tensor(client.pb, np.random.default_rng(seed).normal(size=width))


def selectors(client, layer="*", **fields):
    """Every point at every layer, or at one."""
    return [
        client.pb.HookSelector(hook_point=point.name.replace("L", str(layer), 1), **fields)
        for point in points(client)
        if layer == "*" or point.layers > 0
    ]


def every_point(client):
    """At every layer, of LENGTHS as far as the model's context goes; logits, which are long, at every 16th position."""
    longest = client.model().model.n_positions
    hooks = selectors(client)
    for hook in hooks:
        if hook.hook_point == "logits":
            hook.positions.slice = "::16"
    yield {"inputs": texts(client, *[n for n in LENGTHS if n <= longest]), "hooks": hooks}


def whole_context(client):
    """States and deltas, and one head's attention where it is longest."""
    pb = client.pb
    last = client.model().model.n_layer - 1
    pattern = pb.HookSelector(
        hook_point=f"blocks.{last}.attn.hook_pattern", units=pb.Units(heads=[1]), positions=pb.Positions(slice="-32:")
    )
    lens = pb.HookSelector(hook_point="logits", positions=pb.Positions(at=[0, -1]))
    yield {"inputs": texts(client, CONTEXT), "hook_points": FEW, "hooks": [pattern, lens]}


def every_point_of_the_whole_context(client):
    """Every point at every layer, one layer a request: the squares of all would be gigabytes."""
    pb = client.pb
    inputs = texts(client, CONTEXT)
    for layer in range(client.model().model.n_layer):
        yield {"inputs": inputs, "hooks": selectors(client, layer)}
    outside = [point.name for point in points(client) if point.layers == 0 and point.name != "logits"]
    some = pb.HookSelector(hook_point="logits", positions=pb.Positions(slice="::64"))
    yield {"inputs": inputs, "hook_points": [*outside, "hidden_states"], "hooks": [some]}


def interventions(client):
    """Every kind of operation, and every kind of point that is edited in a way of its own."""
    pb = client.pb
    model = client.model().model
    width, head_width = model.n_embd, model.n_embd // model.n_head
    first, middle, last = 0, model.n_layer // 2, model.n_layer - 1
    at, everywhere = pb.Positions(at=[1, -1]), pb.Positions(slice=":")

    def edit(hook_point, layer, positions, **fields):
        return pb.Intervention(hook_point=hook_point, layers=[layer], positions=positions, **fields)

    yield edit("hook_mlp_out", middle, at, zero=pb.Zero())
    yield edit("hook_resid_pre", last, everywhere, scale=0.3)
    yield edit("hook_attn_out", first, at, add=vector(client, width))
    yield edit("ln1.hook_out", middle, at, set=vector(client, width))
    yield edit("hook_resid_post", middle, everywhere, project_out=vector(client, width))
    yield edit("attn.hook_v", first, everywhere, project_out=vector(client, head_width))
    yield edit("hook_resid_pre", middle, everywhere, patch=pb.Source(run=0))
    yield edit("attn.hook_pattern", middle, at, patch=pb.Source(run=0))
    yield edit("mlp.hook_post", first, everywhere, position_mean=pb.PositionMean())
    yield edit("attn.hook_z", last, at, units=pb.Units(heads=[0, 2]), zero=pb.Zero())
    yield edit("attn.hook_softmax", middle, at, units=pb.Units(heads=[1]), scale=0.7)
    knocked_out = tensor(pb, -np.inf)
    yield edit("attn.hook_attn_scores", first, pb.Positions(at=[-1]), units=pb.Units(features=[0]), set=knocked_out)
    for branch in ("ln1.hook_in", "ln2.hook_in", "attn.k.hook_in"):
        yield edit(branch, middle, everywhere, scale=0.7)
    for branch in ("hook_attn_in", "hook_q_input", "hook_v_input"):
        yield edit(branch, last, everywhere, units=pb.Units(heads=[1]), scale=0.7)


def edited_runs(client, **fields):
    pb = client.pb
    runs = [pb.Run(input=0), pb.Run(input=1)]
    return runs + [pb.Run(input=1, interventions=[edit], **fields) for edit in interventions(client)]


def edited_inputs(client):
    model = client.model().model
    return [client.pb.Input(token_ids=ids(model, 12, seed)) for seed in (1, 2)]


def edits(client):
    yield {
        "inputs": edited_inputs(client),
        "runs": edited_runs(client),
        "hook_points": FEW,
        "hooks": [client.pb.HookSelector(hook_point="logits", positions=client.pb.Positions(at=[-1]))],
    }


def edits_in_train_mode(client):
    yield {
        "inputs": edited_inputs(client),
        "runs": edited_runs(client, train_seed=9),
        "hook_points": [*FEW, "ln_final.hook_out"],
    }


def comparisons_and_metrics(client):
    pb = client.pb
    runs = edited_runs(client, baseline=1)
    last = pb.Positions(at=[-1])
    yield {
        "inputs": edited_inputs(client),
        "runs": runs,
        "hook_points": ["hidden_states"],
        "metrics": [
            pb.Metric(logit_diff=pb.LogitDiff(correct=11, wrong=13), positions=last),
            pb.Metric(next_token_loss=pb.NextTokenLoss(), positions=pb.Positions(at=[3])),
            pb.Metric(divergence=pb.Divergence(), positions=last, runs=range(2, len(runs))),
        ],
    }


def dropout(client):
    """Every point in train mode, and independent samples of one text."""
    pb = client.pb
    yield {"inputs": texts(client, 17), "hooks": selectors(client), "train_seed": 20}
    yield {
        "inputs": texts(client, 130),
        "runs": [pb.Run(input=0, train_seed=seed) for seed in (1, 2**63)],
        "hook_points": FEW,
    }


def reductions(client):
    """Means and largest values over positions, at every point that has them, in half precision too."""
    pb = client.pb
    reduced = {
        "mean": selectors(client, reduction=pb.REDUCTION_MEAN, dtype=pb.DTYPE_FLOAT16),
        "max": selectors(client, reduction=pb.REDUCTION_MAX, dtype=pb.DTYPE_BFLOAT16),
    }
    squares = ("hook_attn_scores", "hook_softmax", "hook_pattern")
    for hooks in reduced.values():
        yield {
            "inputs": texts(client, 1, 17),
            "hooks": [hook for hook in hooks if not hook.hook_point.endswith(squares)],
        }


def projections(client):
    """Onto the model's own widths, onto chosen features and onto keys, which are multiplied by other code."""
    pb = client.pb
    model = client.model().model
    yield {
        "inputs": texts(client, 1, 17),
        "hooks": [
            pb.HookSelector(hook_point="hook_mlp_out", project=vector(client, model.n_embd)),
            pb.HookSelector(hook_point="mlp.hook_post", project=vector(client, model.n_inner)),
            pb.HookSelector(hook_point="attn.hook_z", project=vector(client, model.n_embd // model.n_head)),
            pb.HookSelector(
                hook_point="hook_resid_post", units=pb.Units(features=[7, 3, 5]), project=vector(client, 3)
            ),
        ],
    }
    yield {
        "inputs": texts(client, 17),
        "hooks": [pb.HookSelector(hook_point="attn.hook_pattern", project=vector(client, 17))],
    }


def readings(client):
    """The logit lens, views that answer with numbers, and the two-byte types."""
    pb = client.pb
    last = pb.Positions(at=[-1])
    summary = pb.SummaryOptions(threshold=1, top_k=4, quantiles=[0.1, 0.99])
    yield {
        "inputs": texts(client, 2, 17),
        "hooks": [
            pb.HookSelector(
                hook_point="hook_resid_mid", positions=last, logit_lens=pb.LogitLens(top_k=3, token_ids=[11])
            ),
            pb.HookSelector(hook_point="ln2.hook_out", view=pb.VIEW_SUMMARY, summary=summary),
            pb.HookSelector(hook_point="hook_attn_out", view=pb.VIEW_PREVIEW),
            pb.HookSelector(hook_point="hook_resid_pre", dtype=pb.DTYPE_FLOAT16),
            pb.HookSelector(hook_point="mlp.hook_pre", dtype=pb.DTYPE_BFLOAT16),
        ],
    }
    yield {"inputs": texts(client, 2, 17), "hook_points": FEW, "layout": pb.LAYOUT_ROWS}


def continuations(client):
    yield {"inputs": texts(client, 2, 17), "hook_points": ["hidden_states"], "max_new_tokens": 4}


QUICK = [
    every_point,
    whole_context,
    edits,
    edits_in_train_mode,
    comparisons_and_metrics,
    dropout,
    reductions,
    projections,
    readings,
    continuations,
]
