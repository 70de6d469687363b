"""Replay: a server proves a saved capture again, or says how it differs."""

import json

import numpy as np
import pytest
from conftest import Server
from python_client import hp
from safetensors import safe_open
from safetensors.numpy import save_file

from hydrophone.replay import __main__ as program

CALLS = {
    "lesson": ("Plants make fantastic pets", {"hooks": ["attn.c_proj", "hidden_states", "attn.hook_attn_scores"]}),
    "many": (
        [f"Text {n}" for n in range(9)],
        {"hooks": ["resid_post", "resid_post"], "layers": [2], "positions": "last"},
    ),
    "rows": ([[1, 2, 3], hp.Text("a", key="k")], {"hooks": "attn.hook_z", "layers": 2, "rows": True}),
    "halves": ("Hello world", {"hooks": [hp.hook("resid_post", dtype="float16"), "mlp_out"], "dtype": "bfloat16"}),
    "edits": (["a", "b"], {"hooks": "logits", "edits": hp.add("resid_pre", np.ones(64), layers=3, positions="last")}),
    "runs": ("a b", {"hooks": "logits", "runs": [hp.run(0, key="x"), hp.run(0, hp.patch("mlp_out", "x", layers=1))]}),
    "dropout": ("Hello", {"hooks": "resid_post", "layers": -1, "train_seeds": [1, 2]}),
    "generated": ("Hello", {"hooks": "resid_post", "layers": -1, "max_new_tokens": 3}),
    "skipped": (["a", ""], {"hooks": "resid_post", "layers": -1, "skip_bad_inputs": True}),
    "preconditions": ("a", {"hooks": "logits", "model": "hydrophone-gpt2-tiny", "numerics": "contract=2"}),
}


@pytest.fixture(scope="module")
def ask(server):
    with hp.Client(server.address, progress=False) as client:
        yield client


@pytest.fixture(scope="module")
def saved(ask, tmp_path_factory):
    return ask.extract("Hello world", ["resid_post", "attn.hook_attn_scores"], layers=[2]).save(
        tmp_path_factory.mktemp("saved") / "x.safetensors"
    )


def changed(path, to, provenance=(), arrays=(), without=()):
    """A saved file with other metadata and arrays."""
    with safe_open(path, framework="numpy") as file:
        metadata, kept = file.metadata(), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    where = {**json.loads(metadata["hydrophone.provenance"]), **dict(provenance)}
    metadata["hydrophone.provenance"] = json.dumps(where)
    metadata = {name: value for name, value in metadata.items() if name not in without}
    save_file({**kept, **dict(arrays)}, to, metadata=metadata)
    return to


@pytest.mark.parametrize("call", CALLS)
def test_the_same_server_gives_every_bit_again(ask, tmp_path, call):
    inputs, options = CALLS[call]
    result = ask.extract(inputs, **options)
    proof = hp.replay(result.save(tmp_path / "x.safetensors"), ask)
    assert proof and proof.tokens_equal and all(each.bitwise for each in proof.arrays)
    assert len(proof.arrays) == len(result.captures)


def test_a_part_of_a_result_and_one_that_was_loaded_are_replayed_too(ask, tmp_path):
    result = ask.extract(["a b", "c"], ["resid_post", "mlp_out"], layers=[1, 2])
    part = result.select("mlp_out", input=1).save(tmp_path / "part.safetensors")
    again = hp.load(part).save(tmp_path / "again.safetensors")
    for path in (part, again):
        proof = hp.replay(path, ask)
        assert proof and [each.name for each in proof.arrays] == [
            "blocks.1.hook_mlp_out.input1",
            "blocks.2.hook_mlp_out.input1",
        ]


def test_a_server_of_small_limits_gives_the_same(ask, tmp_path):
    path = ask.extract([f"Text {n}" for n in range(9)], "resid_post", rows=True).save(tmp_path / "x.safetensors")
    with Server(flags=["--max_inputs_per_request=2"]) as small, hp.Client(small.address, progress=False) as client:
        assert hp.replay(path, client)


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["--layout", "per-run"],
        ["--train-seed", "3"],
        ["--layout", "per-run", "--edit", "z@2 zero", "--no-baseline"],
    ],
)
def test_files_of_the_command_line_are_replayed(ask, hydrophone, tmp_path, options):
    path = tmp_path / "x.safetensors"
    hooks = ["--hook", "resid_post", "--hook", "mlp_out", "--layers", "3"]
    hydrophone("extract", "Hello world", "Hi", *hooks, *options, "--out", path)
    proof = hp.replay(path, ask)
    assert proof and len(proof.arrays) == (4 if "per-run" in options else 2)


@pytest.mark.parametrize(
    "name, change, numerics, passed",
    [
        ("blocks.2.hook_resid_post.input0", 0, "contract=2", True),
        ("blocks.2.hook_resid_post.input0", 4e-6, "contract=2", False),
        ("blocks.2.hook_resid_post.input0", 4e-6, "other", True),
        ("blocks.2.hook_resid_post.input0", 6e-6, "other", False),
        ("blocks.2.attn.hook_attn_scores.input0", 18e-6, "other", True),
        ("blocks.2.attn.hook_attn_scores.input0", 22e-6, "other", False),
    ],
)
def test_bits_count_where_numerics_are_equal_and_nearness_elsewhere(
    ask, saved, tmp_path, name, change, numerics, passed
):
    with safe_open(saved, framework="numpy") as file:
        array = file.get_tensor(name)
    largest = np.abs(array[np.isfinite(array)]).max()
    array = array + np.float32(change * largest)
    path = changed(saved, tmp_path / "x.safetensors", {"numerics": numerics}, {name: array})
    proof = hp.replay(path, ask)
    assert bool(proof) == passed
    [other] = [each for each in proof.arrays if each.name == name]
    assert other.bitwise == (change == 0) and other.distance == pytest.approx(change, rel=0.1)
    assert f"numerics {numerics!r}" in repr(proof) and ("FAILED" in repr(proof)) != passed
    assert (name in repr(proof)) == (change > 0)


def test_other_shapes_names_and_tokens_fail(ask, saved, tmp_path):
    name = "blocks.2.hook_resid_post.input0"
    for arrays, said in (
        ({name: np.zeros((1, 64), dtype=np.float32)}, "inf of its largest value"),
        ({"blocks.9.hook_resid_post.input0": np.zeros((2, 64), dtype=np.float32)}, "blocks.9.hook_resid_post"),
        ({"token_ids": np.array([1, 2])}, "other tokens"),
    ):
        proof = hp.replay(changed(saved, tmp_path / "x.safetensors", arrays=arrays), ask)
        assert not proof and said in repr(proof)


def test_another_model_is_told_by_its_digest(ask, saved, tmp_path):
    path = changed(saved, tmp_path / "x.safetensors", {"weights_sha256": "0123abcd", "model": "mine"})
    with pytest.raises(
        hp.Precondition, match="captured from another model: mine, weights 0123abcd; the server has hydro"
    ):
        hp.replay(path, ask)


def test_files_that_cannot_be_replayed_say_why(ask, saved, tmp_path):
    for name in ("hydrophone.request", "hydrophone.provenance"):
        with pytest.raises(hp.InvalidArgument, match="holds no request that could be made again: it was not saved"):
            hp.replay(changed(saved, tmp_path / "x.safetensors", without=[name]), ask)
    (tmp_path / "y.safetensors").write_text("no such file")
    with pytest.raises(hp.InvalidArgument, match="path: .* is no .safetensors file"):
        hp.replay(tmp_path / "y.safetensors", ask)
    with pytest.raises(FileNotFoundError):
        hp.replay(tmp_path / "none", ask)


def test_a_request_too_long_for_a_header_is_left_out_and_said_so(ask, tmp_path, monkeypatch):
    from hydrophone.results import files

    monkeypatch.setattr(files, "_MOST_REQUEST_BYTES", 100)
    path = ask.extract(["Hello world"] * 3, "resid_post", layers=1).save(tmp_path / "x.safetensors")
    assert hp.load(path).request is None
    with pytest.raises(hp.InvalidArgument, match="3 inputs are left out"):
        hp.replay(path, ask)


def test_the_program_says_it_and_exits_by_it(server, saved, tmp_path, capsys, monkeypatch):
    assert program.main([str(saved), "--server", server.address]) == 0
    assert "passed: 2 of 2 arrays have equal bits" in capsys.readouterr().out
    zeros = {"blocks.2.hook_resid_post.input0": np.zeros((2, 64), dtype=np.float32)}
    bad = changed(saved, tmp_path / "bad.safetensors", arrays=zeros)
    assert program.main([str(bad), "--server", server.address]) == 1
    assert "FAILED: 1 of 2" in capsys.readouterr().out
    assert program.main([str(tmp_path / "none"), "--server", server.address]) == 1
    error = capsys.readouterr().err
    assert error.startswith("hydrophone.replay: ") and error.count("\n") == 1
    monkeypatch.setenv("HYDROPHONE_SERVER", server.address)
    assert hp.replay(saved), "without a client, the environment names the server"
