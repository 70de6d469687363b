"""`hydrophone extract --shards` writes the files of hp.bulk, killed in between or not, and goes on with its jobs."""

import json
import subprocess

import pytest
from conftest import FIGURES, Server
from killed_jobs import contents, kill_again_and_again
from python_client import hp
from safetensors import safe_open
from safetensors.numpy import load_file, save

KILLS = 50
TEXTS = [f"Text number {number} " + "and more " * (number % 7) for number in range(25)]
HOOKS = ["--hook", "resid_post", "--hook", "attn.hook_z", "--layers", "2,5"]


@pytest.fixture
def corpus(tmp_path):
    path = tmp_path / "corpus.jsonl"
    lines = [text if number % 3 else {"text": text, "key": f"k{number}"} for number, text in enumerate(TEXTS)]
    path.write_text("\n\n".join(map(json.dumps, [*lines, {"token_ids": [1, 2, 3]}])))
    return path


def bulk(server, corpus, out, **options):
    with hp.Client(server.address, progress=False) as client:
        return hp.bulk(
            client,
            corpus,
            ["resid_post", "attn.hook_z"],
            out,
            layers=[2, 5],
            texts_per_shard=4,
            progress=False,
            **options,
        )


@pytest.mark.parametrize(
    "flags, options",
    [
        ([], {}),
        (["--shuffle", "7", "--prepend-bos"], {"shuffle": 7, "prepend_bos": True}),
        (["--positions", "last"], {"positions": "last"}),
        (["--positions", "1::2", "--dtype", "float16"], {"positions": "1::2", "dtype": "float16"}),
        (["--heads", "0,3", "--truncate"], {"heads": [0, 3], "truncate": True, "hooks": ["attn.hook_z"]}),
    ],
)
def test_the_directory_is_the_one_of_the_python_client(hydrophone, server, corpus, tmp_path, flags, options):
    hooks = options.pop("hooks", ["resid_post", "attn.hook_z"])
    asked = [word for hook in hooks for word in ("--hook", hook)]
    said = hydrophone(
        "extract", *asked, "--layers", "2,5", "--jsonl", corpus, "--out", tmp_path / "a", "--shards", "4", *flags
    )
    with hp.Client(server.address, progress=False) as client:
        done = hp.bulk(
            client, corpus, hooks, tmp_path / "b", layers=[2, 5], texts_per_shard=4, progress=False, **options
        )
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert f"7 shards, {done.rows} rows of 26 inputs" in said


def test_a_shard_is_a_file_of_the_safetensors_library(hydrophone, corpus, tmp_path):
    hydrophone("extract", *HOOKS, "--jsonl", corpus, "--out", tmp_path / "out", "--shards", "--shuffle", "1")
    (path,) = (tmp_path / "out").glob("shard-*")
    with safe_open(path, framework="numpy") as file:
        metadata = file.metadata()
    assert save(load_file(path), metadata) == path.read_bytes()


def test_either_goes_on_with_what_the_other_began(hydrophone, server, corpus, tmp_path):
    out = tmp_path / "out"
    bulk(server, corpus, out, shuffle=3)
    whole = contents(out)
    arguments = ["extract", *HOOKS, "--jsonl", corpus, "--out", out, "--shards", "4", "--shuffle", "3"]
    for path in list(out.glob("shard-0000[135]*")):
        path.unlink()
    hydrophone(*arguments)
    assert contents(out) == whole
    for path in list(out.glob("shard-0000[024]*")):
        path.unlink()
    bulk(server, corpus, out, shuffle=3)
    assert contents(out) == whole
    said = hydrophone(*arguments[:-1], "4", status=2)
    assert "holds another job: its shuffle is 3, this one's 4" in said


def test_bad_inputs_are_told_by_their_line_or_skipped_with_the_reason(hydrophone, server, tmp_path):
    corpus = tmp_path / "corpus.jsonl"
    corpus.write_text('"good"\n\n{"token_ids": [1, 60000]}\n""\n"also good"\n')
    arguments = ["extract", *HOOKS, "--jsonl", corpus, "--out", tmp_path / "out", "--shards", "4"]
    assert f"{corpus}:3, token_ids[1]: got 60000" in hydrophone(*arguments, status=3)
    hydrophone(*arguments, "--skip-bad-inputs")
    bulk(server, corpus, tmp_path / "python", skip_bad_inputs=True)
    assert contents(tmp_path / "out") == contents(tmp_path / "python")
    index = json.loads((tmp_path / "out" / "index.json").read_text())
    assert sorted(index["skipped"]) == ["1", "2"] and index["skipped"]["2"].startswith("corpus[2]: got no tokens")


@pytest.mark.parametrize(
    "flags, said",
    [
        (["--shards", "0"], 'got "0", expected how many inputs a shard has, a whole number from 1'),
        (["--shards", "4", "--hook", "hook_pattern@0"], "attention scores and patterns have none"),
        (["--shards", "4", "--reduce", "mean"], "--reduce leaves none"),
        (["--shards", "4", "--view", "summary"], "it takes tensors as bytes"),
        (["--shards", "4", "--layout", "per-run"], "--layout per-run"),
        (["--shards", "4", "--max-new-tokens", "3"], "--max-new-tokens"),
        (
            ["--shards", "4", "--no-baseline", "--edit", "mlp_out@1 pos=0 patch=clean"],
            "edits that patch from another run",
        ),
        (["--shards", "4", "--force"], "--force"),
        (["--shards", "4", "--all"], "--all"),
        (["--shards", "4", "--json"], "--json"),
        (["--shards", "4", "--threshold", "3"], "it takes tensors as bytes"),
        (["--shards", "4", "--top-k", "3"], "it takes tensors as bytes"),
        (["--shards", "4", "--metric", "loss"], "it takes tensors as bytes"),
        (["--shards", "4", "--file", "x.txt"], "--file"),
    ],
)
def test_what_a_shard_cannot_hold_is_refused(hydrophone, corpus, tmp_path, flags, said):
    told = hydrophone("extract", *HOOKS, "--jsonl", corpus, "--out", tmp_path / "out", *flags, status=2)
    assert said in told and not list((tmp_path).glob("out/shard-*"))


def test_shards_are_made_of_edited_runs_too(hydrophone, server, corpus, tmp_path):
    edit = ["--edit", "mlp_out@1 zero", "--no-baseline"]
    hydrophone("extract", *HOOKS, *edit, "--jsonl", corpus, "--out", tmp_path / "a", "--shards", "4")
    bulk(server, corpus, tmp_path / "b", edits=hp.zero("mlp_out", layers=1))
    shards = [{name: load for name, load in contents(tmp_path / each).items() if "shard" in name} for each in "ab"]
    assert shards[0] == shards[1] and len(shards[0]) == 7


def test_a_server_that_is_gone_is_waited_for(program, corpus, tmp_path):
    with Server() as running:
        arguments = ["extract", *HOOKS, "--jsonl", str(corpus), "--out", str(tmp_path / "out"), "--shards", "1"]
        address = running.address
        subprocess.run([program, "--server", address, *arguments], check=True, capture_output=True)
    whole = contents(tmp_path / "out")
    for name in [name for name in whole if name.startswith("shard-0000")]:
        (tmp_path / "out" / name).unlink()
    waiting = subprocess.Popen([program, "--server", address, *arguments], stdout=subprocess.DEVNULL)
    with Server(listen=address):
        assert waiting.wait(120) == 0
    assert contents(tmp_path / "out") == whole
    told = subprocess.run(
        [program, "--server", address, *arguments, "--patience", "0"], capture_output=True, text=True, timeout=60
    )
    assert told.returncode == 3 and "UNAVAILABLE" in told.stderr


def test_killed_again_and_again_the_bytes_are_those_of_an_undisturbed_run(program, server, tmp_path):
    corpus = tmp_path / "corpus.jsonl"
    corpus.write_text(
        "\n".join(json.dumps(f"Text {number}" + " and more" * (number % 7)) for number in range(30 * KILLS))
    )

    def start(where):
        flags = ["--jsonl", corpus, "--out", where, "--shards", "2", "--shuffle", "3"]
        command = [program, "--server", server.address, "extract", *HOOKS, *flags]
        return subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    mid_file = kill_again_and_again(start, tmp_path, KILLS, longest_pause=0.01)
    FIGURES.append(f"extract --shards: {KILLS} kills, {mid_file} of them in the middle of a file")


def test_a_full_disk_is_told_and_loses_nothing(program, server, corpus, tmp_path):
    """RLIMIT_FSIZE ends writes as a full disk does, with another reason."""
    arguments = [program, "--server", server.address, "extract", *HOOKS, "--jsonl", corpus, "--out", tmp_path / "out"]
    command = list(map(str, [*arguments, "--shards", "4"]))
    # Where the signal of that limit is ignored, writes fail.
    limited = ["sh", "-c", 'trap "" XFSZ && exec "$@"', "sh", "prlimit", "--fsize=30000", *command]
    told = subprocess.run(limited, capture_output=True, text=True, timeout=60)
    assert told.returncode == 3 and "File too large" in told.stderr and "started again, goes on" in told.stderr
    assert not list((tmp_path / "out").glob("*.partial"))
    subprocess.run(command, check=True, capture_output=True)
    assert len(list((tmp_path / "out").glob("shard-*"))) == 7
