"""random_checkpoint.py writes what transformers reads: names, shapes, dtypes and values."""

import json
import pathlib
import subprocess
import sys

import pytest
import safetensors
import torch
import transformers

MODELS = pathlib.Path(__file__).resolve().parents[3] / "server" / "models"
SMALL = "--n-layer 3 --n-embd 60 --n-head 5 --n-positions 40 --vocab-size 211 --init-std 0.2"
TINY = "--n-layer 1 --n-embd 8 --n-head 1 --n-positions 3 --vocab-size 5"


def write(out, options):
    command = [sys.executable, str(MODELS / "random_checkpoint.py"), str(out), *options.split()]
    return subprocess.run(command, capture_output=True, text=True)


def written(out, options):
    result = write(out, options)
    assert result.returncode == 0, result.stderr
    return out


def load(path, known_leftover="none"):
    """The model in fp32 and eager attention, every key accounted for.

    known_leftover: how names end of which today's transformers says that it has no use for them.
    """
    model, report = transformers.GPT2LMHeadModel.from_pretrained(
        path,
        dtype=torch.float32,
        attn_implementation="eager",
        output_loading_info=True,
        local_files_only=True,
    )
    for kind in ("missing_keys", "mismatched_keys", "error_msgs"):
        assert not report[kind], (kind, report[kind])
    unexpected = [key for key in report["unexpected_keys"] if not key.endswith(known_leftover)]
    assert not unexpected
    return model.eval()


def logits_of(model):
    ids = torch.arange(3)[None] % model.config.vocab_size
    with torch.inference_mode():
        return model(ids).logits


def stored(path):
    tensors = {}
    for file in sorted(path.glob("*.safetensors")):
        with safetensors.safe_open(file, "pt") as opened:
            names = opened.keys()
            tensors.update({name: opened.get_tensor(name) for name in names})
    return tensors


@pytest.mark.parametrize(
    "options",
    [
        TINY,
        SMALL,
        SMALL + " --n-inner 100",
        SMALL + " --dtype float16",
        SMALL + " --dtype bfloat16 --shards 2",
        SMALL + " --shards 7",
        SMALL + " --shards 40",
        SMALL + " --no-prefix",
        SMALL + " --untied",
        SMALL + " --untied --no-prefix --shards 3",
        SMALL + " --outlier-dims 5,17,59",
        SMALL + " --activation relu --layer-norm-epsilon 1e-3",
        SMALL + " --scale-attn-by-inverse-layer-idx --reorder-and-upcast-attn",
        SMALL + " --no-scale-attn-weights",
        "--n-layer 2 --n-embd 48 --n-head 3 --dtype float16",
    ],
)
def test_transformers_loads_it_without_missing_or_unexpected_keys(tmp_path, options):
    logits = logits_of(load(written(tmp_path, options)))
    assert torch.isfinite(logits).all()
    assert logits.std() > 0


@pytest.mark.parametrize("prefix", ["--prefix", "--no-prefix"])
def test_old_buffers_change_nothing_but_the_file(tmp_path, prefix):
    plain = stored(written(tmp_path / "plain", f"{SMALL} {prefix}"))
    old = stored(written(tmp_path / "old", f"{SMALL} {prefix} --old-buffers"))
    extra = sorted(set(old) - set(plain))
    assert len(extra) == 6 and all(name.endswith(("attn.bias", "masked_bias")) for name in extra)
    masks = [old[name] for name in extra if name.endswith("attn.bias")]
    assert all(torch.equal(mask, torch.tril(torch.ones(1, 1, 40, 40))) for mask in masks)
    with_buffers = load(tmp_path / "old", known_leftover="attn.masked_bias")
    assert torch.equal(logits_of(load(tmp_path / "plain")), logits_of(with_buffers))


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path):
    def content(name, options):
        out = written(tmp_path / name, f"{SMALL} --shards 2 {options}")
        return {file.name: file.read_bytes() for file in out.iterdir()}

    first = content("a", "--seed 4")
    assert first == content("b", "--seed 4")
    other = content("c", "--seed 5")
    assert first.keys() == other.keys()
    assert all(first[name] != other[name] for name in first if name.endswith(".safetensors"))


def test_how_it_is_saved_never_changes_a_value(tmp_path):
    reference = stored(written(tmp_path / "a", SMALL))
    variants = {
        "b": "--shards 5",
        "c": "--no-prefix",
        "d": "--dtype float16",
        "e": "--dtype bfloat16",
    }
    for name, options in variants.items():
        tensors = stored(written(tmp_path / name, f"{SMALL} {options}"))
        assert len(tensors) == len(reference)
        for key, value in tensors.items():
            expected = reference[key if key in reference else "transformer." + key]
            assert torch.equal(value, expected.to(value.dtype)), (options, key)


def test_files_are_as_transformers_would_save_them(tmp_path):
    """Same header, same bytes: save_pretrained of what was loaded gives the file back."""
    load(written(tmp_path / "ours", SMALL)).save_pretrained(tmp_path / "theirs")
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    assert (ours / "model.safetensors").read_bytes() == (theirs / "model.safetensors").read_bytes()
    config, saved = (json.loads((path / "config.json").read_text()) for path in (ours, theirs))
    del saved["transformers_version"]
    assert config == saved


def test_no_parameter_is_left_at_a_value_that_hides_its_absence(tmp_path):
    for name, value in stored(written(tmp_path, SMALL)).items():
        assert value.std() > 0.01, name
        expected_mean = 1.0 if "ln_" in name and name.endswith("weight") else 0.0
        assert abs(value.mean() - expected_mean) < 5 * value.std() / value.numel() ** 0.5, name


def test_config_options_reach_the_config(tmp_path):
    options = "--activation relu --layer-norm-epsilon 1e-3 --no-scale-attn-weights --untied"
    config = load(written(tmp_path, f"{SMALL} --n-inner 100 {options}")).config
    assert (config.activation_function, config.layer_norm_epsilon) == ("relu", 1e-3)
    assert (config.scale_attn_weights, config.tie_word_embeddings) == (False, False)
    assert (config.n_inner, config.attn_pdrop) == (100, 0.1)


@pytest.mark.parametrize(
    "option",
    [
        "--activation relu",
        "--layer-norm-epsilon 0.1",
        "--no-scale-attn-weights",
        "--scale-attn-by-inverse-layer-idx",
        "--untied",
    ],
)
def test_each_arithmetic_option_changes_the_logits_visibly(tmp_path, option):
    plain = logits_of(load(written(tmp_path / "plain", SMALL)))
    changed = logits_of(load(written(tmp_path / "changed", f"{SMALL} {option}")))
    assert (plain - changed).abs().max() > 0.01 * plain.std()


def test_outliers_dominate_the_first_token_and_stand_out_elsewhere(tmp_path):
    dims = [5, 17, 59]
    model = load(written(tmp_path, f"{SMALL} --outlier-dims 5,17,59 --outlier-scale 3000"))
    with torch.inference_mode():
        states = model(torch.arange(12)[None], output_hidden_states=True).hidden_states
    others = [dim for dim in range(60) if dim not in dims]
    for state in states[1:-1]:  # raw outputs of blocks; the last one of the tuple is after ln_f
        first, rest = state[0, 0].abs(), state[0, 1:].abs()
        assert (first[dims] > 2500).all() and first[others].max() < 30
        assert (rest[:, dims] > 30).all() and (rest[:, dims] < 100).all()
        assert rest[:, others].max() < 30
    assert states[1][0, 0, 5] > 0 > states[1][0, 0, 17]


def test_the_tokenizer_comes_along_only_where_it_fits(tmp_path):
    full = written(tmp_path / "full", "--n-layer 1 --n-embd 4 --n-head 1 --n-positions 8")
    for name in ("vocab.json", "merges.txt"):
        expected = (MODELS / "hydrophone-gpt2-tiny" / name).read_bytes()
        assert (full / name).read_bytes() == expected
    assert not (written(tmp_path / "small", TINY) / "vocab.json").exists()
    refused = write(tmp_path / "other", f"{TINY} --tokenizer {MODELS / 'hydrophone-gpt2-tiny'}")
    assert refused.returncode == 2 and "50257 entries, --vocab-size is 5" in refused.stderr


def test_writing_again_leaves_nothing_of_the_earlier_weights(tmp_path):
    written(tmp_path, SMALL + " --shards 3")
    written(tmp_path, TINY)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.json", "model.safetensors"]


@pytest.mark.parametrize(
    "options, complaint",
    [
        ("--n-embd 60 --n-head 7", "--n-embd 60 is not a multiple of --n-head 7"),
        (TINY + " --outlier-dims 8", "--outlier-dims 8 is outside 0..7"),
        (TINY + " --shards 99", "--shards 99 is more than there are tensors"),
        (TINY + " --n-layer 0", "--n-layer must be at least 1, got 0"),
    ],
)
def test_impossible_options_are_refused_by_name(tmp_path, options, complaint):
    result = write(tmp_path / "out", options)
    assert result.returncode == 2
    assert complaint in result.stderr
