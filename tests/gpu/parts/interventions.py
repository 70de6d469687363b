"""Edits, dropout, the logit lens and continuations, a few cases each, against Hugging Face on the CPU."""

import hugging_face
import numpy as np
import torch
from edits import Edit
from setting import DEFAULT

TOLERANCE = 1e-4  # tests/parity: the largest difference of values that went through several products
WIDTH, TOKENS, LAST = 64, 12, 11
AT = (2, 5, 9)
KEPT = np.float32(1 / (1 - 0.1))  # the default model's dropout is 0.1 everywhere
NEW_TOKENS = 12
PROMPTS = ([15496, 11, 616], [464, 5822, 338, 1175], [40])


def _edits():
    normal = np.random.default_rng(3).normal
    vector = normal(size=WIDTH).astype(np.float32)
    yield Edit("blocks.6.hook_mlp_out", AT, "zero")
    yield Edit("blocks.11.hook_resid_pre", AT, "scale", 0.5)
    yield Edit("blocks.0.hook_attn_out", AT, "add", vector)
    yield Edit("blocks.6.ln1.hook_out", AT, "set", vector)
    yield Edit("blocks.6.hook_resid_post", AT, "project_out", vector)
    yield Edit("blocks.6.hook_resid_pre", AT, "patch", (1, "blocks.6.hook_resid_pre", AT))
    yield Edit("blocks.3.mlp.hook_post", AT, "position_mean")
    yield Edit("blocks.11.attn.hook_z", AT, "zero", heads=(0, 1))
    yield Edit("blocks.6.attn.hook_pattern", AT, "set", 0.2, heads=(1,))


def _largest(ours, theirs):
    return max(hugging_face.largest_difference(array, theirs[name])[0] for name, array in ours.items())


def check_edits(client, model, findings):
    pb, random = client.pb, np.random.default_rng(1)
    inputs = [random.integers(0, 50257, size=TOKENS).tolist() for _ in range(2)]
    edits = list(_edits())
    runs = [pb.Run(input=0), pb.Run(input=1), *(pb.Run(input=0, interventions=[edit.message(pb)]) for edit in edits)]
    names = [f"blocks.{layer}.{point}" for layer in (0, 6, LAST) for point in ("hook_resid_post", "attn.hook_pattern")]
    asked = [pb.Input(token_ids=ids) for ids in inputs]
    found = client.extract(inputs=asked, runs=runs, hook_points=[*names, "logits"]).by_run()
    clean = [hugging_face.edited_values(model, ids) for ids in inputs]
    worst = {}
    for number, edit in enumerate(edits, start=2):
        expected = hugging_face.edited_values(model, inputs[0], [edit.hook(clean)])
        worst[edit.operation] = max(worst.get(edit.operation, 0), _largest(found[number], expected))
    findings.at_most(f"{len(edits)} edits of {len(worst)} kinds, Hugging Face's hooks", max(worst.values()), TOLERANCE)
    findings.detail("edits", worst)


def check_dropout(client, findings):
    points = ["hook_resid_pre", "hook_attn_out", "attn.hook_resid_dropout", "hook_resid_mid"]
    ids = np.random.default_rng(3).integers(0, 50257, size=200).tolist()

    def draw(seed):
        inputs = [client.pb.Input(token_ids=ids)]
        return client.extract(inputs=inputs, hook_points=points, train_seed=seed).by_run()[0]

    first, again, other = draw(7), draw(7), draw(8)
    same = all(first[name].tobytes() == again[name].tobytes() for name in first)
    differs = first["blocks.0.hook_resid_mid"].tobytes() != other["blocks.0.hook_resid_mid"].tobytes()
    findings.check("train mode: a seed has its bytes", f"same {same}, another's {not differs}", same and differs)
    kept, sums = [], True
    for layer in range(LAST + 1):
        pre, attention, dropped, mid = (first[f"blocks.{layer}.{point}"] for point in points)
        sums = sums and np.array_equal(pre + dropped, mid)
        mask = dropped != 0
        sums = sums and np.array_equal(dropped[mask], (attention * KEPT)[mask])
        kept.append(mask.mean())
    findings.check(
        "train mode: kept share, sums to the bit", f"{np.mean(kept):.4f}", sums and abs(np.mean(kept) - 0.9) < 0.01
    )


def check_lens(client, model, findings):
    """Scores of hook_resid_mid against ln_f and the unembedding of Hugging Face's own value of it."""
    ids = np.random.default_rng(4).integers(0, 50257, size=TOKENS).tolist()
    lens = client.pb.HookSelector(hook_point="hook_resid_mid", layers=[6], logit_lens=client.pb.LogitLens(top_k=3))
    scores = client.extract(inputs=[client.pb.Input(token_ids=ids)], hooks=[lens]).scores()
    middle = torch.from_numpy(hugging_face.edited_values(model, ids)["blocks.6.hook_resid_mid"])
    with torch.inference_mode():
        logits = model.lm_head(model.transformer.ln_f(middle))
    worst = max(abs(score.value - float(logits[score.position, score.token_id])) for score in scores)
    best = {(score.position, score.token_id) for score in scores if score.rank == 0}
    agree = sum((position, int(logits[position].argmax())) in best for position in range(TOKENS))
    findings.at_most(f"logit lens, {len(scores)} scores", worst, TOLERANCE)
    findings.check("logit lens: likeliest tokens", f"{agree} of {TOKENS}", agree == TOKENS)


def check_continuations(client, model, findings):
    asked = [client.pb.Input(token_ids=ids) for ids in PROMPTS]
    found = client.extract(inputs=asked, hook_points=["hook_embed"], max_new_tokens=NEW_TOKENS).inputs
    same = 0
    for prompt, info in zip(PROMPTS, found, strict=True):
        expected, _ = hugging_face.generated(model, prompt, NEW_TOKENS)
        same += list(info.token_ids) == prompt + expected
    findings.check("greedy continuations, Hugging Face's ids", f"{same} of {len(PROMPTS)}", same == len(PROMPTS))


def run(setting, findings):
    client = setting.client(setting.server(DEFAULT))
    model = setting.hugging_face(DEFAULT, attention=hugging_face.TRACED)
    check_edits(client, model, findings)
    check_dropout(client, findings)
    check_lens(client, model, findings)
    check_continuations(client, setting.hugging_face(DEFAULT, attention="sdpa"), findings)
