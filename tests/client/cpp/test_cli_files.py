"""The files that `hydrophone extract --out` writes, read by what people read them with."""

import json
import os
import pathlib
import subprocess

import numpy
import pytest
import safetensors

ROOT = pathlib.Path(__file__).resolve().parents[3]
LESSON = "Plants make fantastic pets because they don't leave a mess after you feed them."
TOKENS = {"token_ids", "token_counts"}
LAYER10 = ["--hook", "attn.c_proj@10", "--hook", "mlp.c_proj@10", "--hook", "hidden_states@10,11"]
DELTAS = ["blocks.10.hook_attn_out", "blocks.10.hook_mlp_out"]
STATES = ["hidden_states.10", "hidden_states.11"]


def read_safetensors(path):
    with safetensors.safe_open(path, framework="numpy") as file:
        names = file.keys()
        return {name: file.get_tensor(name) for name in names}, file.metadata()


def test_the_lesson_closes_from_the_file(hydrophone, tmp_path):
    out = tmp_path / "lesson.safetensors"
    hydrophone("extract", *LAYER10, "--out", out, LESSON)
    arrays, metadata = read_safetensors(out)
    attention, mlp, before, after = (arrays[name] for name in DELTAS + STATES)
    assert attention.dtype == numpy.float32 and attention.shape == after.shape
    assert arrays["rows"].tolist() == [len(before)]
    rebuilt = (before + attention) + mlp
    assert rebuilt.tobytes() == after.tobytes()
    provenance = json.loads(metadata["hydrophone.provenance"])
    assert len(provenance["weights_sha256"]) == 64 and provenance["numerics"]
    request = json.loads(metadata["hydrophone.request"])
    assert request["inputs"][0]["text"] == LESSON
    assert json.loads(metadata["hydrophone.inputs"])[0]["tokens"] == len(before)


def test_npy_and_safetensors_hold_the_same_bytes(hydrophone, tmp_path):
    hydrophone("extract", *LAYER10, "--out", tmp_path / "a.safetensors", LESSON, "hello")
    hydrophone("extract", *LAYER10, "--out", tmp_path / "captures", LESSON, "hello")
    arrays, metadata = read_safetensors(tmp_path / "a.safetensors")
    described = json.loads((tmp_path / "captures/metadata.json").read_text())
    assert set(described["arrays"]) == set(arrays)
    for name, file in described["arrays"].items():
        array = numpy.load(tmp_path / "captures" / file)
        assert array.dtype == arrays[name].dtype and array.shape == arrays[name].shape
        assert array.tobytes() == arrays[name].tobytes()
    assert described["hydrophone.provenance"] == json.loads(metadata["hydrophone.provenance"])


def test_five_thousand_prompts_are_one_array_in_order(hydrophone, tmp_path):
    prompts = [f"Prompt number {i} of {'many ' * (i % 4)}texts" for i in range(5000)]
    (tmp_path / "prompts.txt").write_text("\n".join(prompts) + "\n")
    choice = ["--hook", "hidden_states", "--layers", "2", "--positions", "last"]
    out = tmp_path / "all.safetensors"
    hydrophone("extract", *choice, "--file", tmp_path / "prompts.txt", "--out", out)
    arrays, metadata = read_safetensors(out)
    assert arrays["rows"].tolist() == [1] * len(prompts)
    (name,) = set(arrays) - {"rows"} - TOKENS
    assert arrays[name].shape[0] == len(prompts)
    provenance = json.loads(metadata["hydrophone.provenance"])
    assert len(provenance["request_sha256"]) > 1, "more than one request"
    for i in (0, 1, 4095, 4096, 4999):
        out = tmp_path / f"{i}.safetensors"
        hydrophone("extract", *choice, "--out", out, prompts[i])
        alone, _ = read_safetensors(out)
        together = arrays[name][i : i + 1]
        assert alone[name].tobytes() == together.tobytes(), f"prompt {i} alone has other bits"


def test_json_lines_of_all_kinds(hydrophone, tmp_path):
    lines = [
        {"text": "Hello world", "key": "text"},
        {"token_ids": [15496, 995], "key": "ids"},
        {"text_bytes_base64": "SGVsbG8gd29ybGQ="},
    ]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    out = tmp_path / "x.safetensors"
    hydrophone("extract", "--hook", "attn.c_proj@0", "--jsonl", "-", "--out", out, text=text)
    arrays, metadata = read_safetensors(out)
    rows = arrays[find_name(arrays)]
    assert arrays["rows"].tolist() == [2, 2, 2]
    assert rows[0:2].tobytes() == rows[2:4].tobytes() == rows[4:6].tobytes()
    inputs = json.loads(metadata["hydrophone.inputs"])
    assert [entry.get("key") for entry in inputs] == ["text", "ids", None]


def find_name(arrays):
    (name,) = set(arrays) - {"rows"} - TOKENS
    return name


@pytest.mark.parametrize("layout", ["rows", "per-run"])
def test_a_file_holds_the_tokens_of_its_inputs(hydrophone, tmp_path, layout):
    """Ids and pieces, as the repository's tokenizer gives them, from both kinds of output; a skipped input has none."""
    import transformers

    tokenizer = transformers.AutoTokenizer.from_pretrained(ROOT / "server/models/hydrophone-gpt2-tiny")
    texts = [LESSON, "", "日本 é"]
    choice = ["--hook", "hook_embed", "--layout", layout, "--skip-bad-inputs", "--out"]
    hydrophone("extract", *choice, tmp_path / "x.safetensors", *texts)
    hydrophone("extract", *choice, tmp_path / "x", *texts)
    arrays, metadata = read_safetensors(tmp_path / "x.safetensors")
    described = json.loads((tmp_path / "x/metadata.json").read_text())
    loaded = {name: numpy.load(tmp_path / "x" / described["arrays"][name]) for name in TOKENS}
    pieces = json.loads(metadata["hydrophone.pieces"])
    assert described["hydrophone.pieces"] == pieces
    for found in (arrays, loaded):
        counts = found["token_counts"]
        assert counts.dtype == numpy.int64 and len(counts) == len(texts)
        for text, ids in zip(texts, numpy.split(found["token_ids"], numpy.cumsum(counts)[:-1]), strict=True):
            assert ids.tolist() == tokenizer(text)["input_ids"]
            assert [pieces[str(id)] for id in ids] == tokenizer.convert_ids_to_tokens(ids.tolist())


def test_an_array_a_run(hydrophone, tmp_path):
    out = tmp_path / "x.safetensors"
    point = ["--hook", "attn.c_proj@0", "--layout", "per-run"]
    hydrophone("extract", *point, "--out", out, "Hello world", "Hello")
    arrays, _ = read_safetensors(out)
    assert [arrays[f"blocks.0.hook_attn_out.input{i}"].shape[0] for i in (0, 1)] == [2, 1]


def values_of(lines):
    """The values among JSON lines."""
    return [message["values"] for message in map(json.loads, lines.splitlines()) if "values" in message]


def test_a_printed_request_gives_the_same_bytes(hydrophone, tmp_path):
    choice = ["--hook", "hidden_states@3", "--positions", "1:", LESSON, "Hello world"]
    hydrophone("extract", "--out", tmp_path / "a.safetensors", *choice)
    request = hydrophone("extract", "--out", tmp_path / "a.safetensors", "--print-request", *choice)
    hydrophone("extract", "--request", "-", "--out", tmp_path / "b.safetensors", text=request)
    first, second = (read_safetensors(tmp_path / name)[0] for name in ("a.safetensors", "b.safetensors"))
    assert {name: array.tobytes() for name, array in first.items()} == {
        name: array.tobytes() for name, array in second.items()
    }


def test_narrow_types_are_written_as_they_came(hydrophone, tmp_path):
    point = ["--hook", "attn.c_proj@3", "Hello world"]
    hydrophone("extract", "--out", tmp_path / "full", *point)
    hydrophone("extract", "--dtype", "float16", "--out", tmp_path / "half", *point)
    full, half = (numpy.load(tmp_path / name / "blocks.3.hook_attn_out.npy") for name in ("full", "half"))
    assert half.dtype == numpy.float16 and half.tobytes() == full.astype(numpy.float16).tobytes()
    hydrophone("extract", "--dtype", "bfloat16", "--out", tmp_path / "b.safetensors", *point)
    with safetensors.safe_open(tmp_path / "b.safetensors", framework="numpy") as file:
        assert file.get_slice("blocks.3.hook_attn_out").get_dtype() == "BF16"
    assert "NumPy has no bfloat16" in hydrophone(
        "extract", "--dtype", "bfloat16", "--out", tmp_path / "none", *point, status=2
    )


def test_patterns_are_an_array_an_input(hydrophone, tmp_path):
    out = tmp_path / "x.safetensors"
    hydrophone("extract", "--hook", "attn.hook_pattern@5", "--heads", "0,1", "--out", out, "Hello world", "Hello")
    arrays, _ = read_safetensors(out)
    shapes = [arrays[f"blocks.5.attn.hook_pattern.input{i}"].shape for i in (0, 1)]
    assert shapes == [(2, 2, 2), (2, 1, 1)]


def test_projections_are_dot_products(hydrophone, tmp_path):
    point = ["--hook", "hook_resid_post@3", "Hello world"]
    hydrophone("extract", "--out", tmp_path / "full", *point)
    full = numpy.load(tmp_path / "full" / "blocks.3.hook_resid_post.npy")
    probes = numpy.random.default_rng(0).standard_normal((2, full.shape[1])).astype(numpy.float32)
    numpy.save(tmp_path / "probes.npy", probes)
    hydrophone("extract", "--project", tmp_path / "probes.npy", "--out", tmp_path / "dots", *point)
    dots = numpy.load(tmp_path / "dots" / "blocks.3.hook_resid_post.npy")
    numpy.testing.assert_allclose(dots, full @ probes.T, atol=1e-3)


def test_an_edit_changes_what_comes_after_it(hydrophone):
    edit = ["--edit", "blocks.5.hook_mlp_out zero", "--hook", "hook_resid_post@4,5", "--json"]
    before, after = values_of(hydrophone("extract", *edit, "Hello world"))
    assert before["comparison"]["difference_l2"] == 0 and before["info"]["baseline"] == 0
    assert after["comparison"]["difference_l2"] > 0


def test_a_patch_gives_the_other_texts_logits(hydrophone):
    """The last block's whole output patched in: the edited run ends as the source does."""
    patch = ["--edit", "blocks.-1.hook_resid_post patch=source", "--patch-from", "Hello there"]
    lens = ["--top-k", "1", "--hook", "hook_resid_post@-1", "--json"]
    patched = values_of(hydrophone("extract", *patch, *lens, "Hello world"))
    alone = values_of(hydrophone("extract", *lens, "Hello there"))
    edited = [score for values in patched for score in values["scores"] if score["run"] == 2]
    assert [score["value"] for score in edited] == [score["value"] for score in alone[0]["scores"]]


def test_verify_in_train_mode_agrees_with_the_server(hydrophone):
    report = json.loads(hydrophone("verify", "--train-seed", "7", "--skip-reference", "--json", LESSON))
    assert report["passed"] and report["client"]["agrees"]
    assert all(layer["bitwise"] for layer in report["client"]["layers"])


def test_previews_and_summaries_are_for_people(hydrophone):
    point = ["--hook", "attn.c_proj@3"]
    assert "blocks.3.hook_attn_out" in hydrophone("extract", *point, "Hello world")
    assert "mean" in hydrophone("extract", *point, "--view", "summary", "Hello world")


def test_verify_agrees_with_the_server(hydrophone):
    report = json.loads(hydrophone("verify", "--layers", "0,10,-1", "--json", LESSON))
    assert report["passed"] and report["client"]["agrees"]
    assert [layer["bitwise"] for layer in report["client"]["layers"]] == [True, True, True]
    assert "PASSED" in hydrophone("verify", "--layers", "10", "--skip-reference")


def test_an_unknown_point_names_the_nearest_and_writes_nothing(hydrophone, tmp_path):
    out = tmp_path / "x.safetensors"
    message = hydrophone("extract", "--hook", "attn.c_porj", "--out", out, "hi", status=3)
    for part in ("INVALID_ARGUMENT", "--hook attn.c_porj: no hook point", "attn.c_proj"):
        assert part in message
    assert list(tmp_path.iterdir()) == []


def test_an_empty_line_is_skipped_where_bad_inputs_are(hydrophone, tmp_path):
    lines = tmp_path / "prompts.txt"
    lines.write_bytes(b"\xef\xbb\xbfHello\n\nworld\n")
    assert "prompts.txt:2: the line is empty" in hydrophone("tokenize", "--file", lines, status=2)
    shown = hydrophone("tokenize", "--file", lines, "--skip-bad-inputs")
    assert f"input 1: skipped: {lines}:2: got no tokens" in shown
    answer = json.loads(hydrophone("tokenize", "--file", lines, "--skip-bad-inputs", "--json"))
    assert [one["token_ids"] for one in answer["inputs"]] == [[15496], [], [6894]]
    extracted = hydrophone("extract", "--hook", "hook_embed", "--file", lines, "--skip-bad-inputs", "--json")
    skipped = [json.loads(line)["input"]["skipped"] for line in extracted.splitlines() if line.startswith('{"input"')]
    assert [bool(reason) for reason in skipped] == [False, True, False]


@pytest.mark.parametrize(
    "command",
    [
        ["tokenize", "Hello"],
        ["model"],
        ["hooks"],
        ["--help"],
        ["extract", "--json"],
        ["extract"],
        ["completion", "bash"],
    ],
)
def test_output_that_is_lost_is_status_3(server, command):
    program = ROOT / os.environ.get("HYDROPHONE_BUILD_DIR", "build") / "bin/hydrophone"
    more = ["--hook", "hook_embed", "Hello"] if command[0] == "extract" else []
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [program, "--server", server.address, *command, *more], stdout=full, stderr=subprocess.PIPE, timeout=60
        )
    assert done.returncode == 3, done.stderr


def test_a_pattern_says_what_it_became(hydrophone):
    lines = hydrophone("extract", "--hook", "blocks.{0,11}.hook_*_out", "--json", "Hello").splitlines()
    (selected,) = json.loads(lines[0])["header"]["selected"]
    assert (selected["asked_name"], selected["points"]) == ("blocks.{0,11}.hook_*_out", 4)
    infos = [json.loads(line)["values"]["info"] for line in lines if line.startswith('{"values"')]
    assert {info["asked_name"] for info in infos} == {"blocks.{0,11}.hook_*_out"}


def test_a_file_is_overwritten_by_force_alone(hydrophone, tmp_path):
    out = tmp_path / "one.safetensors"
    hydrophone("extract", "--hook", "hook_embed", "--out", out, "Hello")
    before = out.read_bytes()
    assert "is there already; --force overwrites it" in hydrophone(
        "extract", "--hook", "hook_embed", "--out", out, "world", status=2
    )
    assert out.read_bytes() == before
    hydrophone("extract", "--hook", "hook_embed", "--out", out, "--force", "world")
    assert out.read_bytes() != before
