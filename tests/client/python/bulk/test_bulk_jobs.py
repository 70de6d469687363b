"""Bulk jobs: what the files hold, what goes on, and what is refused."""

import json
import os
import pathlib
import sys
import threading

import numpy as np
import pytest
from conftest import Server, cache_directory
from python_client import hp
from python_fakes import closed_port
from safetensors.numpy import load_file

from hydrophone.bulk import __main__ as program
from hydrophone.bulk import formats, work

# Where pyarrow is: among TransformerLens's packages.
sys.path.append(str(cache_directory() / "transformer-lens"))
TEXTS = [f"Text number {number} " + "and more " * (number % 5) for number in range(23)]


@pytest.fixture(scope="module")
def ask(server):
    with hp.Client(server.address, progress=False) as client:
        yield client


def job(client, out, corpus=TEXTS, hooks=("resid_post", "attn.hook_z"), **options):
    return hp.bulk(client, corpus, hooks, out, **{"layers": [2, 5], "texts_per_shard": 4, "progress": False, **options})


def contents(directory):
    return {path.name: path.read_bytes() for path in sorted(pathlib.Path(directory).iterdir())}


def joined(done, name):
    return np.concatenate([load_file(shard)[name] for shard in done.shards])


def test_shards_hold_what_extract_gives(ask, tmp_path):
    done = job(ask, tmp_path / "out")
    whole = ask.extract(TEXTS, ["resid_post", "attn.hook_z"], layers=[2, 5], rows=True)
    for capture in whole.captures:
        np.testing.assert_array_equal(joined(done, capture.name), capture.array)
    np.testing.assert_array_equal(joined(done, "token_ids"), np.concatenate(whole.token_ids))
    counts = [len(ids) for ids in whole.token_ids]
    np.testing.assert_array_equal(joined(done, "texts"), np.repeat(np.arange(23), counts))
    np.testing.assert_array_equal(joined(done, "positions"), np.concatenate([np.arange(count) for count in counts]))
    assert (done.texts, done.rows, len(done.shards), done.skipped) == (23, sum(counts), 6, {})
    assert done.bytes == sum(shard.stat().st_size for shard in done.shards)
    index = json.loads((tmp_path / "out" / "index.json").read_text())
    assert [each["file"] for each in index["shards"]] == [shard.name for shard in done.shards]
    assert sum(each["rows"] for each in index["shards"]) == done.rows
    assert index["arrays"]["blocks.5.attn.hook_z"] == {"dtype": "F32", "row": [4, 16]}


@pytest.mark.parametrize(
    "positions, chosen", [("last", [-1]), ([0, -2], [0, -2]), (slice(1, None, 2), slice(1, None, 2))]
)
def test_rows_of_selected_positions_say_which_token_they_are(ask, tmp_path, positions, chosen):
    done = job(ask, tmp_path / "out", positions=positions, dtype="float16", prepend_bos=True)
    whole = ask.extract(
        TEXTS, "resid_post", layers=2, positions=positions, rows=True, dtype="float16", prepend_bos=True
    )
    np.testing.assert_array_equal(joined(done, "blocks.2.hook_resid_post"), whole["resid_post"])
    assert joined(done, "blocks.2.hook_resid_post").dtype == np.float16
    np.testing.assert_array_equal(joined(done, "token_ids"), np.concatenate([ids[chosen] for ids in whole.token_ids]))
    at = [np.arange(len(ids))[chosen] for ids in whole.token_ids]
    np.testing.assert_array_equal(joined(done, "positions"), np.concatenate(at))


def test_a_seed_shuffles_texts_and_rows_and_loses_none(ask, tmp_path):
    plain, one, again, other = (
        job(ask, tmp_path / name, shuffle=seed) for name, seed in (("a", None), ("b", 1), ("c", 1), ("d", 2))
    )
    assert contents(one.path) == contents(again.path)
    rows = []
    for done in (plain, one, other):
        columns = [joined(done, "texts"), joined(done, "positions"), joined(done, "token_ids")]
        rows.append(np.column_stack([*columns, joined(done, "blocks.5.hook_resid_post")]))
    assert not np.array_equal(rows[1], rows[2])
    first = load_file(one.shards[0])
    assert set(first["texts"]) != {0, 1, 2, 3} and np.any(np.diff(first["positions"]) < 0)
    in_order = [each[np.lexsort((each[:, 1], each[:, 0]))] for each in rows]
    np.testing.assert_array_equal(in_order[0], in_order[1])
    np.testing.assert_array_equal(in_order[0], in_order[2])


def test_a_file_of_lines_and_edits(ask, tmp_path):
    corpus = tmp_path / "corpus.jsonl"
    corpus.write_text("\n".join(map(json.dumps, TEXTS)))
    edits = iter([hp.zero("mlp_out", layers=1)])
    done = job(ask, tmp_path / "out", corpus, hooks="resid_post", layers=2, edits=edits)
    edited = ask.extract(TEXTS, "resid_post", layers=2, rows=True, edits=hp.zero("mlp_out", layers=1))
    np.testing.assert_array_equal(joined(done, "blocks.2.hook_resid_post"), edited["resid_post"])


def test_bad_texts_are_refused_by_their_number_or_skipped_with_the_reason(ask, tmp_path):
    corpus = [*TEXTS[:4], *TEXTS[4:7], "", "", "", "", "", *TEXTS[7:]]
    with pytest.raises(hp.InvalidArgument, match=r"corpus\[7\]: got no tokens"):
        job(ask, tmp_path / "out", corpus)
    done = job(ask, tmp_path / "out", corpus, skip_bad_inputs=True)
    assert sorted(done.skipped) == [7, 8, 9, 10, 11] and done.skipped[8].startswith("corpus[8]: got no tokens")
    plain = job(ask, tmp_path / "plain")
    assert load_file(done.shards[2])["token_ids"].shape == (0,), "a shard without a text"
    for name in ("blocks.5.hook_resid_post", "token_ids"):
        found = np.concatenate([rows[name] for rows in map(load_file, done.shards) if name in rows])
        np.testing.assert_array_equal(found, joined(plain, name))
    assert set(joined(done, "texts")) == set(range(28)) - {7, 8, 9, 10, 11}


def test_parquet_has_the_same_rows_and_goes_on_alike(ask, tmp_path):
    from pyarrow import parquet

    done = job(ask, tmp_path / "out", format="parquet", shuffle=1)
    table = parquet.read_table(list(done.shards))
    plain = job(ask, tmp_path / "plain", shuffle=1)
    for name in load_file(plain.shards[0]):
        expected = joined(plain, name)
        np.testing.assert_array_equal(np.array(table[name].to_pylist(), dtype=expected.dtype), expected)
    index = json.loads((done.path / "index.json").read_text())
    assert [each["file"] for each in index["shards"]] == [f"shard-0000{number}.parquet" for number in range(6)]
    assert index["arrays"] == json.loads((plain.path / "index.json").read_text())["arrays"]
    fields = [json.loads((each.path / "job.json").read_text()) for each in (done, plain)]
    assert fields[0].pop("files") == "parquet" and fields[0] == fields[1], (
        "`hydrophone extract --shards` has no such field"
    )
    whole = contents(done.path)
    for name in ("shard-00001.parquet", "shard-00004.parquet", "index.json"):
        (done.path / name).unlink()
    job(ask, tmp_path / "out", format="parquet", shuffle=1)
    assert contents(done.path) == whole


def test_parts_of_a_job_make_the_whole(ask, tmp_path):
    whole = contents(job(ask, tmp_path / "whole", shuffle=1).path)
    done = [job(ask, tmp_path / "out", shuffle=1, part=(index, 4)) for index in (3, 0, 2)]
    assert not (tmp_path / "out/index.json").exists()
    done.append(job(ask, tmp_path / "out", shuffle=1, part=(1, 4)))
    assert contents(tmp_path / "out") == whole
    assert [len(each.shards) for each in done] == [2, 1, 1, 2] and sum(each.texts for each in done) == len(TEXTS)


def test_a_job_goes_on_with_what_is_missing(ask, tmp_path, monkeypatch):
    whole = contents(job(ask, tmp_path / "whole").path)
    job(ask, tmp_path / "out")
    for name in ("shard-00001.safetensors", "shard-00004.safetensors", "index.json"):
        (tmp_path / "out" / name).unlink()
    (tmp_path / "out" / ".shard-00001.safetensors.partial").write_text("half")
    made = []
    real = formats.Safetensors.write

    def write(self, path, *given):
        made.append(path.name)
        real(self, path, *given)

    monkeypatch.setattr(formats.Safetensors, "write", write)
    job(ask, tmp_path / "out")
    assert sorted(made) == ["shard-00001.safetensors", "shard-00004.safetensors"]
    assert contents(tmp_path / "out") == whole


@pytest.mark.parametrize(
    "change, named",
    [
        ({"corpus": TEXTS[::-1]}, "corpus_sha256"),
        ({"layers": [2]}, "request"),
        ({"positions": "last"}, "request"),
        ({"shuffle": 1}, "shuffle"),
        ({"texts_per_shard": 5}, "texts_per_shard"),
        ({"format": "parquet"}, "files"),
        ({"edits": hp.zero("mlp_out", layers=1)}, "request"),
    ],
)
def test_another_job_is_told_by_what_differs(ask, tmp_path, change, named):
    job(ask, tmp_path / "out")
    before = contents(tmp_path / "out")
    with pytest.raises(hp.InvalidArgument, match=f"out: .* holds another job: its {named} is") as caught:
        job(ask, tmp_path / "out", **change)
    assert caught.value.argument == "out" and contents(tmp_path / "out") == before


@pytest.mark.parametrize(
    "field, said",
    [
        ("weights_sha256", "has other weights than"),
        ("tokenizer_sha256", "has another tokenizer than"),
        ("numerics", r"has the same weights, but computes other bits \(numerics\) than"),
    ],
)
def test_another_model_is_told_by_its_digests(ask, tmp_path, field, said):
    job(ask, tmp_path / "out")
    path = tmp_path / "out/job.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), field: "other"}))
    with pytest.raises(hp.Precondition, match=f"the server {said} .* expected other"):
        job(ask, tmp_path / "out")


def test_a_model_that_changes_in_between_is_noticed(ask, server, tmp_path, monkeypatch):
    real = work.carry_out

    def of_another_model(session, asked):
        result = yield from real(session, asked)
        object.__setattr__(result.provenance, "weights_sha256", "other")
        return result

    monkeypatch.setattr(work, "carry_out", of_another_model)
    with pytest.raises(hp.Precondition, match="has other weights"):
        job(ask, tmp_path / "out")
    assert os.listdir(tmp_path / "out") == ["job.json"]
    monkeypatch.undo()
    assert len(job(ask, tmp_path / "out").shards) == 6, "asked of the right model again, it goes on"


def test_shards_without_a_job_are_left_alone(ask, tmp_path):
    (tmp_path / "shard-00000.safetensors").write_text("of something else")
    with pytest.raises(hp.InvalidArgument, match=r"holds shards and no job.json"):
        job(ask, tmp_path)


def test_a_full_disk_loses_nothing_that_was_written(ask, tmp_path):
    whole = contents(job(ask, tmp_path / "whole").path)
    job(ask, tmp_path / "out")
    (tmp_path / "out/shard-00003.safetensors").unlink()
    left_behind = tmp_path / "out/.shard-00003.safetensors.partial"
    left_behind.symlink_to("/dev/full")
    with pytest.raises(hp.DiskFull, match=r"no room for .*-00003.*; 5 of 6 shards are in .*, started again, goes on"):
        job(ask, tmp_path / "out")
    assert not left_behind.is_symlink()
    job(ask, tmp_path / "out")
    assert contents(tmp_path / "out") == whole


def test_a_server_that_is_gone_for_a_while_is_waited_for(ask, tmp_path):
    """The server ends after the second shard, and another one takes its place."""
    whole = contents(job(ask, tmp_path / "whole").path)
    with Server() as first, hp.Client(first.address, progress=False) as client:
        made, over = threading.Event(), []

        def replace_server():
            made.wait(60)
            first.stop()
            over.append(Server(listen=first.address).__enter__())

        replacing = threading.Thread(target=replace_server)
        replacing.start()
        with pytest.MonkeyPatch.context() as patch:
            real = formats.Safetensors.write

            def write(self, path, *given):
                real(self, path, *given)
                made.set()
                if not path.name.endswith("0.safetensors"):
                    replacing.join(120)

            patch.setattr(formats.Safetensors, "write", write)
            try:
                done = job(client, tmp_path / "out", patience=120)
            finally:
                replacing.join(120)
                for server in over:
                    server.__exit__()
    assert over and contents(done.path) == whole


def test_patience_that_ends_says_what_is_there(ask, tmp_path):
    job(ask, tmp_path / "out")
    (tmp_path / "out/shard-00003.safetensors").unlink()
    with (
        closed_port() as address,
        hp.Client(address) as client,
        pytest.raises(hp.Unavailable, match="no answer, tried for 0 s"),
    ):
        job(client, tmp_path / "out", patience=0)
    with Server() as mortal, hp.Client(mortal.address) as client:
        gone = hp.Unavailable("gone")

        def fails(*_):
            raise gone
            yield

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(work, "carry_out", fails)
            with pytest.raises(hp.Unavailable, match="tried for 0 s: gone; 5 of 6 shards are in"):
                job(client, tmp_path / "out", patience=0)


@pytest.mark.parametrize(
    "argument, options",
    [
        ("texts_per_shard", {"texts_per_shard": 0}),
        ("shuffle", {"shuffle": -1}),
        ("positions", {"positions": hp.per_run(0, 1)}),
        ("layers[0]", {"layers": [99]}),
        ("hooks", {"hooks": ["resid_post", hp.hook("mlp_out", positions="last")]}),
        ("hooks[1].view", {"hooks": ["resid_post", hp.hook("mlp_out", view="preview")]}),
        ("hooks[0].summary", {"hooks": hp.hook("mlp_out", summary=hp.Summarize())}),
        ("hooks[0].lens", {"hooks": hp.hook("resid_post", lens=hp.lens(1))}),
        ("layers", {"hooks": hp.hook("mlp_out", layers=1), "layers": 2}),
        ("hooks", {"hooks": ["hook_pattern"]}),
        ("corpus", {"corpus": []}),
        ("format", {"format": "csv"}),
        ("part", {"part": (2, 2)}),
    ],
)
def test_errors_name_the_argument(ask, tmp_path, argument, options):
    with pytest.raises(hp.InvalidArgument) as caught:
        job(ask, tmp_path / "out", **options)
    assert caught.value.argument == argument, caught.value.violations


def test_the_program_does_the_same(ask, server, tmp_path, capsys):
    corpus = tmp_path / "corpus.jsonl"
    corpus.write_text("\n".join(map(json.dumps, TEXTS)))
    options = ["--hooks", "resid_post", "mlp_out", "--layers", "2", "-1", "--positions", "last", "--shuffle", "7"]
    arguments = [str(corpus), "--server", server.address, *options, "--texts-per-shard", "8", "--out"]
    assert program.main([*arguments, str(tmp_path / "program")]) == 0
    said = capsys.readouterr()
    assert "3 shards, 23 rows of 23 texts" in said.out and "23 of 23 texts" in said.err
    hooks = ["resid_post", "mlp_out"]
    python = job(
        ask, tmp_path / "python", corpus, hooks, layers=[2, -1], positions="last", shuffle=7, texts_per_shard=8
    )
    assert contents(python.path) == contents(tmp_path / "program")
    for part in ("0/2", "1/2"):
        assert program.main([*arguments, str(tmp_path / "parts"), "--part", part, "--quiet"]) == 0
    assert contents(python.path) == contents(tmp_path / "parts")


def test_the_programs_errors_are_one_line(server, tmp_path, capsys):
    (tmp_path / "c.jsonl").write_text('"a"\nb\n')
    for corpus, said in ((tmp_path / "none", "No such file"), (tmp_path / "c.jsonl", "line 2: got no JSON")):
        arguments = [str(corpus), "--server", server.address, "--hooks", "resid_post", "--out", str(tmp_path / "out")]
        assert program.main(arguments) == 1
        error = capsys.readouterr().err
        assert error.startswith("hydrophone.bulk: ") and said in error and error.count("\n") == 1
