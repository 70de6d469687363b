"""Checkpoints as people have them, written by Hugging Face's own save_pretrained: they give Hugging Face's logits."""

import json
import shutil

import grpc
import hugging_face
import numpy as np
import pytest
import safetensors.torch
import torch
import transformers
from conftest import DEFAULT_MODEL, Server

TOLERANCE = 5e-5
IDS = [464, 2068, 7586, 21831, 50256, 13]


def config(**fields):
    return transformers.GPT2Config(n_layer=2, n_embd=32, n_head=4, n_positions=64, initializer_range=0.2, **fields)


def language_model(**fields):
    torch.manual_seed(0)
    return transformers.GPT2LMHeadModel(config(**fields))


def renamed(directory, rename):
    """Writes the weights anew under rename(name); a name that becomes None is left out."""
    path = directory / "model.safetensors"
    weights = {rename(name): value for name, value in safetensors.torch.load_file(path).items()}
    safetensors.torch.save_file({name: value for name, value in weights.items() if name}, path, {"format": "pt"})


def of_another_class(name):
    def write(directory):
        torch.manual_seed(0)
        getattr(transformers, name)(config(num_labels=3)).save_pretrained(directory)

    return write


def wrapped(prefix):
    def write(directory):
        language_model().save_pretrained(directory)
        original = directory / "original"
        shutil.copytree(directory, original)
        renamed(directory, lambda name: prefix + name)

    return write


def head_alone(directory):
    language_model().save_pretrained(directory)
    renamed(directory, lambda name: "lm_head.weight" if name == "transformer.wte.weight" else name)


def null_metadata(directory):
    language_model().save_pretrained(directory)
    path = directory / "model.safetensors"
    stored = path.read_bytes()
    size = int.from_bytes(stored[:8], "little")
    header = json.loads(stored[8 : 8 + size])
    header["__metadata__"] = None
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + stored[8 + size :])


# What is written, and what GetModel says of it.
CHECKPOINTS = {
    "sequence classification": (of_another_class("GPT2ForSequenceClassification"), "1 of another head left out: score"),
    "token classification": (of_another_class("GPT2ForTokenClassification"), "2 of another head left out: classifier"),
    "question answering": (of_another_class("GPT2ForQuestionAnswering"), "2 of another head left out: qa_outputs"),
    "multiple choice": (of_another_class("GPT2DoubleHeadsModel"), "of another head left out: multiple_choice_head"),
    "compiled": (wrapped("_orig_mod."), "left _orig_mod. off"),
    "data parallel": (wrapped("module."), "left module. off"),
    "lm_head alone": (head_alone, None),
    "metadata null": (null_metadata, None),
    "float64": (lambda directory: language_model().double().save_pretrained(directory), None),
    "dropout of 1": (lambda directory: language_model(resid_pdrop=1.0).save_pretrained(directory), None),
    "padded to 50304": (lambda directory: language_model(vocab_size=50304).save_pretrained(directory), None),
    "one token added": (lambda directory: language_model(vocab_size=50258).save_pretrained(directory), None),
}


@pytest.fixture(params=CHECKPOINTS)
def checkpoint(request, tmp_path):
    write, note = CHECKPOINTS[request.param]
    write(tmp_path)
    for name in ("vocab.json", "merges.txt"):
        shutil.copy(DEFAULT_MODEL / name, tmp_path)
    return tmp_path, note


def test_it_loads_and_gives_hugging_faces_logits(checkpoint, api):
    directory, note = checkpoint
    original = directory / "original"  # Hugging Face would start from random weights under a wrapper's names
    model = hugging_face.load(original if original.exists() else directory)
    ids = [*IDS, model.config.vocab_size - 1]
    with torch.inference_mode():
        expected = model(torch.tensor([ids])).logits[0].numpy()
    with Server(directory) as server, api.connect(server.address) as client:
        notes = client.model().model.loading_notes
        extraction = client.extract(inputs=[client.pb.Input(token_ids=ids)], hook_points=["logits"])
        spelt = client.stub.Detokenize(client.pb.DetokenizeRequest(sequences=[client.pb.TokenSequence(token_ids=ids)]))
    ours = extraction.tensors[0][1]
    assert np.abs(ours - expected).max() <= TOLERANCE
    assert any(note in one for one in notes) if note else not notes
    if note:
        assert any(note in line for line in server.log)
    assert spelt.sequences[0].text.startswith("The quick brown fox")
    assert (extraction.inputs[0].pieces[-1] == "") == (model.config.vocab_size > 50257)


def test_a_continuation_ends_where_hugging_faces_does(api, tmp_path):
    model = language_model().eval()
    ids, count = [464, 2068, 7586], 20
    with torch.inference_mode():
        free = model.generate(
            torch.tensor([ids]), do_sample=False, max_new_tokens=count, eos_token_id=[], pad_token_id=0
        )
    made = free[0, len(ids) :].tolist()
    end = next(token for token in made if token != made[0])
    model.generation_config.eos_token_id = [end, 50256]
    model.save_pretrained(tmp_path)
    for name in ("vocab.json", "merges.txt"):
        shutil.copy(DEFAULT_MODEL / name, tmp_path)
    with Server(tmp_path) as server, api.connect(server.address) as client:
        assert list(client.model().model.eos_token_ids) == [end, 50256]
        inputs = [client.pb.Input(token_ids=ids)]
        extraction = client.extract(inputs=inputs, hook_points=["hook_embed"], max_new_tokens=count)
    assert list(extraction.inputs[0].token_ids) == ids + made[: made.index(end) + 1]


def refusal(call):
    with pytest.raises(grpc.RpcError) as error:
        call()
    assert error.value.code() == grpc.StatusCode.FAILED_PRECONDITION
    return error.value.details()


def test_a_directory_without_a_tokenizer_serves_ids_and_refuses_text(api, tmp_path):
    language_model().save_pretrained(tmp_path)
    with torch.inference_mode():
        expected = hugging_face.load(tmp_path)(torch.tensor([IDS])).logits[0].numpy()
    with Server(tmp_path) as server, api.connect(server.address) as client:
        pb, model = client.pb, client.model().model
        assert not model.HasField("tokenizer") and not model.tokenizer_sha256
        inputs = [pb.Input(token_ids=IDS)]
        extraction = client.extract(inputs=inputs, hook_points=["logits"])
        assert np.abs(extraction.tensors[0][1] - expected).max() <= TOLERANCE
        assert list(extraction.inputs[0].pieces) == [""] * len(IDS)
        assert client.stub.Verify(pb.VerifyRequest(inputs=inputs), timeout=60).passed
        calls = [
            lambda: client.extract(texts=["Hello"], hook_points=["logits"]),
            lambda: client.stub.Verify(pb.VerifyRequest()),
            lambda: client.stub.Tokenize(pb.TokenizeRequest(texts=["Hello"])),
            lambda: client.stub.Detokenize(pb.DetokenizeRequest(sequences=[pb.TokenSequence(token_ids=IDS)])),
        ]
        for call in calls:
            assert "no tokenizer" in refusal(call)
    assert any("no tokenizer" in line for line in server.log)


def test_a_tokenizers_settings_count_and_are_told(api, tmp_path):
    language_model(vocab_size=50258).save_pretrained(tmp_path)
    settings = {"add_prefix_space": True, "add_bos_token": True, "bos_token": "[BOS]"}
    for name in ("vocab.json", "merges.txt"):
        shutil.copy(DEFAULT_MODEL / name, tmp_path)
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(settings))
    texts = ["Hello", "", "a [BOS] b<|endoftext|>c"]
    expected = [transformers.AutoTokenizer.from_pretrained(tmp_path)(text)["input_ids"] for text in texts]
    assert expected[0] == [50257, 18435]
    with Server(tmp_path) as server, api.connect(server.address) as client:
        pb, told = client.pb, client.model().model.tokenizer
        inputs = [pb.Input(text=text, prepend_bos=once) for once in (False, True) for text in texts]
        tokens = client.stub.Tokenize(pb.TokenizeRequest(inputs=inputs)).inputs
    assert [list(one.token_ids) for one in tokens] == expected * 2
    assert list(tokens[0].byte_offsets) == [0, 0] and tokens[0].pieces[0] == "[BOS]"
    assert told.add_prefix_space and told.bos_token_id == 50257 and list(told.ids_before_text) == [50257]
    assert told.tokens == 50258 and not told.ids_after_text


def test_an_added_token_without_an_embedding_is_refused_where_a_text_has_it(api, tmp_path):
    language_model().save_pretrained(tmp_path)
    for name in ("vocab.json", "merges.txt"):
        shutil.copy(DEFAULT_MODEL / name, tmp_path)
    (tmp_path / "added_tokens.json").write_text(json.dumps({"[PAD]": 50257}))
    with Server(tmp_path) as server, api.connect(server.address) as client:
        assert client.extract(texts=["Hello"], hook_points=["logits"]).tensors
        with pytest.raises(grpc.RpcError, match="got token 50257, the model's vocabulary has 50257 tokens"):
            client.extract(texts=["Hello [PAD]"], hook_points=["logits"])
    assert any("have no embedding" in line for line in server.log)


ACTIVATIONS = sorted(set(transformers.activations.ACT2FN) - {"prelu", "xielu"})  # these have parameters of their own


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation_of_hugging_faces_table_is_done_in_float32_and_in_the_reference(api, tmp_path, activation):
    language_model(activation_function=activation).save_pretrained(tmp_path)
    for name in ("vocab.json", "merges.txt"):
        shutil.copy(DEFAULT_MODEL / name, tmp_path)
    with torch.inference_mode():
        expected = hugging_face.load(tmp_path)(torch.tensor([IDS])).logits[0].numpy()
    with Server(tmp_path) as server, api.connect(server.address) as client:
        inputs = [client.pb.Input(token_ids=IDS)]
        ours = client.extract(inputs=inputs, hook_points=["logits"]).tensors[0][1]
        report = client.stub.Verify(client.pb.VerifyRequest(inputs=inputs), timeout=60)
    assert np.abs(ours - expected).max() <= TOLERANCE
    assert report.passed, [check for check in report.checks if not check.passed]
