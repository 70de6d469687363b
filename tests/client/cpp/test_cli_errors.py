"""What the server refuses is told in the words of the command line."""

import json

import pytest

EXPECTED_LAYERS = "got 99, expected -12 to 11"
EDIT = "blocks.5.hook_z heads=99 zero"
PATCH = "blocks.4.hook_resid_post pos=-1 patch=source:7"
NO_TOKENS = "got no tokens, expected a text, bytes or token ids that is not empty"
ONE_TOKEN = "of one token, expected at least two"
NO_HEADS = "got heads of blocks.L.hook_attn_out, which has none; expected no heads"

# Command lines, and the lines on stderr, without the code before the first of them and the reason after it.
REFUSED = [
    ("extract --hook attn.c_proj --layers 0,99 x", [f"--layers 0,99: {EXPECTED_LAYERS}"]),
    ("extract --hook attn.c_proj@99 x", [f"--hook attn.c_proj@99: {EXPECTED_LAYERS}"]),
    ("extract --hook blocks.99.hook_z x", ["--hook blocks.99.hook_z: got layer 99, expected -12 to 11"]),
    (
        "extract --hook attn.c_porj x",
        ['--hook attn.c_porj: no hook point is called "attn.c_porj"; the nearest names are attn.c_proj'],
    ),
    (
        "extract --hook attn.c_proj --hook blocks.5.hook_z@3 --heads 20 x",
        [
            "--hook blocks.5.hook_z@3: got layers beside the one in the name, expected none (and 1 more)",
            f"--heads 20: {NO_HEADS}",
        ],
    ),
    (
        "extract --hook attn.c_proj --positions 10,0 x",
        ["--positions 10,0: got 10, expected -1 to 0: the run has 1 tokens"],
    ),
    ("extract --hook attn.c_proj --features 64 x", ["--features 64: got 64, expected -64 to 63"]),
    (
        "extract --hook attn.c_proj --positions 10: --reduce mean x",
        ['--reduce mean: got no positions of the run of "x", expected at least one to reduce'],
    ),
    (
        "extract --hook hook_z --threshold -1 x",
        ["--threshold -1: got -1, expected a finite magnitude, 0 or more"],
    ),
    (
        "extract --hook hook_pattern --layout rows x",
        [
            "--layout rows: got rows for --hook hook_pattern (blocks.L.attn.hook_pattern), expected per-run: "
            "a row has as many keys as its run has tokens"
        ],
    ),
    ("extract --top-k 99999 x", ["--top-k 99999: got 99999, expected at most 50257, the vocabulary's size"]),
    ("extract --tokens 99999 x", ["--tokens 99999: got 99999, expected an id below 50257"]),
    (
        "extract --tokens 1 --features 3 x",
        ["--features 3: got heads or features beside a logit lens, expected none: it reads whole rows"],
    ),
    ("extract --metric loss x", [f'--metric loss: got the run of "x" {ONE_TOKEN}']),
    (
        "extract --metric logit-diff(99999,1)@5 x",
        [
            "--metric logit-diff(99999,1)@5: got 99999, expected an id below 50257 (and 1 more)",
            "--metric logit-diff(99999,1)@5: got 5, expected -1 to 0: the run has 1 tokens",
        ],
    ),
    (
        ["extract", "--metric", "loss", "--edit", EDIT, "--edit", "logits zero", "x"],
        [
            f'--edit "{EDIT}", heads=: got 99, expected -4 to 3 (and 3 more)',
            '--edit "logits zero": got logits, which can be captured but not edited; expected ln_final.hook_out',
            f'--metric loss: got the clean run of "x" {ONE_TOKEN}',
            f'--metric loss: got the edited run of "x" {ONE_TOKEN}',
        ],
    ),
    (
        ["extract", "--edit", "hook_z zero", "x"],
        [
            '--edit "hook_z zero", layers (HOOK@LAYERS): got no layers, expected them here, or in the hook\'s name a '
            'number, or "*" for all'
        ],
    ),
    (
        ["extract", "--edit", "hook_embed zero", "--edit", "hook_embed set=3", "x"],
        [
            '--edit "hook_embed set=3": got an edit that sets elements which --edit "hook_embed zero" sets too; '
            "expected each element set once"
        ],
    ),
    (
        ["extract", "--edit", PATCH, "--patch-from", "The capital", "x"],
        [f'--edit "{PATCH}", patch=: got 7, expected -2 to 1: the run has 2 tokens'],
    ),
    (["extract", "--edit", "hook_embed patch=source", "--patch-from", "", "x"], [f'--patch-from "": {NO_TOKENS}']),
    (
        "extract --max-new-tokens 2000 x",
        ["--max-new-tokens 2000: got 2000, expected at most 1023: a context of 1024 less a token to continue"],
    ),
    (["extract", "--hook", "hook_z", "a", "", "b"], [f'"": {NO_TOKENS}']),
    (["tokenize", ""], [f'"": {NO_TOKENS}']),
    (["verify", ""], [f'"": {NO_TOKENS}']),
    ("verify --layers 99 x", [f"--layers 99: {EXPECTED_LAYERS}"]),
    ("verify --mask-quantile 0 x", ["--mask-quantile 0: got 0, expected more than 0 and at most 1"]),
]


# Command lines with an option that would change nothing beside the others.
IDLE = [
    ("extract --hook hook_embed --force x", "--force requires --out"),
    ("extract --hook hook_embed --all --out x.safetensors x", "--all excludes --out"),
    ("extract --hook hook_resid_post@1 --layers 3 x", "--layers 3: got layers that no --hook takes"),
    ("extract --hook blocks.1.hook_resid_post --layers 3 x", "--layers 3: got layers that no --hook takes"),
    ("extract --hook logits --layers 3 x", "--layers 3: got layers that no --hook takes"),
    ("extract --hook hook_embed --dtype float16 x", "--dtype float16: got a type for --view preview"),
    ("extract --hook hook_embed --dtype float16 --json x", "--dtype float16: got a type for --view floats"),
    ("extract --top-k 3 --layout rows x", "a logit lens gives scores: --view, --layout"),
    (["extract", "--edit", "hook_embed zero", "--layout", "rows", "x"], "--edit compares runs: --view, --layout"),
    ("verify --prepend-bos", "--prepend-bos: got no inputs, where the server verifies its own sentence"),
    ("verify --literal-specials", "--literal-specials: got no inputs"),
    ("verify --file /dev/null", "no inputs: give TEXT, --file or --jsonl"),
    ("parameters --name wte.weight --rows 1", "--rows requires --out"),
    ("tokenize --file - --jsonl -", "--jsonl -: got the standard input that --file - reads, expected it once"),
]


@pytest.mark.parametrize("arguments, said", IDLE, ids=[str(line[0]) for line in IDLE])
def test_an_option_that_would_change_nothing_is_refused(hydrophone, arguments, said):
    words = arguments.split() if isinstance(arguments, str) else arguments
    assert said in hydrophone(*words, status=2)


@pytest.mark.parametrize("arguments, lines", REFUSED, ids=[str(line[0]) for line in REFUSED])
def test_a_refusal_names_what_was_typed(hydrophone, arguments, lines):
    words = arguments.split() if isinstance(arguments, str) else arguments
    first, *more = lines
    expected = [f"hydrophone: INVALID_ARGUMENT: {first} [BAD_REQUEST]", *(f"  {line}" for line in more)]
    assert hydrophone(*words, status=3).splitlines() == expected


def test_lines_of_files_are_named(hydrophone, tmp_path):
    prompts, inputs = tmp_path / "prompts.txt", tmp_path / "inputs.jsonl"
    prompts.write_text("one two\nhello\n")
    assert f"--metric loss: got the run of {prompts}:2 {ONE_TOKEN}" in hydrophone(
        "extract", "--metric", "loss", "--file", prompts, status=3
    )
    inputs.write_text(
        '{"text": "a"}\n\n{"token_ids": [1, 70000]}\n' + json.dumps({"text": "a", "key": "k" * 300}) + "\n"
    )
    for command in (["tokenize"], ["extract", "--hook", "hook_z"], ["verify"]):
        assert hydrophone(*command, "--jsonl", inputs, status=3).splitlines() == [
            f"hydrophone: INVALID_ARGUMENT: {inputs}:3, token_ids[1]: got 70000, expected an id below 50257 "
            "(and 1 more) [BAD_REQUEST]",
            f"  {inputs}:4, key: got 300 bytes, expected at most 256",
        ]


def test_a_later_parts_refusal_names_its_own_line(hydrophone, tmp_path):
    """The client sends many inputs in several requests, each of which counts from 0."""
    prompts = tmp_path / "prompts.txt"
    prompts.write_text("one two\n" * 5000 + "hello\n")
    assert hydrophone("extract", "--metric", "loss", "--file", prompts, status=3).splitlines()[-1:] == [
        f"hydrophone: INVALID_ARGUMENT: --metric loss: got the run of {prompts}:5001 {ONE_TOKEN} [BAD_REQUEST]"
    ]


def test_a_request_file_keeps_its_own_paths(hydrophone, tmp_path):
    request = {
        "texts": ["a", ""],
        "inputs": [{"token_ids": [70000]}],
        "hook_points": ["hook_zz"],
        "hooks": [{"hook_point": "hook_z", "layers": [99]}],
    }
    path = tmp_path / "request.json"
    path.write_text(json.dumps(request))
    told = hydrophone("extract", "--request", path, status=3)
    for line in (
        "INVALID_ARGUMENT: texts[1]: got no tokens",
        "  inputs[0].token_ids[0]: got 70000",
        '  hook_points[0]: no hook point is called "hook_zz"',
        f"  hooks[0].layers[0]: {EXPECTED_LAYERS}",
    ):
        assert line in told


@pytest.mark.parametrize(
    "option, value", [("--layers", "six"), ("--positions", "middle"), ("--heads", "x"), ("--quantiles", "2")]
)
def test_what_the_client_refuses_itself_names_the_option(hydrophone, option, value):
    told = hydrophone("extract", "--hook", "hook_z", option, value, "x", status=2)
    assert told.startswith(f'hydrophone: {option}: got "{value}", expected ')
