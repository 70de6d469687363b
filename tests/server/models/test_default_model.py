"""The default model is a Hugging Face directory that has learned something, as its card says."""

import importlib
import json
import pathlib
import sys

import pytest
import safetensors
import torch
import transformers

MODELS = pathlib.Path(__file__).resolve().parents[3] / "server" / "models"
MODEL = MODELS / "hydrophone-gpt2-tiny"


def model_card():
    """The module that writes the card; it belongs to no package."""
    sys.path.insert(0, str(MODELS))
    return importlib.import_module("model_card")


# The end of the text, which lies in the held-out tenth (public domain).
HELD_OUT = """\
GONZALO:
No, I warrant you; I will not adventure
my discretion so weakly. Will you laugh
me asleep, for I am very heavy?

ANTONIO:
Go sleep, and hear us.

ALONSO:
What, all so soon asleep! I wish mine eyes
Would, with themselves, shut up my thoughts: I find
They are inclined to do so.

SEBASTIAN:
Please you, sir,
Do not omit the heavy offer of it:
It seldom visits sorrow; when it doth,
It is a comforter.

ANTONIO:
We two, my lord,
Will guard your person while you take your rest,
And watch your safety.

ALONSO:
Thank you. Wondrous heavy.

SEBASTIAN:
What a strange drowsiness possesses them!

ANTONIO:
It is the quality o' the climate.

SEBASTIAN:
Why
Doth it not then our eyelids sink? I find not
Myself disposed to sleep.
"""


@pytest.fixture(scope="module")
def tokenizer():
    return transformers.AutoTokenizer.from_pretrained(MODEL, local_files_only=True)


@pytest.fixture(scope="module")
def model():
    loaded, report = transformers.AutoModelForCausalLM.from_pretrained(
        MODEL, dtype=torch.float32, output_loading_info=True, local_files_only=True
    )
    assert not any(report.values()), report
    return loaded.eval()


@pytest.fixture(scope="module")
def figures():
    return json.loads((MODEL / "training.json").read_text())


def losses(model, ids, first_position=0):
    """The loss (nats) of each token of `ids` but the first."""
    inputs = torch.tensor(ids)[None]
    positions = torch.arange(first_position, first_position + len(ids))[None]
    with torch.inference_mode():
        logits = model(inputs, position_ids=positions).logits[0, :-1]
    return torch.nn.functional.cross_entropy(logits, inputs[0, 1:], reduction="none")


def test_its_shape_is_gpt2_in_small(model):
    config = model.config
    assert (config.n_layer, config.n_embd, config.n_head) == (12, 64, 4)
    assert (config.n_positions, config.vocab_size) == (1024, 50257)
    assert (config.resid_pdrop, config.embd_pdrop, config.attn_pdrop) == (0.1, 0.1, 0.1)
    assert config.activation_function == "gelu_new" and config.tie_word_embeddings


def test_its_weights_are_small_fp16_and_finite():
    assert (MODEL / "model.safetensors").stat().st_size <= 8_000_000
    with safetensors.safe_open(MODEL / "model.safetensors", "pt") as file:
        names = file.keys()
        tensors = {name: file.get_tensor(name) for name in names}
    assert "lm_head.weight" not in tensors and len(tensors) == 148
    for name, tensor in tensors.items():
        assert tensor.dtype == torch.float16 and torch.isfinite(tensor).all(), name


def test_its_tokenizer_is_gpt2s(tokenizer):
    assert tokenizer("hello").input_ids == [31373]
    assert tokenizer("<|endoftext|>").input_ids == [50256]
    ids = tokenizer("Plants make fantastic pets because they don't").input_ids
    assert ids == [3646, 1187, 787, 9623, 17252, 780, 484, 836, 470]


@pytest.mark.parametrize("first_position", [0, 400, 784])
def test_it_predicts_unseen_text_better_than_token_frequencies(model, tokenizer, figures, first_position):
    ids = tokenizer(HELD_OUT).input_ids
    assert len(ids) == 240
    loss = losses(model, ids, first_position).mean().item()
    assert loss < figures["unigram_own_entropy"] - 0.5


def test_it_uses_context(model, tokenizer):
    ids = tokenizer(HELD_OUT).input_ids
    shuffled = [ids[i] for i in torch.randperm(len(ids), generator=torch.Generator().manual_seed(0))]
    assert losses(model, shuffled).mean() > losses(model, ids).mean() + 1


def test_the_card_states_what_was_measured(figures):
    assert (MODEL / "README.md").read_text(encoding="utf-8") == model_card().render(MODEL)
    assert figures["held_out_loss_128"] < figures["unigram_own_entropy"] - 0.5
    assert max(figures["held_out_loss_1024_by_eighth"]) < figures["unigram_own_entropy"] - 0.5
    assert figures["weights_bytes"] == (MODEL / "model.safetensors").stat().st_size
