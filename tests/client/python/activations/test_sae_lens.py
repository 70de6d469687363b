"""SAELens beside this client: its trainer trains on hp.activations, its store reads hp.cache_activations' data set."""

import json
import os
import pathlib
import random
import subprocess
import sys

import numpy as np
import pytest
from conftest import FIGURES, cache_directory
from python_client import hp

from hydrophone.activations import __main__ as program
from hydrophone.activations.windows import packed

SCRIPT = pathlib.Path(__file__).with_name("sae_lens_training.py")
SIZES = {"width": 64, "batch_size": 256, "steps": 80}
WORDS = "the cat sat on a mat and saw how far it is from home to where rivers meet old towns of stone".split()


CACHED = {"layer": 3, "context": 16, "positions": slice(1, None), "progress": False}
PACKED = [(context, prepend_bos) for context in (2, 7, 64) for prepend_bos in (True, False)]


@pytest.fixture(scope="module")
def corpus():
    chance = random.Random(0)
    return [" ".join(chance.choices(WORDS, k=chance.randrange(5, 60))) for _ in range(300)]


@pytest.fixture(scope="module")
def ask(server):
    with hp.Client(server.address, progress=False) as client:
        yield client


@pytest.fixture(scope="module")
def token_ids(ask, corpus):
    """Texts as token ids, some of which begin or end with the token that stands between them."""
    bos = ask.model().bos_token_id
    texts = [list(info.token_ids) for info in ask.tokenize(corpus[:30])]
    texts[5:5] = [[bos, *texts[5]], [bos], [*texts[6], bos]]
    return texts


@pytest.fixture(scope="module")
def cached(ask, corpus, tmp_path_factory):
    """A data set of a few texts' activations, all positions but the first."""
    datasets = str(cache_directory() / "transformer-lens")  # whose packages have datasets and pyarrow among them
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(datasets)
        out = tmp_path_factory.mktemp("cached") / "out"
        yield hp.cache_activations(ask, corpus[:20], "attn.hook_z", out, **CACHED, windows_per_shard=10)


@pytest.fixture(scope="module")
def theirs(ask, server, corpus, token_ids, cached):
    """What SAELens gave, by what it was asked, in one process that has its packages."""
    bos = ask.model().bos_token_id
    training = {"hook": "resid_post", "layer": 6, "shuffle_buffer": 4096, "context": 64}
    jobs = {"train": ["train", {"address": server.address, "corpus": corpus, **SIZES, **training}]}
    for context, prepend_bos in PACKED:
        arguments = {"texts": token_ids, "context": context, "bos": bos, "prepend_bos": prepend_bos}
        jobs[f"pack {context} {prepend_bos}"] = ["pack", arguments]
    arguments = {"path": str(cached.path), "hook": "blocks.3.attn.hook_z", "width": 64, "context": 15}
    jobs["read"] = ["read", arguments]
    packages = [cache_directory() / "sae-lens", cache_directory() / "transformer-lens"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, packages)), "HF_HUB_OFFLINE": "1"}
    given = json.dumps(list(jobs.values()))
    done = subprocess.run(
        [sys.executable, str(SCRIPT)], input=given, env=environment, capture_output=True, text=True, timeout=900
    )
    assert done.returncode == 0, done.stderr
    return dict(zip(jobs, json.loads(done.stdout), strict=True))


def test_a_sparse_autoencoder_learns_and_its_trainer_is_kept_busy(theirs):
    done = theirs["train"]
    losses = done["losses"]
    first, last = sum(losses[:10]) / 10, sum(losses[-10:]) / 10
    FIGURES.append(
        f"SAELens's trainer: loss {first:.4g} to {last:.4g} in {len(losses)} steps; {done['share']:.0%} of the time "
        f"spent waiting for activations, after {done['first_wait']:.2f} s for the first batch"
    )
    assert len(losses) == SIZES["steps"] and last < 0.5 * first
    assert 0 <= done["share"] <= 1 and f"{done['share']:.1%} of the time spent waiting" in done["said"]


@pytest.mark.parametrize("context, prepend_bos", PACKED)
def test_texts_are_packed_as_sae_lens_packs_them(ask, theirs, token_ids, context, prepend_bos):
    ours = list(packed(token_ids, context, ask.model().bos_token_id, prepend_bos))
    assert len(ours) > 10 and ours == theirs[f"pack {context} {prepend_bos}"]


def test_a_cached_data_set_is_what_sae_lens_reads_and_what_extract_gives(ask, theirs, corpus, cached):
    ids = [info.token_ids for info in ask.tokenize(corpus[:20])]
    windows = list(packed(ids, 16, ask.model().bos_token_id, True))
    values = ask.extract(windows, "attn.hook_z", layers=3, positions=slice(1, None), rows=True)["attn.hook_z"]
    read = theirs["read"]
    np.testing.assert_array_equal(np.array(read["values"], dtype=np.float32), values.reshape(-1, 64))
    assert read["token_ids"] == [token for window in windows for token in window[1:]]
    assert (cached.texts, cached.rows, len(cached.shards)) == (len(windows), 15 * len(windows), -(-len(windows) // 10))
    assert read["batch"] == [1, 64]


def test_a_data_set_goes_on_where_it_was_ended(ask, corpus, cached):
    def contents():
        return {path.name: path.read_bytes() for path in cached.path.iterdir()}

    whole = contents()
    for name in ("shard-00001.arrow", "state.json", "index.json"):
        (cached.path / name).unlink()
    hp.cache_activations(ask, corpus[:20], "attn.hook_z", cached.path, **CACHED, windows_per_shard=10)
    assert contents() == whole
    with pytest.raises(hp.InvalidArgument, match="holds another job: its corpus_sha256"):
        hp.cache_activations(ask, corpus[:20], "attn.hook_z", cached.path, **CACHED, windows_per_shard=10, shuffle=1)


def test_the_program_writes_the_same_data_set(ask, server, corpus, cached, tmp_path, capsys):
    (tmp_path / "corpus.jsonl").write_text("\n".join(map(json.dumps, corpus[:20])))
    options = ["--hook", "attn.hook_z", "--layer", "3", "--context", "16", "--positions", "1:", "--quiet"]
    arguments = [str(tmp_path / "corpus.jsonl"), "--server", server.address, "--out", str(tmp_path / "out"), *options]
    assert program.main([*arguments, "--windows-per-shard", "10"]) == 0
    assert f"{cached.texts} windows" in capsys.readouterr().out
    for path in cached.path.iterdir():
        assert (tmp_path / "out" / path.name).read_bytes() == path.read_bytes(), path.name


@pytest.mark.parametrize(
    "argument, options",
    [
        ("windows_per_shard", {"windows_per_shard": 0}),
        ("shuffle", {"shuffle": -1}),
        ("context", {"context": 1}),
        ("layer", {"layer": 99}),
        ("corpus", {"context": 1000}),
    ],
)
def test_errors_of_a_data_set_name_the_argument(ask, corpus, cached, tmp_path, argument, options):
    with pytest.raises(hp.InvalidArgument) as caught:
        hp.cache_activations(ask, corpus[:2], "attn.hook_z", tmp_path / "out", **{**CACHED, **options})
    assert caught.value.argument == argument, caught.value.violations
