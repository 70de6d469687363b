"""The server's tokenizer does what the checkpoint's own does in transformers."""

import json

import pytest
import torch
import transformers
from conftest import DEFAULT_MODEL, Server
from python_client import hp

TEXTS = ["Hello world", "", "naïve 日本 😀", " leading", "a<|endoftext|>b\n\n  c", "The capital of France is Paris."]


@pytest.fixture(scope="module")
def theirs():
    made = transformers.GPT2Tokenizer.from_pretrained(DEFAULT_MODEL, add_bos_token=True, local_files_only=True)
    made.pad_token = made.eos_token
    return made


@pytest.fixture(scope="module")
def ask(server):
    with hp.Client(server.address, progress=False) as client:
        yield client


@pytest.fixture(scope="module")
def ours(ask):
    from hydrophone.transformer_lens.tokenizer import ServerTokenizer

    return ServerTokenizer(ask, ask.model())


CALLS = {
    "a text": ("Hello world", {}),
    "a batch": (TEXTS, {}),
    "without specials": (TEXTS, {"add_special_tokens": False}),
    "padded": (TEXTS, {"padding": True, "return_tensors": "pt"}),
    "padded on the left": (TEXTS, {"padding": True, "padding_side": "left", "return_tensors": "pt"}),
    "truncated": (TEXTS, {"truncation": True, "max_length": 4}),
    "truncated and padded": (TEXTS, {"truncation": True, "max_length": 5, "padding": "max_length"}),
    "to a multiple": (TEXTS, {"padding": True, "pad_to_multiple_of": 8}),
    "specials as text": ("a<|endoftext|>b", {"split_special_tokens": True}),
    "one as a tensor": ("Hello world", {"return_tensors": "pt"}),
    "without a mask": (TEXTS, {"return_attention_mask": False}),
}


@pytest.mark.parametrize("call", CALLS)
def test_it_encodes_as_transformers_does(ours, theirs, call):
    given, options = CALLS[call]
    made, expected = ours(given, **options), theirs(given, **options)
    assert set(made) == set(expected)
    for name in expected:
        assert (
            torch.equal(torch.as_tensor(made[name]), torch.as_tensor(expected[name]))
            if isinstance(expected[name], torch.Tensor)
            else made[name] == expected[name]
        )
    assert ours.encode("Hello world") == theirs.encode("Hello world")


def test_it_decodes_as_transformers_does(ours, theirs):
    ids = theirs(TEXTS)["input_ids"]
    halves = [[each] for row in ids for each in row]  # of a character too
    for given in (ids, halves, ids[2], ids[2][0], torch.tensor(ids[0]), torch.tensor([ids[0]]), [], ids[1]):
        for skip in (False, True):
            assert ours.decode(given, skip_special_tokens=skip) == theirs.decode(given, skip_special_tokens=skip)
    assert ours.batch_decode(ids, clean_up_tokenization_spaces=False) == theirs.batch_decode(ids)


def test_it_names_tokens_as_transformers_does(ours, theirs):
    assert ours.get_vocab() == theirs.get_vocab()
    assert len(ours) == len(theirs) == ours.vocab_size
    assert ours.tokenize("naïve Hello") == theirs.tokenize("naïve Hello")
    pieces = theirs.convert_ids_to_tokens([15496, 995, 50256])
    assert ours.convert_ids_to_tokens([15496, 995, 50256]) == pieces
    assert ours.convert_tokens_to_ids(pieces) == [15496, 995, 50256] and ours.convert_tokens_to_ids("no such") is None
    assert ours.convert_tokens_to_string(pieces) == theirs.convert_tokens_to_string(pieces)


def test_its_special_tokens_and_its_sides_are_those_of_transformers(ours, theirs):
    for name in ("bos_token", "eos_token", "pad_token", "bos_token_id", "eos_token_id", "pad_token_id"):
        assert getattr(ours, name) == getattr(theirs, name), name
    assert (ours.padding_side, ours.truncation_side) == (theirs.padding_side, theirs.truncation_side)
    assert "ServerTokenizer" in repr(ours) and not ours.is_fast


def test_another_token_of_the_vocabulary_may_pad(ask):
    from hydrophone.transformer_lens.tokenizer import ServerTokenizer

    tokenizer = ServerTokenizer(ask, ask.model())
    tokenizer.pad_token = "!"
    assert tokenizer.pad_token_id == 0
    assert tokenizer(["a", "a b"], padding=True)["input_ids"][0][-1] == 0


def test_many_texts_go_in_parts(ask, monkeypatch):
    from hydrophone.transformer_lens import tokenizer as module

    monkeypatch.setattr(module, "_MOST_CHARACTERS", 40)
    monkeypatch.setattr(module, "_MOST_IDS", 9)
    tokenizer = module.ServerTokenizer(ask, ask.model())
    texts = [f"number {number} of many" for number in range(9)] + ["x" * 100]
    rows = tokenizer(texts, add_special_tokens=False)["input_ids"]
    assert rows == [list(info.token_ids) for info in ask.tokenize(texts)]
    assert tokenizer.decode(rows) == texts
    assert tokenizer.convert_ids_to_tokens(rows[0] + rows[-1]) == [
        piece for info in ask.tokenize([texts[0], texts[-1]]) for piece in info.pieces
    ]


@pytest.mark.parametrize(
    "what, call",
    [
        ("text_pair=", lambda tokenizer: tokenizer("a", "b")),
        ("is_split_into_words=", lambda tokenizer: tokenizer(["a"], is_split_into_words=True)),
        ("return_offsets_mapping=", lambda tokenizer: tokenizer("a", return_offsets_mapping=True)),
        ("no text", lambda tokenizer: tokenizer([1, 2])),
        ("adding the tokens", lambda tokenizer: tokenizer.add_special_tokens({"cls_token": "<CLS>"})),
    ],
)
def test_what_it_cannot_do_is_refused(ask, what, call):
    from hydrophone.transformer_lens.tokenizer import ServerTokenizer

    with pytest.raises(NotImplementedError, match=what):
        call(ServerTokenizer(ask, ask.model()))


def test_what_the_checkpoint_puts_around_a_text_is_put_once(tmp_path):
    from hydrophone.transformer_lens.tokenizer import ServerTokenizer

    for name in ("config.json", "model.safetensors", "vocab.json", "merges.txt"):
        (tmp_path / name).symlink_to(DEFAULT_MODEL / name)
    settings = {"tokenizer_class": "GPT2Tokenizer", "add_bos_token": True, "add_prefix_space": True}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(settings))
    theirs = transformers.GPT2Tokenizer.from_pretrained(tmp_path, local_files_only=True)
    with Server(tmp_path) as server, hp.Client(server.address, progress=False) as client:
        ours = ServerTokenizer(client, client.model())
        assert client.model().ids_before_text == (50256,)
        for special in (True, False):
            given = ["Hello world", " leading"]
            made = ours(given, add_special_tokens=special)["input_ids"]
            assert made == theirs(given, add_special_tokens=special)["input_ids"]
        assert ours(["a b c d"], truncation=True, max_length=3) == theirs(["a b c d"], truncation=True, max_length=3)
