"""Directories with tokenizer settings: the ids are those of Hugging Face's AutoTokenizer for the same directory,
or the directory is refused, naming the file and the field."""

import json
import random
import shutil
import subprocess

import pytest
import tokenizer_inputs
from test_tokenizer_parity import AS_LITERAL, AS_TOKENS, MODEL, build_directory, encode_all
from transformers import AddedToken, AutoTokenizer, GPT2Tokenizer

CONFIG, MAP, ADDED = "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"


def written(name, **fields):
    """A token as an object of special_tokens_map.json or added_tokens_decoder."""
    flags = {"lstrip": False, "rstrip": False, "single_word": False, "normalized": False}
    return {"content": name} | flags | fields


def typed(name, **fields):
    return written(name, **fields) | {"__type": "AddedToken"}


def decoder(*tokens, first=50257):
    return {str(first + i): token for i, token in enumerate(tokens)}


# Beside vocab.json and merges.txt: what each file holds.
BESIDE_TWO_FILES = {
    "nothing": {},
    "an empty config": {CONFIG: {}},
    "prefix space": {CONFIG: {"add_prefix_space": True}},
    "bos": {CONFIG: {"add_bos_token": True}},
    "bos and eos": {CONFIG: {"add_bos_token": True, "add_eos_token": True, "eos_token": "</s>"}},
    "bos of none": {CONFIG: {"add_bos_token": True, "bos_token": None}},
    "null flags": {CONFIG: {"add_bos_token": None, "pad_token": None}},
    "bos and prefix space": {CONFIG: {"add_bos_token": True, "add_prefix_space": True, "pad_token": "[PAD]"}},
    "pad": {CONFIG: {"pad_token": "[PAD]"}},
    "pad that strips": {CONFIG: {"pad_token": typed("[PAD]", lstrip=True, rstrip=True)}},
    "pad in the map": {MAP: {"pad_token": "[PAD]", "bos_token": written("<s>"), "unk_token": None}},
    "the map strips": {MAP: {"mask_token": written("[MASK]", lstrip=True), "pad_token": written("[PAD]", rstrip=True)}},
    "added tokens": {ADDED: {"[PAD]": 50300, "<x>": 50257}},
    "added and special": {ADDED: {"[PAD]": 50258, "<x>": 50257}, CONFIG: {"pad_token": "[PAD]"}},
    "added in the vocabulary": {ADDED: {"the": 50257, "hello": 50258}},
    "decoder": {CONFIG: {"added_tokens_decoder": decoder(written("[PAD]", special=True), written("<x>"))}},
    "decoder replaces the map": {
        CONFIG: {"added_tokens_decoder": decoder(written("<x>", special=True), first=50260)},
        MAP: {"pad_token": "[PAD]"},
        ADDED: {"</s>": 50257},
    },
    "decoder in another order": {
        CONFIG: {"added_tokens_decoder": {"50258": written("<x>", lstrip=True), "50257": written("[PAD]", rstrip=True)}}
    },
    "normalized": {
        CONFIG: {"added_tokens_decoder": decoder(written("a<x>", normalized=True), written("<x>b", special=True))}
    },
    "overlapping": {CONFIG: {"extra_special_tokens": ["<x>", "<x><x>", "x><", "<"]}},
    "of other scripts": {CONFIG: {"extra_special_tokens": ["naïve", "日本", "Ġworld", " hello "]}},
    "additional": {CONFIG: {"additional_special_tokens": ["[PAD]", "<x>"]}},
    "additional in the map": {MAP: {"additional_special_tokens": ["[PAD]", "<x>"]}},
    "extra in both": {CONFIG: {"extra_special_tokens": ["<x>"]}, MAP: {"extra_special_tokens": ["[PAD]", "<x>"]}},
    "both names": {CONFIG: {"extra_special_tokens": ["<x>"]}, MAP: {"additional_special_tokens": ["[PAD]"]}},
    "extra with a name": {CONFIG: {"extra_special_tokens": {"image_token": "<x>"}}},
    "a name of its own": {CONFIG: {"image_token": "<x>", "pad_token": "[PAD]"}},
    "every role": {
        CONFIG: {f"{role}_token": f"<{role}>" for role in ("mask", "cls", "pad", "sep", "unk", "eos", "bos")}
    },
    "other specials": {CONFIG: {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}},
    "no specials": {CONFIG: {"bos_token": None, "eos_token": None, "unk_token": None}},
    "eos that strips": {CONFIG: {"eos_token": typed("<|endoftext|>", lstrip=True, rstrip=True)}},
    "bos that strips": {CONFIG: {"bos_token": typed("<|endoftext|>", lstrip=True, rstrip=True)}},
    "decoding settings": {CONFIG: {"clean_up_tokenization_spaces": True, "errors": "ignore", "padding_side": "left"}},
    "its class": {CONFIG: {"tokenizer_class": "GPT2TokenizerFast", "model_max_length": 7}},
}


def two_files(directory, files):
    for name in ("vocab.json", "merges.txt", "config.json"):
        shutil.copy(MODEL / name, directory)
    for name, content in files.items():
        (directory / name).write_text(json.dumps(content))


def saved(tokenizer, directory, **config):
    tokenizer.save_pretrained(directory)
    shutil.copy(MODEL / "config.json", directory)
    path = directory / CONFIG
    path.write_text(json.dumps(json.loads(path.read_text()) | config))


def gpt2(**fields):
    return GPT2Tokenizer.from_pretrained(MODEL, **fields)


def with_tokens(tokenizer, tokens, special=False):
    tokenizer.add_tokens(tokens, special_tokens=special)
    return tokenizer


def in_tokenizer_json(directory, change):
    path = directory / "tokenizer.json"
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


def template(document):
    begin, text = {"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}
    ids = {"id": "<s>", "ids": [11, 12], "tokens": ["a", "b"]}
    document["post_processor"] = {
        "type": "TemplateProcessing",
        "single": [begin, text, begin],
        "pair": [text, {"Sequence": {"id": "B", "type_id": 1}}],
        "special_tokens": {"<s>": ids},
    }


def truncated(document):
    document["truncation"] = {"direction": "Right", "max_length": 3, "strategy": "LongestFirst", "stride": 0}
    pad = {"pad_id": 0, "pad_type_id": 0, "pad_token": "[PAD]", "pad_to_multiple_of": None, "direction": "Right"}
    document["padding"] = {"strategy": "BatchLongest"} | pad


def changed(change, **config):
    def write(directory):
        saved(gpt2(), directory, **config)
        in_tokenizer_json(directory, change)

    return write


WHOLE = {"tokenizer_class": "PreTrainedTokenizerFast"}

# Written by save_pretrained: tokenizer.json and tokenizer_config.json.
BY_SAVE_PRETRAINED = {
    "plain": lambda d: saved(gpt2(), d),
    "prefix space": lambda d: saved(gpt2(add_prefix_space=True), d),
    "bos": lambda d: saved(gpt2(add_bos_token=True), d),
    "pad": lambda d: saved(gpt2(pad_token="[PAD]"), d),
    "added": lambda d: saved(with_tokens(gpt2(), ["<x>", AddedToken("[PAD]", lstrip=True, rstrip=True)]), d),
    "added specials": lambda d: saved(with_tokens(gpt2(), ["<x>", "[PAD]"], special=True), d),
    "added, without a config": lambda d: (
        saved(with_tokens(gpt2(), ["<x>"], special=True), d),
        (d / CONFIG).unlink(),
    ),
    "template": changed(template),
    "template and add_bos_token": changed(template, add_bos_token=True),
    "truncation and padding": changed(truncated),
    "a normalizer that does not count": changed(lambda j: j.update(normalizer={"type": "Lowercase"})),
    "a space that does not count": changed(lambda j: j["pre_tokenizer"].update(add_prefix_space=True)),
    "no post-processor": changed(lambda j: j.update(post_processor=None), add_bos_token=True),
    "whole": lambda d: saved(gpt2(), d, **WHOLE),
    "whole with a space": lambda d: saved(gpt2(add_prefix_space=True), d, **WHOLE),
    "whole with pad": lambda d: saved(gpt2(pad_token="[PAD]"), d, cls_token="<x>", **WHOLE),
    "whole with a template": changed(template, **WHOLE),
    "beside two other files": lambda d: (saved(gpt2(pad_token="[PAD]"), d), (d / "vocab.json").write_text("damaged")),
}

SAID = ["[PAD]", "<x>", "<x", "x>", "<s>", "</s>", "<unk>", "<pad>", "<mask>", "a<x>b", "[MASK]"]
SAID += ["日本", "Ġworld", "naïve", "hello "]


@pytest.fixture(scope="module")
def texts():
    """Generated texts, and the spellings of the added tokens between spaces of all kinds and words."""
    parts = SAID + tokenizer_inputs.SPACES + tokenizer_inputs.WORDS + ["<|endoftext|>", "'s", "\t", "a", " "]
    rng = random.Random(7)
    mixed = ["".join(rng.choice(parts) for _ in range(rng.randrange(1, 12))) for _ in range(1500)]
    return ["", " ", "Hello", " Hello", "\n", *SAID, *mixed, *tokenizer_inputs.generated_texts()[::40]]


def expect_hugging_faces_ids(directory, texts):
    theirs = AutoTokenizer.from_pretrained(directory)
    data = [text.encode() for text in texts]
    got = encode_all(data, AS_TOKENS, directory, "--framed")
    literal = encode_all(data, AS_LITERAL, directory, "--framed")
    for i, text in enumerate(texts):
        assert [token[0] for token in got[i]] == theirs(text)["input_ids"], repr(text)
        expected = theirs(text, split_special_tokens=True)["input_ids"]
        assert [token[0] for token in literal[i]] == expected, repr(text)
        assert all(0 <= begin <= end <= len(data[i]) for _, begin, end in got[i]), repr(text)
        assert [a[2] for a in got[i]][:-1] == [b[1] for b in got[i]][1:], repr(text)


@pytest.mark.parametrize("name", BESIDE_TWO_FILES)
def test_settings_beside_vocab_json_count_as_hugging_faces(name, texts, tmp_path):
    two_files(tmp_path, BESIDE_TWO_FILES[name])
    expect_hugging_faces_ids(tmp_path, texts)


@pytest.mark.parametrize("name", BY_SAVE_PRETRAINED)
def test_what_save_pretrained_writes_counts_as_hugging_faces(name, texts, tmp_path):
    BY_SAVE_PRETRAINED[name](tmp_path)
    expect_hugging_faces_ids(tmp_path, texts)


def refusal(directory):
    command = [build_directory() / "tests/tokenize_dump", directory, "--framed"]
    done = subprocess.run(command, input=b"", capture_output=True, check=False)
    assert done.returncode == 1
    return done.stderr.decode()


REFUSED = {
    "whole words": ({CONFIG: {"added_tokens_decoder": decoder(written("x", single_word=True))}}, ".single_word is"),
    "split": ({CONFIG: {"split_special_tokens": True}}, "split_special_tokens is true"),
    "flag": ({CONFIG: {"add_prefix_space": "yes"}}, 'add_prefix_space is "yes", expected true or false'),
    "class": ({CONFIG: {"tokenizer_class": "RobertaTokenizer"}}, 'tokenizer_class is "RobertaTokenizer"'),
    "no tokenizer.json": ({CONFIG: WHOLE}, 'tokenizer_class is "PreTrainedTokenizerFast"'),
    "no token": ({CONFIG: {"pad_token": 7}}, "pad_token is 7, expected a token"),
    "no type": ({CONFIG: {"pad_token": written("[PAD]")}}, "pad_token is {"),
    "no list": ({CONFIG: {"extra_special_tokens": "<x>"}}, 'extra_special_tokens is "<x>", expected a list'),
    "no decoder": ({CONFIG: {"added_tokens_decoder": []}}, "added_tokens_decoder is [], expected an object"),
    "no id": ({ADDED: {"<x>": "7"}}, 'added_tokens.json: ["<x>"] is "7", expected an id'),
    "two names": ({CONFIG: {"image_token": "<i>", "audio_token": "<a>"}}, "both audio_token and image_token add"),
    "no object": ({MAP: []}, "special_tokens_map.json: the whole is [], expected an object"),
    "code": ({CONFIG: {"auto_map": {"AutoTokenizer": ["a.B", None]}}}, "auto_map is {"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_built_is_refused_by_file_and_field(name, tmp_path):
    files, message = REFUSED[name]
    two_files(tmp_path, files)
    said = refusal(tmp_path)
    assert next(iter(files)) in said and message in said


@pytest.mark.parametrize("file", [CONFIG, MAP, ADDED, "tokenizer.json"])
def test_a_damaged_file_is_refused_with_its_cause(file, tmp_path):
    two_files(tmp_path, {})
    (tmp_path / file).write_text("{")
    said = refusal(tmp_path)
    assert f"{file}: is not JSON" in said


@pytest.mark.parametrize("change", ["normalizer", "pre_tokenizer", "use_regex", "dropout", "ignore_merges"])
def test_a_tokenizer_json_that_is_taken_whole_must_be_gpt2s(change, tmp_path):
    def spoil(document):
        if change == "use_regex":
            document["pre_tokenizer"]["use_regex"] = False
        elif change in document["model"]:
            document["model"][change] = 0.5 if change == "dropout" else True
        else:
            document[change] = {"type": "Lowercase"} if change == "normalizer" else {"type": "Whitespace"}

    changed(spoil, **WHOLE)(tmp_path)
    said = refusal(tmp_path)
    assert "tokenizer.json: " in said and change in said


def test_small_vocabularies_with_other_specials_or_none(texts, tmp_path):
    source = json.loads((MODEL / "vocab.json").read_text())
    pieces = [piece for piece in source if len(piece) == 1][:256]
    for specials in ([], ["<s>", "</s>"]):
        directory = tmp_path / f"of {len(specials)}"
        directory.mkdir()
        roles = dict(zip(("bos_token", "eos_token"), [*specials, None, None], strict=False))
        two_files(directory, {CONFIG: roles | {"unk_token": None, "add_bos_token": True}})
        (directory / "vocab.json").write_text(json.dumps({piece: i for i, piece in enumerate(specials + pieces)}))
        (directory / "merges.txt").write_text("#version: 0.2\n")
        expect_hugging_faces_ids(directory, texts)
