"""Every kind of intervention against the same edit made by PyTorch forward hooks on Hugging Face's model.

Each request runs two clean inputs and one run for each edit, and captures every point of every run. Upstream of the
edit a run's bytes are the clean run's; at the edited point and downstream its values are Hugging Face's.
"""

import hugging_face
import numpy as np
import pytest
from checkpoints import FP16_ON_DISK
from conftest import FIGURES, Server
from edits import Edit, is_square
from points import kind_of

TOLERANCE = 1e-4
CHECKPOINT = FP16_ON_DISK
LAYERS = {"first": 0, "middle": 2, "last": 4}
TOKENS = 12
WIDTHS = {"d": 96, "d/H": 48, "f": 384, "s": TOKENS}

# A block's points: what their last dimension is, the units that are edited, and an earlier point of the same shape.
BLOCK_POINTS = {
    "hook_resid_pre": ("d", {}, "hook_embed"),
    "ln1.hook_in": ("d", {}, "blocks.{}.hook_resid_pre"),
    "ln1.hook_out": ("d", {}, "blocks.0.hook_resid_pre"),
    "attn.hook_q": ("d/H", {"heads": (1,)}, None),
    "attn.hook_k": ("d/H", {"heads": (0, 1)}, "blocks.{}.attn.hook_q"),
    "attn.hook_v": ("d/H", {"heads": (0,)}, "blocks.{}.attn.hook_k"),
    "attn.hook_attn_scores": ("s", {"heads": (1,)}, None),
    "attn.hook_softmax": ("s", {"heads": (1,)}, None),
    "attn.hook_pattern": ("s", {"heads": (0,)}, "blocks.0.attn.hook_pattern"),
    "attn.hook_z": ("d/H", {"heads": (1,)}, "blocks.{}.attn.hook_v"),
    "hook_attn_out": ("d", {}, "hook_pos_embed"),
    "attn.hook_resid_dropout": ("d", {}, "blocks.{}.hook_attn_out"),
    "hook_resid_mid": ("d", {}, "blocks.0.hook_resid_mid"),
    "ln2.hook_in": ("d", {}, "blocks.0.ln1.hook_in"),
    "ln2.hook_out": ("d", {}, "blocks.0.ln1.hook_out"),
    "mlp.hook_pre": ("f", {}, None),
    "mlp.hook_post": ("f", {"features": (3, 5, 383)}, "blocks.{}.mlp.hook_pre"),
    "hook_mlp_out": ("d", {"features": (7, 0)}, "blocks.{}.hook_attn_out"),
    "mlp.hook_dropout": ("d", {}, "blocks.0.hook_mlp_out"),
    "hook_resid_post": ("d", {}, "blocks.0.hook_resid_pre"),
}
OUTSIDE_POINTS = {
    "hook_embed": ("d", {}, None),
    "hook_pos_embed": ("d", {}, "hook_embed"),
    "hook_embed_dropout": ("d", {}, "hook_pos_embed"),
    "ln_final.hook_in": ("d", {}, "hook_embed"),
    "ln_final.hook_out": ("d", {}, "hook_embed"),
}


def edits_at(name, width, units, earlier):
    """One edit of each kind."""
    random = np.random.default_rng(5)

    def normal(*shape):
        return random.normal(size=shape).astype(np.float32)

    where, others = (2, 5, 9), (8, 1, 3)
    heads = len(units.get("heads", ())) or (2 if width == "d/H" or is_square(name) else 0)
    last = len(units.get("features", ())) or WIDTHS[width]
    whole = (heads, 3, last) if is_square(name) else (3, heads, last) if heads else (3, last)
    vector = (heads, 1, last) if is_square(name) else (heads, last) if heads else (last,)

    def selected(*operation):
        return Edit(name, where, *operation, **units)

    yield from (selected("zero"), selected("scale", -1.5))
    yield from (selected("add", 0.25), selected("add", normal(*vector)), selected("add", normal(*whole)))
    yield from (selected("set", 0.125), selected("set", normal(*vector)), selected("set", normal(*whole)))
    yield selected("patch", (1, name, where))
    yield selected("patch", (1, name, others))
    if earlier:
        yield selected("patch", (1, earlier, where))
        yield selected("patch", (0, earlier, others))
    if not name.endswith("scores"):  # no direction in a row, nor mean over rows, with masked elements of -inf
        yield Edit(name, where, "project_out", normal(WIDTHS[width]), heads=units.get("heads", ()))
        yield selected("position_mean")


def places(points):
    """(name, ordinal of the layer) of each place to edit, with its edits."""
    for name, form in OUTSIDE_POINTS.items():
        yield pytest.param(name, form, id=name)
    for which, layer in LAYERS.items():
        for point, (width, units, earlier) in points.items():
            name = f"blocks.{layer}.{point}"
            source = earlier.format(layer) if earlier else None
            yield pytest.param(name, (width, units, None if source == name else source), id=f"{which} {point}")


class Bench:
    """A server and Hugging Face's model on one checkpoint, and two inputs."""

    def __init__(self, client, model):
        self.client, self.pb, self.model = client, client.pb, model
        random = np.random.default_rng(1)
        self.inputs = [random.integers(0, 50257, size=TOKENS).tolist() for _ in range(2)]
        self.names = [name for name in hugging_face.edited_values(model, [0]) if name != "logits"]
        self.clean = [hugging_face.edited_values(model, ids) for ids in self.inputs]
        self.points = [p.name for p in client.stub.ListHookPoints(self.pb.ListHookPointsRequest()).hook_points]

    def run(self, edit_lists):
        """{run: {name: array}}: the clean runs, then input 0 with each list of edits. Logits: the last position's."""
        pb = self.pb
        runs = [pb.Run(input=0), pb.Run(input=1)]
        runs += [pb.Run(input=0, interventions=[edit.message(pb) for edit in edits]) for edits in edit_lists]
        logits = pb.HookSelector(hook_point="logits", positions=pb.Positions(at=[-1]))
        inputs = [pb.Input(token_ids=ids) for ids in self.inputs]
        return self.client.extract(inputs=inputs, runs=runs, hook_points=self.names, hooks=[logits]).by_run()

    def expected(self, edits, sources=None):
        hooks = [edit.hook(sources or self.clean) for edit in edits]
        values = hugging_face.edited_values(self.model, self.inputs[0], hooks)
        return {**values, "logits": values["logits"][-1:]}

    def order(self, name):
        """A key that sorts points as a forward pass computes them; hidden_states[I] with what enters block I."""
        blocks = self.model.config.n_layer
        if name.startswith("hidden_states."):
            layer = int(name.partition(".")[2])
            return self.order("ln_final.hook_out" if layer == blocks else f"blocks.{layer}.hook_resid_pre")
        layer = next((int(part) for part in name.split(".") if part.isdigit()), None)
        if layer is not None:
            return 1, layer, self.points.index(kind_of(name))
        return 0 if "embed" in name else 2, 0, self.points.index(name)


@pytest.fixture(scope="module")
def bench(api, random_checkpoint):
    directory = random_checkpoint("fp16_on_disk", *CHECKPOINT)
    with Server(directory) as server, api.connect(server.address) as client:
        yield Bench(client, hugging_face.load(directory, hugging_face.TRACED))


@pytest.fixture(scope="module")
def worst():
    found = {}
    yield found
    FIGURES.append(f"Largest absolute difference of edited runs to Hugging Face's (allowed: {TOLERANCE:g})")
    FIGURES.extend(f"{kind:20} {difference:.2e}" for kind, difference in found.items())


def check(run, expected, worst, kind):
    for name, value in run.items():
        difference, _ = hugging_face.largest_difference(value, expected[name])
        worst[kind] = max(worst.get(kind, 0), difference)
        assert difference <= TOLERANCE, (kind, name, difference)


@pytest.mark.parametrize("name, form", list(places(BLOCK_POINTS)))
def test_an_edit_does_what_a_hook_on_hugging_faces_model_does(name, form, bench, worst):
    edits = list(edits_at(name, *form))
    runs = bench.run([[edit] for edit in edits])
    upstream = [each for each in runs[0] if bench.order(each) < bench.order(name)]
    for number, edit in enumerate(edits, start=2):
        for each in upstream:
            assert runs[number][each].tobytes() == runs[0][each].tobytes(), (edit, each)
        expected = bench.expected([edit])
        # A patch of a position embedding by the same position's changes nothing.
        differs = expected[name].tobytes() != bench.clean[0][name].tobytes()
        assert (runs[number][name].tobytes() != runs[0][name].tobytes()) == differs, edit
        check(runs[number], expected, worst, edit.operation)


def test_edits_are_made_in_the_order_in_which_they_are_stated(bench, worst):
    name = "blocks.2.hook_mlp_out"
    scale, add = Edit(name, (1, 4), "scale", 3.0), Edit(name, (4, 6), "add", np.linspace(-1, 1, WIDTHS["d"]))
    others = [
        Edit("blocks.4.attn.hook_z", (11,), "zero", heads=(0,)),
        Edit("blocks.0.attn.hook_pattern", (7, 8), "set", 0.2, heads=(1,)),
        Edit("hook_embed", (0,), "patch", (1, "hook_embed", (3,))),
    ]
    orders = [[scale, add, *others], [*others, add, scale]]
    runs = bench.run(orders)
    for run, edits in zip(runs_of(runs, 2), orders, strict=True):
        check(run, bench.expected(edits), worst, "several")
    assert runs[2][name][1].tobytes() == runs[3][name][1].tobytes()
    assert runs[2][name][4].tobytes() != runs[3][name][4].tobytes()


def runs_of(runs, first):
    return [runs[number] for number in sorted(runs) if number >= first]


def test_a_patch_reads_the_edited_value_of_its_source_run(bench, worst):
    name = "blocks.2.hook_resid_mid"
    source = Edit(name, (3, 4), "add", 1.5)
    target = Edit(name, (10, 11), "patch", (2, name, (3, 4)))
    runs = bench.run([[source], [target]])
    assert runs[3][name][[10, 11]].tobytes() == runs[2][name][[3, 4]].tobytes()
    check(runs[3], bench.expected([target], [*bench.clean, bench.expected([source])]), worst, "patch")


def test_a_star_edits_every_layer(bench, worst):
    pb = bench.pb
    edit = pb.Intervention(hook_point="blocks.*.hook_mlp_out", positions=pb.Positions(slice=":"), zero=pb.Zero())
    backwards, layers = pb.Positions(slice="::-1"), [0, 1, 2, 3, -1]
    named = pb.Intervention(hook_point="mlp.c_proj", layers=layers, positions=backwards, zero=pb.Zero())
    runs = [pb.Run(interventions=[edit]), pb.Run(interventions=[named])]
    inputs = [pb.Input(token_ids=bench.inputs[0])]
    both = bench.client.extract(inputs=inputs, runs=runs, hook_points=bench.names).by_run()
    assert all(both[0][name].tobytes() == both[1][name].tobytes() for name in both[0])
    everywhere = [Edit(f"blocks.{layer}.hook_mlp_out", tuple(range(TOKENS)), "zero") for layer in range(5)]
    check(both[0], bench.expected(everywhere), worst, "zero")
