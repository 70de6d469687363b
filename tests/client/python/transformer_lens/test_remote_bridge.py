"""A server's bridge beside TransformerLens's bridge of the same checkpoint: every hook, every edit, losses, padding."""

import contextlib

import numpy as np
import pytest
import torch
from bridges import TOLERANCE, local_bridge, remote_bridge, share
from conftest import FIGURES

from hydrophone.transformer_lens import names

TEXT = "Plants make fantastic pets"
SWITCHES = ("use_attn_result", "use_hook_mlp_in", "use_attn_in", "use_split_qkv_input")
LAYER = 1
# What the local bridge leaves out when a switch makes it compute otherwise.
NOT_PASSED = {
    "use_attn_result": ("o.hook_out",),
    "use_attn_in": ("q.hook_in", "k.hook_in", "v.hook_in"),
    "use_split_qkv_input": ("q.hook_in", "k.hook_in", "v.hook_in"),
}


@pytest.fixture(scope="module")
def local():
    with local_bridge() as bridge:
        yield bridge


@pytest.fixture(scope="module")
def remote(server):
    with remote_bridge(server) as bridge:
        yield bridge


@pytest.fixture(scope="module")
def tokens(local):
    return local.to_tokens(TEXT)


def switched(bridge, switches, value):
    for switch in switches:
        getattr(bridge, f"set_{switch}")(value)


def comparable(name, got, expected):
    """Both without the scores that the causal mask hides, where the local bridge has float32's smallest number."""
    if name.endswith("hook_attn_scores"):
        hidden = torch.isneginf(got)
        assert bool((expected[hidden] < -1e38).all()) and int(hidden.sum()) == int((expected < -1e38).sum())
        return got.masked_fill(hidden, 0), expected.masked_fill(hidden, 0)
    return got, expected


def test_it_boots_from_the_server_alone(local, remote):
    from transformer_lens.model_bridge.driver_protocol import Driver, validate_driver

    validate_driver(remote.driver, after_bridge_construction=True)
    assert isinstance(remote.driver, Driver) and remote.driver.supports("weight_access")
    ours, theirs = vars(remote.cfg), vars(local.cfg)
    assert {name for name in theirs if ours[name] != theirs[name]} <= {"device", "model_name"}


def test_every_hook_of_the_local_bridge_is_there(local, remote):
    theirs = {point.name for point in local.hook_dict.values()}
    assert set(remote.driver.hooks) == theirs and not remote.driver.non_fireable_hook_points
    assert remote.hook_dict.keys() == local.hook_dict.keys()
    assert {name: point.name for name, point in remote.hook_dict.items()} == {
        name: point.name for name, point in local.hook_dict.items()
    }


@pytest.mark.parametrize("on", [(), SWITCHES[:2], SWITCHES[2:3], SWITCHES[3:]], ids=lambda on: "+".join(on) or "plain")
def test_every_activation_is_that_of_the_local_bridge(local, remote, on):
    for bridge in (local, remote):
        switched(bridge, on, True)
    try:
        (logits, theirs), (made, ours) = (bridge.run_with_cache(TEXT) for bridge in (local, remote))
    finally:
        for bridge in (local, remote):
            switched(bridge, on, False)
    only_here = {name.partition(".attn.")[2] for name in ours.keys() - theirs.keys()}
    assert only_here == {"qkv.hook_in", "qkv.hook_out"}.union(*(NOT_PASSED.get(switch, ()) for switch in on))
    if not on:
        assert [name for name in ours if name in theirs] == list(theirs), "in the order of a forward pass"
    worst = {name: share(*comparable(name, ours[name], theirs[name])) for name in theirs}
    worst["logits"] = share(made, logits)
    FIGURES.append(f"Activations of a remote bridge, {len(worst)} names: worst {max(worst.values()):.2e}")
    assert max(worst.values()) <= TOLERANCE, {name: value for name, value in worst.items() if value > TOLERANCE}
    assert all(ours[name].dtype == theirs[name].dtype for name in theirs)


def test_the_fused_projection_is_its_parts(remote):
    _, cache = remote.run_with_cache(TEXT)
    parts = [cache[f"blocks.2.attn.hook_{part}"].flatten(2) for part in "qkv"]
    assert torch.equal(cache["blocks.2.attn.qkv.hook_out"], torch.cat(parts, dim=2))


class Edits:
    """Every declared edit of a hook, and the functions that make them in the local bridge."""

    def __init__(self, name, place, length):
        self.square, self.length = place.is_square, length
        shape = tuple(size or length for size in place.shape)
        random = np.random.default_rng(len(name))
        self.whole = random.normal(size=shape).astype(np.float32)
        self.vector = random.normal(size=shape[-1:] if self.square else shape[1:]).astype(np.float32)

    def all(self):
        vector, whole = torch.from_numpy(self.vector), torch.from_numpy(self.whole)
        yield {"op": "suppress"}, lambda value: value * 0
        yield {"op": "scale", "factor": 0.5}, lambda value: value * 0.5
        yield {"op": "add", "value": vector}, lambda value: value + vector
        yield {"op": "add", "value": whole[None]}, lambda value: value + whole
        yield {"op": "set", "value": self.whole}, lambda value: whole
        yield {"op": "suppress", "pos": 2}, self.at([2], lambda value: value * 0)
        yield {"op": "scale", "factor": -0.5, "pos": [1, -1]}, self.at([1, -1], lambda value: value * -0.5)
        yield {"op": "add", "value": vector, "pos": [0, 3]}, self.at([0, 3], lambda value: value + vector)
        yield {"op": "set", "value": 0.25, "pos": -2}, self.at([-2], lambda value: value * 0 + 0.25)

    def at(self, positions, change):
        where = (slice(None), positions) if self.square else (positions,)

        def visit(value):
            changed = value.clone()
            changed[where] = change(value)[where]
            return changed

        return visit

    def hook(self, values, hook):
        """Makes the edits, one in each row. What the causal mask hides stays hidden, as on the server."""
        changed = values.clone()
        visible = torch.ones(self.length, self.length).tril().bool()
        for row, (_, change) in enumerate(self.all()):
            made = change(values[row])
            changed[row] = torch.where(visible, made, values[row]) if self.square else made
        return changed


def edited_hooks(bridge):
    """Those of one block and of no block. The local bridge's own computation does not pass the fused projection."""
    for name, place in bridge.driver.places.items():
        if place.editable and ".qkv." not in name and (not name.startswith("blocks.") or f".{LAYER}." in name):
            yield name, place


@contextlib.contextmanager
def passed(bridges, name):
    """Bridges that pass the hook, which may depend on a switch."""
    switch = names.gate(name)
    for bridge in bridges:
        switched(bridge, [switch] if switch else [], True)
    yield
    for bridge in bridges:
        switched(bridge, [switch] if switch else [], False)


def test_every_edit_is_that_of_the_local_bridge(local, remote, tokens):
    worst, effects, beyond, tokens = [], {}, [], tokens[:, :5]
    clean = local(tokens)[0]
    for name, place in edited_hooks(remote):
        edits = Edits(name, place, tokens.shape[1])
        specifications = [specification for specification, _ in edits.all()]
        batch = tokens.repeat(len(specifications), 1)
        with passed((local, remote), name):
            theirs = local.run_with_hooks(batch, fwd_hooks=[(name, edits.hook)])
            for row, specification in enumerate(specifications):
                ours = remote.driver.forward(tokens, intervene={name: specification}).logits[0]
                worst.append(share(ours, theirs[row]))
                effects[name] = effects.get(name, 0) + (share(theirs[row], clean) > 100 * TOLERANCE)
                if worst[-1] > TOLERANCE:
                    beyond.append((name, edits, row, ours))
    # A LayerNorm does not see a factor, nor softmax what is added to all of a query's scores.
    assert min(effects.values()) >= 6, effects
    FIGURES.append(f"Logits after {len(worst)} declared edits: worst {max(worst):.2e} of the largest")
    assert len(worst) > 250 and len(beyond) <= 1, [(name, row) for name, _, row, _ in beyond]
    # A stream of zeros: LayerNorm divides by the root of its epsilon, and both are as far from float64 as allowed.
    with local_bridge(dtype=torch.float64) as exact:
        for name, edits, row, ours in beyond:
            batch = tokens.repeat(len(list(edits.all())), 1)
            assert share(ours, exact.run_with_hooks(batch, fwd_hooks=[(name, edits.hook)])[row]) <= TOLERANCE
