"""What `hydrophone parameters` tells and writes, of the default model."""

import json
import pathlib

import safetensors
import safetensors.numpy

DEFAULT_MODEL = pathlib.Path(__file__).resolve().parents[3] / "server/models/hydrophone-gpt2-tiny"
HEAD, EMBEDDING = "lm_head.weight", "transformer.wte.weight"


def test_a_file_of_parameters_holds_the_checkpoints_bytes(hydrophone, tmp_path):
    out = tmp_path / "weights.safetensors"
    hydrophone("parameters", "--name", "h.3.*", "--name", HEAD, "--out", out)
    checkpoint = safetensors.numpy.load_file(DEFAULT_MODEL / "model.safetensors")
    stored = {name.removeprefix("transformer."): array for name, array in checkpoint.items()}
    written = safetensors.numpy.load_file(out)
    assert len(written) == 13
    for name, array in written.items():
        source = EMBEDDING if name == HEAD else name
        assert array.tobytes() == stored[source.removeprefix("transformer.")].astype("<f4").tobytes(), name
    with safetensors.safe_open(out, framework="numpy") as file:
        provenance = json.loads(file.metadata()["hydrophone.provenance"])
    assert len(provenance["weights_sha256"]) == 64


def test_rows_of_the_embedding_come_in_the_order_asked(hydrophone, tmp_path):
    whole, rows = tmp_path / "whole.safetensors", tmp_path / "rows.safetensors"
    hydrophone("parameters", "--name", "wte.weight", "--out", whole)
    hydrophone("parameters", "--name", "wte.weight", "--rows", "464,0-2,464", "--out", rows)
    embedding = safetensors.numpy.load_file(whole)[EMBEDDING]
    assert (safetensors.numpy.load_file(rows)[EMBEDDING] == embedding[[464, 0, 1, 2, 464]]).all()


def test_a_list_tells_what_is_tied(hydrophone):
    listed = json.loads(hydrophone("parameters", "--json"))["parameters"]
    assert {each["name"]: each["tied_to"] for each in listed}[HEAD] == EMBEDDING


def test_refusals_are_told_in_the_words_of_the_command_line(hydrophone, tmp_path):
    error = hydrophone("parameters", "--name", "h.3.ln_1.wieght", status=3)
    assert "--name h.3.ln_1.wieght: got" in error and "h.3.ln_1.weight" in error
    error = hydrophone(
        "parameters", "--name", "wte.weight", "--rows", "0,50257", "--out", tmp_path / "x.safetensors", status=3
    )
    assert "--rows 0,50257: got 50257, expected below 50257" in error
