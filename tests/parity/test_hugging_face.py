"""Every hook point against Hugging Face transformers, on the same checkpoint, in the same run.

Hugging Face's values come from module hooks, output_hidden_states and output_attentions (hugging_face.py), in eval
mode, float32 and eager attention. The largest difference of each kind of point, as a share of the tensor's largest
value, is printed at the end and must not exceed the tolerance (points.py).
"""

import collections

import hugging_face
import numpy as np
import points
import pytest
import transformers
from checkpoints import FP16_ON_DISK, N_INNER_100
from conftest import DEFAULT_MODEL, FIGURES, Server

CHECKPOINTS = {
    "default": None,
    "124M": ["--preset", "gpt2"],
    "n_inner 100": N_INNER_100,
    "untied, inverse layer scale": [
        *["--n-layer", "4", "--n-embd", "48", "--n-head", "3", "--n-positions", "96", "--untied", "--init-std", "0.15"],
        *["--scale-attn-by-inverse-layer-idx", "--reorder-and-upcast-attn", "--no-prefix", "--old-buffers"],
    ],
    "relu, unscaled, sharded": [
        *["--n-layer", "2", "--n-embd", "132", "--n-head", "11", "--n-positions", "64", "--activation", "relu"],
        *["--no-scale-attn-weights", "--shards", "3", "--layer-norm-epsilon", "1e-3", "--init-std", "0.05"],
    ],
    "one block, erf gelu": "--n-layer 1 --n-embd 20 --n-head 1 --n-inner 260 --activation gelu --init-std 0.3".split(),
    "fp16 on disk": FP16_ON_DISK,
    "bf16 on disk": "--n-layer 2 --n-embd 64 --n-head 4 --n-positions 256 --dtype bfloat16".split(),
}


def inputs_for(context):
    """Six inputs, from one token to the full context."""
    random = np.random.default_rng(0)
    sentence = "Plants make fantastic pets because they don't leave a mess after you feed them."
    return [
        {"text": "hello"},
        {"text": sentence if context > 20 else "Plants"},
        {"raw_text": "Ünïcödé 🐋 <|endoftext|>\n\n  ok".encode()},
        {"token_ids": [50256]},
        {"token_ids": random.integers(0, 50257, size=context // 2 + 1).tolist()},
        {"token_ids": random.integers(0, 50257, size=context).tolist()},
    ]


@pytest.fixture(scope="module", params=CHECKPOINTS)
def checkpoint(request):
    return request.param


@pytest.fixture(scope="module")
def served(checkpoint, api, random_checkpoint):
    """Hugging Face's model, a client of a server on the same checkpoint, and every point's name."""
    arguments = CHECKPOINTS[checkpoint]
    directory = DEFAULT_MODEL if arguments is None else random_checkpoint(checkpoint.replace(" ", "_"), *arguments)
    model = hugging_face.load(directory)
    every = sorted(points.expected_values(model, [0]))
    with Server(directory, flags=[points.ROOM]) as server, api.connect(server.address) as client:
        listed = {point.name for point in client.stub.ListHookPoints(api.pb.ListHookPointsRequest()).hook_points}
        assert {points.kind_of(name) for name in every} == listed, "a point is not compared, or not served"
        yield model, client, every


@pytest.fixture(scope="module")
def table():
    rows = []
    yield rows
    FIGURES.append(
        f"Largest difference to Hugging Face transformers {transformers.__version__}, as a share of the tensor's "
        f"largest value (allowed: {points.TOLERANCE:g})"
    )
    FIGURES.append(f"{'checkpoint':28} {'point':42} {'share':>9} {'absolute':>9} {'largest value':>13}")
    FIGURES.extend("{:28} {:42} {:9.1e} {:9.1e} {:13.3g}".format(*row) for row in rows)


def test_every_point_equals_hugging_faces(checkpoint, served, api, table):
    model, client, every = served
    blocks = model.config.n_layer
    worst, absolute, largest = (collections.defaultdict(float) for _ in range(3))
    for fields in inputs_for(model.config.n_positions):
        (info,) = client.extract(inputs=[api.pb.Input(**fields)], hook_points=["hook_embed"], validate_only=True).inputs
        names = points.names_for(every, len(info.token_ids), blocks)
        expected = points.expected_values(model, list(info.token_ids))
        extraction = client.extract(inputs=[api.pb.Input(**fields)], hook_points=names)
        assert len(extraction.tensors) == len(names)
        for tensor, ours in extraction.tensors:
            kind = points.kind_of(tensor.name)
            difference, value = hugging_face.largest_difference(ours, expected[tensor.name])
            absolute[kind], largest[kind] = max(absolute[kind], difference), max(largest[kind], value)
            worst[kind] = max(worst[kind], hugging_face.relative_difference(ours, expected[tensor.name]))
    table.extend((checkpoint, kind, worst[kind], absolute[kind], largest[kind]) for kind in worst)
    assert all(share <= points.allowed_of(kind) for kind, share in worst.items()), dict(worst)


def test_the_rows_layout_holds_the_same_bytes(served, api):
    model, client, every = served
    inputs = [api.pb.Input(**fields) for fields in inputs_for(model.config.n_positions)[:4]]
    names = [name for name in every if points.kind_of(name) not in points.SQUARE]
    by_run = client.extract(inputs=inputs, hook_points=names).by_run()
    rows = client.extract(inputs=inputs, hook_points=names, layout=api.pb.LAYOUT_ROWS)
    assert sorted(info.name for info, _ in rows.tensors) == sorted(names)
    for info, array in rows.tensors:
        parts = [by_run[run][info.name] for run in range(len(inputs))]
        assert list(info.rows) == [len(part) for part in parts]
        assert array.tobytes() == np.concatenate(parts).tobytes(), info.name
