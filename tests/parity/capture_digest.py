"""Prints a SHA-256 of what a server gives for a fixed set of requests: equal digests, equal bits.

Every hook point, edits, dropout, readouts, continuations and Verify, on the default model and on a random GPT-2 of 124M
parameters. Two versions of the server, two numbers of threads or two machines are compared by their lines:

    capture_digest.py [BUILD_DIRECTORY]        default: $HYDROPHONE_BUILD_DIR, or build

Times, versions and what else differs from run to run without being a number of the model is left out.
"""

import hashlib
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import conftest
from hydrophone_client import tensor

TEXTS = [
    "Plants make fantastic pets because they don't leave a mess after you feed them.",
    "Plants make fantastic pets, says the gardener of the king.",
    "Hello",
]
LONG = [int(token) for token in np.random.default_rng(7).integers(0, 50000, 130)]


def edits(pb, layers, width):
    """A run for each operation, at an early, a middle and the last layer."""
    values = np.random.default_rng(3).normal(size=width)
    first, middle, last = 0, layers // 2, layers - 1
    at = pb.Positions(at=[1, -1])
    everywhere = pb.Positions(slice=":")
    yield pb.Intervention(hook_point="hook_mlp_out", layers=[middle], positions=at, zero=pb.Zero())
    yield pb.Intervention(hook_point="hook_resid_pre", layers=[last], positions=everywhere, scale=0.5)
    yield pb.Intervention(hook_point="hook_attn_out", layers=[first], positions=at, add=tensor(pb, values))
    yield pb.Intervention(hook_point="ln1.hook_out", layers=[middle], positions=at, set=tensor(pb, values))
    yield pb.Intervention(
        hook_point="hook_resid_post", layers=[middle], positions=everywhere, project_out=tensor(pb, values)
    )
    yield pb.Intervention(hook_point="hook_resid_pre", layers=[middle], positions=everywhere, patch=pb.Source(run=0))
    yield pb.Intervention(
        hook_point="mlp.hook_post", layers=[first], positions=everywhere, position_mean=pb.PositionMean()
    )
    yield pb.Intervention(
        hook_point="attn.hook_z", layers=[last], positions=at, units=pb.Units(heads=[0, 2]), zero=pb.Zero()
    )
    yield pb.Intervention(
        hook_point="attn.hook_pattern", layers=[middle], positions=at, units=pb.Units(heads=[1]), scale=0.25
    )


def requests(client):
    """(name, ExtractRequest fields) of everything that is digested."""
    pb = client.pb
    model = client.model().model
    width, layers = model.n_embd, model.n_layer
    listed = client.stub.ListHookPoints(pb.ListHookPointsRequest()).hook_points
    names = [point.name for point in listed]
    hooks = [pb.HookSelector(hook_point=name.replace("L", "*")) for name in names]
    few = ["hidden_states", "attn.c_proj", "mlp.c_proj", "logits"]
    yield "every point", {"texts": TEXTS, "hooks": hooks}
    yield "a long input", {"inputs": [pb.Input(token_ids=LONG)], "hook_points": [n for n in few if n != "logits"]}
    runs = [pb.Run(input=0), pb.Run(input=1)]
    for edit in edits(pb, layers, width):
        runs.append(pb.Run(input=1, interventions=[edit], baseline=1))
    inputs = [pb.Input(token_ids=LONG[:12]), pb.Input(token_ids=LONG[12:24])]
    yield (
        "edits",
        {
            "inputs": inputs,
            "runs": [pb.Run(input=r.input, interventions=r.interventions) for r in runs],
            "hook_points": few,
        },
    )
    metrics = [pb.Metric(logit_diff=pb.LogitDiff(correct=11, wrong=13)), pb.Metric(next_token_loss=pb.NextTokenLoss())]
    yield (
        "edits against a baseline",
        {
            "inputs": inputs,
            "runs": runs,
            "hook_points": ["hidden_states"],
            "metrics": [*metrics, pb.Metric(divergence=pb.Divergence(), runs=range(2, len(runs)))],
        },
    )
    yield "dropout", {"texts": TEXTS[:2], "hooks": hooks, "train_seed": 20}
    vector = tensor(pb, np.random.default_rng(5).normal(size=width))
    yield (
        "readouts",
        {
            "texts": TEXTS,
            "hooks": [
                pb.HookSelector(hook_point="hook_resid_mid", logit_lens=pb.LogitLens(top_k=3, token_ids=[11])),
                pb.HookSelector(hook_point="hook_mlp_out", project=vector),
                pb.HookSelector(hook_point="mlp.hook_pre", reduction=pb.REDUCTION_MEAN, dtype=pb.DTYPE_FLOAT16),
                pb.HookSelector(hook_point="attn.hook_k", reduction=pb.REDUCTION_MAX, dtype=pb.DTYPE_BFLOAT16),
                pb.HookSelector(
                    hook_point="ln2.hook_out",
                    view=pb.VIEW_SUMMARY,
                    summary=pb.SummaryOptions(threshold=1, top_k=4, quantiles=[0.1, 0.99]),
                ),
                pb.HookSelector(hook_point="hook_attn_out", view=pb.VIEW_PREVIEW),
            ],
        },
    )
    yield "rows", {"texts": TEXTS, "hook_points": few, "layout": pb.LAYOUT_ROWS}
    yield "continuation", {"texts": TEXTS[:1], "hook_points": ["hidden_states"], "max_new_tokens": 5}


def digest(extraction):
    """Over the inputs' ids, the tensors' descriptions and bytes, and the values, in the stream's order."""
    sha = hashlib.sha256()
    for info in extraction.inputs:
        sha.update(info.SerializeToString(deterministic=True))
    for info, array in extraction.tensors:
        sha.update(info.SerializeToString(deterministic=True))
        sha.update(array.tobytes())
    for values in sorted(extraction.values, key=lambda each: each.tensor):
        sha.update(values.SerializeToString(deterministic=True))
    sha.update(str((extraction.header.data_bytes, extraction.trailer.nonfinite)).encode())
    return sha.hexdigest()


def verify_digest(client):
    answer = client.stub.Verify(client.pb.VerifyRequest(texts=TEXTS[:2], include_residuals=True), timeout=600)
    answer.ClearField("provenance")
    for check in answer.checks:
        check.ClearField("detail")  # says how busy the server was
    return hashlib.sha256(answer.SerializeToString(deterministic=True)).hexdigest()


def print_digests(api, name, model):
    whole = hashlib.sha256()
    with (
        conftest.Server(
            model, flags=["--max_response_bytes=4000000000", "--response_budget_bytes=4000000000"]
        ) as server,
        api.connect(server.address) as client,
    ):
        for part, fields in requests(client):
            found = digest(client.extract(**fields))
            whole.update(found.encode())
            print(f"{name:8} {part:25} {found[:16]}", flush=True)
        found = verify_digest(client)
        whole.update(found.encode())
        print(f"{name:8} {'Verify':25} {found[:16]}")
        print(f"{name:8} {'all':25} {whole.hexdigest()}  ({client.model().compute.numerics})", flush=True)


def main():
    if len(sys.argv) > 1:
        os.environ["HYDROPHONE_BUILD_DIR"] = str(pathlib.Path(sys.argv[1]).resolve())
    with tempfile.TemporaryDirectory() as scratch:
        generated = pathlib.Path(scratch) / "api"
        generated.mkdir()
        api = conftest.make_api(generated)
        print_digests(api, "default", None)
        checkpoint = pathlib.Path(scratch) / "random"
        command = [sys.executable, str(conftest.RANDOM_CHECKPOINT), str(checkpoint), "--preset", "gpt2"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        print_digests(api, "124M", checkpoint)


if __name__ == "__main__":
    main()
