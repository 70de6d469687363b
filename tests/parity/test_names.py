"""Every name of every hook point means the same place here, in Hugging Face's model and in TransformerLens's bridge.

A capture alone does not show that: a branch and the stream that it leaves have one value. So the same random addition
is made by the same name there and here, and must change the logits alike.

The tolerances are relative to the largest magnitude of what is compared. Additions of size 1 make logits of size 10 out
of sums over all blocks, each off by a few 1e-6; a wrong place moves them by 1e-2 and more.
"""

import os
import subprocess
import sys

import hugging_face
import numpy as np
import pytest
import torch
from conftest import DEFAULT_MODEL, FIGURES, ROOT, Server, cache_directory
from edits import is_square
from hydrophone_client import tensor

TOLERANCE = 2e-5
IDS = [464, 2068, 7586, 21831, 11687, 625, 262, 16931, 3290, 50256, 13, 198, 198]
POSITIONS = [3, 12]
LAYER = 1


class Bench:
    """A server of the default model, and what it says of its hook points: {name at LAYER: (point, shape)}."""

    def __init__(self, client):
        self.client, self.pb, self.points, self.listed = client, client.pb, {}, {}
        for point in client.stub.ListHookPoints(self.pb.ListHookPointsRequest()).hook_points:
            shape = tuple(size or len(IDS) for size in point.shape)
            for name in dict.fromkeys([point.name, point.hugging_face_name, *point.aliases]):
                if name:
                    self.listed[name] = point
                    self.points[name.replace("L", str(LAYER))] = (point, shape)

    def additions(self, names):
        """{name: [s, ...]}, zero but for POSITIONS (of scores and patterns: queries)."""
        random, made = np.random.default_rng(3), {}
        for name in names:
            _, shape = self.points[name]
            addition = np.zeros(shape, np.float32)
            where = (slice(None), POSITIONS) if is_square(name) else (POSITIONS,)
            addition[where] = random.normal(size=addition[where].shape)
            made[name] = np.tril(addition) if is_square(name) else addition
        return made

    def edited(self, additions):
        """{name: the last position's logits with the addition made at the name}, [1, V]."""
        pb, runs = self.pb, []
        for name, addition in additions.items():
            edit = pb.Intervention(hook_point=name, positions=pb.Positions(at=POSITIONS))
            edit.add.CopyFrom(tensor(pb, addition[:, POSITIONS] if is_square(name) else addition[POSITIONS]))
            runs.append(pb.Run(interventions=[edit]))
        logits = pb.HookSelector(hook_point="logits", positions=pb.Positions(at=[-1]))
        made = self.client.extract(inputs=[pb.Input(token_ids=IDS)], runs=runs, hooks=[logits])
        return {name: values["logits"] for name, values in zip(additions, made.by_run().values(), strict=True)}

    def captured(self, names):
        made = self.client.extract(inputs=[self.pb.Input(token_ids=IDS)], hook_points=list(names))
        return {names[info.selector]: value for info, value in made.tensors}

    def editable(self, starts):
        return [name for name, (point, _) in self.points.items() if point.editable and name.startswith(starts)]


@pytest.fixture(scope="module")
def bench(api):
    with Server(DEFAULT_MODEL) as server, api.connect(server.address) as client:
        yield Bench(client)


@pytest.fixture(scope="module")
def model():
    return hugging_face.load(DEFAULT_MODEL)


def hooked(model, name, visit):
    """The last position's logits, with what the module's name names replaced by visit(it), as a user's hook does it."""
    path = name.removesuffix(".input")
    module = model.get_submodule(path)

    def output(_module, _inputs, out):
        if isinstance(out, tuple):
            return (visit(out[0]), *out[1:])
        return visit(out)

    def inputs(_module, given):
        return (visit(given[0]), *given[1:])

    register = module.register_forward_hook if path == name else module.register_forward_pre_hook
    handle = register(output if path == name else inputs)
    with torch.inference_mode(), hugging_face.one_thread():
        logits = model(torch.tensor([IDS]), use_cache=False).logits[0, -1:].numpy()
    handle.remove()
    return logits


def relative(ours, theirs):
    difference, largest = hugging_face.largest_difference(ours, theirs)
    return difference / largest


MODULES = ("transformer.", "lm_head")

# Here, as in TransformerLens's HookedTransformer, hook_resid_mid is the residual stream: an edit of it reaches all that
# follows. The bridge of version 4 makes it another name of the branch that ln2 reads.
OTHERWISE_IN_THE_BRIDGE = {f"blocks.{LAYER}.hook_resid_mid": f"blocks.{LAYER}.ln2.hook_in"}


def test_an_edit_by_a_name_of_hugging_face_is_the_edit_of_its_hook(bench, model):
    names = bench.editable(MODULES)
    additions = bench.additions(names)
    ours, worst = bench.edited(additions), {}
    clean = hooked(model, "lm_head", lambda value: value)
    for name, addition in additions.items():
        theirs = hooked(model, name, lambda value, addition=addition: value + torch.from_numpy(addition))
        assert relative(theirs, clean) > 100 * TOLERANCE, f"{name}: the addition changes nothing"
        worst[name] = relative(ours[name], theirs)
    FIGURES.append(f"Logits after an addition by {len(names)} names, to Hugging Face: worst {max(worst.values()):.2e}")
    assert max(worst.values()) <= TOLERANCE, worst


def test_a_capture_by_a_name_of_hugging_face_has_the_values_and_the_shape_of_its_hook(bench, model):
    names = [name for name in bench.points if name.startswith(MODULES)]
    ours = bench.captured(names)
    for name in names:
        seen = []
        hooked(model, name, lambda value, seen=seen: seen.append(value.clone()) or value)
        assert relative(ours[name], seen[0][0].numpy()) <= TOLERANCE, name


@pytest.fixture(scope="module")
def bridge(bench, tmp_path_factory):
    """(additions, {"logits NAME", "value NAME"}) of the names that are not Hugging Face's."""
    names = [name for name in bench.points if not name.startswith(MODULES)]
    additions, out = bench.additions(names), tmp_path_factory.mktemp("transformer_lens")
    np.savez(out / "edits.npz", **additions)
    script = ROOT / "tests/parity/transformer_lens_edits.py"
    command = [sys.executable, script, DEFAULT_MODEL, ",".join(map(str, IDS)), out / "edits.npz", out / "made.npz"]
    packages = cache_directory() / "transformer-lens"
    environment = {**os.environ, "PYTHONPATH": str(packages), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(list(map(str, command)), env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return additions, dict(np.load(out / "made.npz"))


def test_an_edit_by_a_name_of_transformer_lens_is_the_edit_of_its_bridge(bench, bridge):
    additions, made = bridge
    names = bench.editable(("blocks.", "hook_", "ln_", "embed", "pos_", "unembed"))
    shared = [name for name in names if f"logits {name}" in made]
    assert len(shared) > 40
    ours = bench.edited({name: additions[name] for name in shared})
    for name, branch in OTHERWISE_IN_THE_BRIDGE.items():
        assert relative(ours[name], made[f"logits {name}"]) > 100 * TOLERANCE
        ours[name] = bench.edited({branch: additions[name]})[branch]
    worst = {name: relative(ours[name], made[f"logits {name}"]) for name in shared}
    FIGURES.append(f"Logits after an addition by {len(shared)} names, to the bridge: worst {max(worst.values()):.2e}")
    assert max(worst.values()) <= TOLERANCE, {name: value for name, value in worst.items() if value > TOLERANCE}


def test_a_capture_by_a_name_of_transformer_lens_is_what_its_hook_sees(bench, bridge):
    _, made = bridge
    names = [key.removeprefix("value ") for key in made if key.startswith("value ")]
    for name, value in bench.captured(names).items():
        theirs = made[f"value {name}"]
        if name.endswith("hook_attn_scores"):  # it masks with float32's smallest number
            theirs[np.isneginf(value)] = -np.inf
        assert relative(value, theirs) <= TOLERANCE, name
