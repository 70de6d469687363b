"""How far the server's float32 is from float64, beside how far Hugging Face's is, at every point.

The distance is the root mean square of the differences to Hugging Face's model in float64, as a share of the root mean
square of the values, over all layers and inputs. A point at which the server is farther than Hugging Face's own float32
fails. Embeddings are sums of two numbers, which both sides round alike, so they may be as far.
"""

import collections

import hugging_face
import numpy as np
import points
import pytest
import torch
from conftest import DEFAULT_MODEL, FIGURES, Server

CHECKPOINTS = {
    "default": None,
    "124M": ["--preset", "gpt2"],
    "124M, std 0.1": ["--preset", "gpt2", "--init-std", "0.1"],
}
TEXTS = [
    "Plants make fantastic pets because they don't leave a mess after you feed them.",
    "First Citizen: Before we proceed any further, hear me speak. All: Speak, speak. First Citizen: You are all "
    "resolved rather to die than to famish? All: Resolved, resolved. First Citizen: First, you know Caius Marcius is "
    "chief enemy to the people. All: We know it, we know it. First Citizen: Let us kill him.",
    "The quick brown fox jumps over the lazy dog while the rain in Spain stays mainly in the plain, and nobody minds.",
]


class Distances:
    """Of one side from float64, by kind of point."""

    def __init__(self):
        self.squares, self.values = collections.defaultdict(float), collections.defaultdict(float)
        self.furthest = collections.defaultdict(float)

    def see(self, values, exact):
        for name, reference in exact.items():
            finite, kind = np.isfinite(reference), points.kind_of(name)
            difference = values[name].astype(np.float64)[finite] - reference[finite]
            # Each tensor weighs alike, whatever the size of its numbers.
            scale = np.square(reference[finite]).mean()
            self.squares[kind] += np.square(difference).mean() / scale if scale else 0
            self.values[kind] += 1
            largest = np.abs(reference[finite]).max()
            self.furthest[kind] = max(self.furthest[kind], np.abs(difference).max() / largest if largest else 0)

    def of(self, kind):
        return np.sqrt(self.squares[kind] / self.values[kind])


@pytest.fixture(scope="module")
def table():
    rows = []
    yield rows
    FIGURES.append(
        "Distance from float64, root mean square, as a share of the values'; largest difference of a tensor's"
    )
    FIGURES.append(
        f"{'checkpoint':16} {'point':42} {'ours':>9} {'theirs':>9} {'ratio':>6} {'largest':>9} {'theirs':>9}"
    )
    FIGURES.extend("{:16} {:42} {:9.1e} {:9.1e} {:6.2f} {:9.1e} {:9.1e}".format(*row) for row in rows)


@pytest.mark.parametrize("checkpoint", CHECKPOINTS)
def test_no_point_is_farther_from_float64_than_hugging_faces(checkpoint, api, random_checkpoint, table):
    arguments = CHECKPOINTS[checkpoint]
    name = checkpoint.replace(" ", "_").replace(",", "")
    directory = DEFAULT_MODEL if arguments is None else random_checkpoint(name, *arguments)
    model, exact_model = hugging_face.load(directory), hugging_face.load(directory, dtype=torch.float64)
    ours, theirs = Distances(), Distances()
    names = [
        each
        for each in sorted(points.expected_values(model, [0]))
        if each != "hook_ln_f_residual" and not each.endswith("reconstruction_residual")
    ]
    with Server(directory, flags=[points.ROOM]) as server, api.connect(server.address) as client:
        for text in TEXTS:
            extraction = client.extract(texts=[text], hook_points=names)
            ids = list(extraction.inputs[0].token_ids)
            exact, in_float32 = points.expected_values(exact_model, ids), points.expected_values(model, ids)
            exact = {each: exact[each] for each in names}
            ours.see(extraction.by_run()[0], exact)
            theirs.see(in_float32, exact)
    kinds = sorted(kind for kind in ours.values if theirs.of(kind) or ours.of(kind))
    table.extend(
        (
            *(checkpoint, kind, ours.of(kind), theirs.of(kind), ours.of(kind) / theirs.of(kind)),
            *(ours.furthest[kind], theirs.furthest[kind]),
        )
        for kind in kinds
    )
    assert {kind: (ours.of(kind), theirs.of(kind)) for kind in kinds if ours.of(kind) > theirs.of(kind)} == {}
