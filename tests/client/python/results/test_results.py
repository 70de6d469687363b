"""Results: found by every name, shown, converted, saved and loaded."""

import builtins
import dataclasses
import errno
import os
import stat
import sys
import tracemalloc

import numpy as np
import pytest
from python_client import hp

from hydrophone.files import whole_file
from hydrophone.results.result import readable

TEXTS = ["Hello world", "Goodbye"]


@pytest.fixture(scope="module")
def ask(server):
    with hp.Client(server.address, progress=False) as client:
        yield client


@pytest.fixture(scope="module")
def one(ask):
    return ask.extract("Hello world", ["attn.c_proj", "hidden_states", "ln_final.hook_scale"])


@pytest.fixture(scope="module")
def two(ask):
    inputs = [hp.Text(text, key=text.lower()) for text in TEXTS]
    return ask.extract(inputs, ["attn.c_proj", "blocks.3.*"], layers=None)


def test_every_name_of_a_point_finds_it(one):
    array = one["attn.c_proj", 10]
    for name in (
        "blocks.10.hook_attn_out",
        "transformer.h.10.attn.c_proj",
        "h.10.attn.c_proj",
        ("hook_attn_out", 10),
        ("attn_out", 10),
        ("c_proj", 10),
        ("attn.c_proj", -2),
        ("attn.c_proj", 10, 0),
    ):
        assert np.shares_memory(one[name], array), name
    assert np.shares_memory(one["hidden_states", -1], one["hidden_states", 12])
    assert one["ln_final.hook_scale"].shape == (2, 1)


def test_indexing_copies_nothing(one):
    assert one["attn.c_proj", 10] is one["attn.c_proj", 10]
    one["attn.c_proj", 9][:] = 0
    assert not one["attn.c_proj", 9].any()


def test_what_is_not_there_or_not_clear_says_what_is(one, two):
    with pytest.raises(KeyError, match=r"r\['mlp_out'\]: there is no such array; there are .*'attn.c_proj'"):
        one["mlp_out"]
    with pytest.raises(KeyError, match=r"means 12 captures, of layers \[0, 1, .*say which"):
        one["attn.c_proj"]
    with pytest.raises(KeyError, match=r"means 2 captures, of runs \[0, 1\]"):
        two["attn.c_proj", 4]
    with pytest.raises(KeyError, match="expected one of"):
        two["attn.c_proj", 4, "nobody"]
    with pytest.raises(KeyError, match="got run 5"):
        two["attn.c_proj", 4, 5]
    with pytest.raises(KeyError, match="no such Summary"):
        one.summary("attn.c_proj", 3)
    with pytest.raises(TypeError, match="came as str"):
        _ = hp.Capture("a", "a", "", 0, 0, (0,), (), None, False, "text").array


def test_inputs_runs_and_parts(two):
    assert two["attn.c_proj", 4, "goodbye"].shape[0] == len(two.tokens[1])
    assert [each.shape[0] for each in two.all("attn.c_proj", 4)] == [len(tokens) for tokens in two.tokens]
    assert {capture.runs for capture in two.select(input="goodbye").captures} == {(1,)}
    assert {capture.layer for capture in two.select(layer=3).captures} == {3}
    assert {capture.asked for capture in two.select("blocks.3.*").captures} == {"blocks.3.*"}
    assert two.select(run=0).stack("attn.c_proj").shape == (12, 2, 64)


def test_tokens_are_text(ask):
    r = ask.extract("Hello\nworld", "hook_embed")
    assert r.tokens == [["Hello", "\n", "world"]] and r.token_ids[0].dtype == np.int64
    assert readable("\u0120caf\u00c3\u00a9") == " caf\u00e9"
    assert readable("\u00c3") == "\u00c3", "half a character is no text, and stays as the vocabulary writes it"
    assert readable("[PAD] \u4e16") == "[PAD] \u4e16"


def test_a_result_shows_what_is_there(one, two):
    text = repr(one)
    assert "1 inputs, 1 runs" in text and "2 tokens: 'Hello world'" in text
    assert "attn.c_proj: layers 0-11, 12 x float32 [2, 64]" in text
    assert "hidden_states: layers 0-12, 13 x" in text and "ln_final.hook_scale: 1 x float32 [2, 1]" in text
    assert "goodbye: " in repr(two)
    html = two._repr_html_()
    assert "<table>" in html and "attn.c_proj" in html


def test_html_is_escaped(ask):
    assert "<script>" not in ask.extract("<script>", "hook_embed")._repr_html_()


def test_torch_shares_memory(one):
    import torch

    tensors = one.to_torch()
    found = tensors["blocks.10.hook_attn_out"]
    assert found.dtype == torch.float32 and np.shares_memory(found.numpy(), one["attn.c_proj", 10])
    assert "ln_final.hook_scale" in tensors and len(tensors) == len(one.captures)


def test_xarray_labels(one, two):
    labelled = one.to_xarray()
    states = labelled["hidden_states"]
    assert states.dims == ("layer", "position", "unit") and states.sizes["layer"] == 13
    np.testing.assert_array_equal(states.sel(layer=12), one["hidden_states", 12])
    assert states["token"].values.tolist() == ["Hello", " world"]
    assert {"attn.c_proj.run0", "attn.c_proj.run1"} < set(two.to_xarray())


def test_patterns_and_heads_have_their_own_dimensions(ask):
    made = ask.extract("Hello world", ["attn.hook_z", "attn.hook_pattern"], layers=[0, 1]).to_xarray()
    assert made["attn.hook_z"].dims == ("layer", "position", "head", "unit")
    assert made["attn.hook_pattern"].dims == ("layer", "head", "query", "key")


@pytest.mark.parametrize("rows", [False, True])
def test_what_is_saved_is_loaded(ask, tmp_path, rows):
    hooks = ["attn.c_proj", hp.hook("attn.hook_z", layers=2, dtype="float16")]
    r = ask.extract(TEXTS, hooks, layers=[0, 2], rows=rows)
    again = hp.load(r.save(tmp_path / "x.safetensors"))
    assert (again.inputs, again.runs, again.provenance) == (r.inputs, r.runs, r.provenance)
    for name, layer in (("attn.c_proj", 0), ("attn.c_proj", 2), ("attn.hook_z", 2)):
        for run in [None] if rows else [0, 1]:
            before, after = r[name, layer, run], again[name, layer, run]
            assert before.dtype == after.dtype and before.tobytes() == after.tobytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.safetensors"]


def test_a_saved_file_has_the_names_of_the_command_line(ask, hydrophone, tmp_path):
    import safetensors

    hydrophone("extract", "--hook", "attn.c_proj@0", "--layout", "per-run", "--out", tmp_path / "a.safetensors", *TEXTS)
    ask.extract(TEXTS, "attn.c_proj", layers=0).save(tmp_path / "b.safetensors")
    with (
        safetensors.safe_open(tmp_path / "a.safetensors", "numpy") as theirs,
        safetensors.safe_open(tmp_path / "b.safetensors", "numpy") as ours,
    ):
        assert set(theirs.keys()) == set(ours.keys())
        for name in list(theirs.keys()):
            np.testing.assert_array_equal(theirs.get_tensor(name), ours.get_tensor(name))


def test_a_saved_file_is_there_whole_or_not_at_all(one, tmp_path, monkeypatch):
    """It has the umask's mode, and the old file is there until the new one is on the disk."""
    path = tmp_path / "x.safetensors"
    before = os.umask(0o022)
    try:
        one.save(path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    old = path.read_bytes()
    (tmp_path / f".x.safetensors{whole_file.this_process()}.partial").symlink_to("/dev/full")
    with pytest.raises(hp.DiskFull, match="there is no room for .*x.safetensors"):
        one.save(path)
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(errno.EIO, "disk")))
    with pytest.raises(OSError, match="disk"):
        one.save(path)
    assert path.read_bytes() == old and os.listdir(tmp_path) == [path.name]


def test_arrays_are_saved_from_their_own_memory(one, tmp_path):
    """Saving asks for no second copy of them."""
    large = np.ones((1 << 10, 1 << 10), dtype=np.float32)
    captures = tuple(dataclasses.replace(each, value=large) for each in one.captures[:2])
    tracemalloc.start()
    try:
        dataclasses.replace(one, captures=captures).save(tmp_path / "x.safetensors")
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < large.nbytes / 4


def test_only_arrays_are_saved_and_only_such_files_loaded(ask, tmp_path):
    r = ask.extract("Hello", "attn.c_proj", layers=0, summary=hp.Summarize())
    with pytest.raises(hp.InvalidArgument, match="expected arrays alone"):
        r.save(tmp_path / "x.safetensors")
    from safetensors.numpy import save_file

    save_file({"a": np.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(hp.InvalidArgument, match=r"Result\.save"):
        hp.load(tmp_path / "other.safetensors")
    assert not (tmp_path / "x.safetensors").exists()


@pytest.mark.parametrize(
    "module, extra, use",
    [
        ("torch", "torch", lambda r: r.to_torch()),
        ("xarray", "xarray", lambda r: r.to_xarray()),
        ("safetensors", "files", lambda _: hp.load("/nowhere/x")),
        (
            "matplotlib",
            "plot",
            lambda r: hp.PatchGrid(np.ones((1, 1)), 1.0, 0.0, "", "", (0,), ("a",), "position").plot(),
        ),
    ],
)
def test_an_extra_that_is_missing_says_how_to_get_it(one, monkeypatch, module, extra, use):
    original = builtins.__import__

    def without(name, *arguments, **options):
        if name.partition(".")[0] == module:
            raise ImportError(name)
        return original(name, *arguments, **options)

    for name in [name for name in sys.modules if name.partition(".")[0] == module]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr("importlib.import_module", lambda name: without(name))
    with pytest.raises(ImportError, match=rf"pip install 'hydrophone\[{extra}\]'"):
        use(one)


def test_pictures(ask, tmp_path):
    import matplotlib.pyplot

    matplotlib.use("agg")
    grid = ask.patch_grid("The $ of France", "The $ of Italy", metric=hp.logit_diff(" the", " a"), layers=[0, 1])
    for axes in (grid.plot(), grid.plot(restored=False), ask.logit_lens("a\n$b", layers=[0, 1]).plot()):
        axes.figure.savefig(tmp_path / "picture.png")
        assert len(axes.get_yticks()) == 2
        matplotlib.pyplot.close(axes.figure)
