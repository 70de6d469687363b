"""What `hydrophone` shows on a terminal, against the default model."""

import os
import pty
import re
import subprocess

import pytest

ESCAPE = "\x1b["


def test_tokens_are_text(hydrophone):
    assert hydrophone("tokenize", "a the\n日 `").splitlines() == [
        "input 0: 6 tokens",
        "   id  token       byte",
        "   64  `a`            0",
        "  262  ` the`         1",
        "  198  `\\n`           5",
        "33768  `\\xe6\\x97`     6",
        "   98  `\\xa5`         8",
        " 4600  ` \\``          9",
    ]


def test_a_logit_lens_is_a_grid_that_ends_with_the_models_output(hydrophone):
    shown = hydrophone("extract", "--top-k", "3", "--tokens", " Paris", "--layers", "3,11", "The capital of France is")
    _, _, heading, head, *rows = shown.splitlines()
    assert heading == "logit lens of input 0, position 4, after ` is`: probabilities"
    assert re.fullmatch(r"point +1\. +2\. +3\. +` Paris`", head)
    assert [row.split("  ")[0] for row in rows] == [
        "blocks.3.hook_resid_post",
        "blocks.11.hook_resid_post",
        "output (logits)",
    ]
    assert all(re.search(r"  `[^`]+` 0\.\d{3}  .*\(\d+\.\)$", row) for row in rows)
    last, output = (re.split(r"  +", row)[1:] for row in rows[1:])
    assert last == output, "the last block's state, read out, is the model's output"


def test_one_rank_over_all_positions_is_a_grid_of_layers_and_positions(hydrophone):
    shown = hydrophone("extract", "--top-k", "1", "--positions", "all", "--layers", "0-3", "The capital of")
    assert re.search(r"^point +0 `The` +1 ` capital` +2 ` of`$", shown, re.MULTILINE)
    assert len(re.findall(r"^blocks\.\d\.hook_resid_post(  +`[^`]+`){3}$", shown, re.MULTILINE)) == 4


def test_a_continuations_text_comes_first(hydrophone):
    shown = hydrophone("extract", "--max-new-tokens", "3", "--hook", "hook_embed", "Once upon a time")
    assert re.match(r"input 0 goes on: `.+` \(3 tokens\)\n\ninput 0: 7 tokens\n", shown)


def test_many_inputs_are_not_listed_one_by_one(hydrophone, tmp_path):
    prompts = tmp_path / "prompts.txt"
    prompts.write_text("".join(f"number {i}\n" for i in range(5000)))
    choice = ["--metric", "logit-diff(1,2)", "--file", prompts]
    assert "input 4: 2 tokens\n... and 4995 more inputs; --all lists them\n\nmetric" in hydrophone("extract", *choice)
    assert re.search(r"input 4999: \d tokens\n\nmetric", hydrophone("extract", *choice, "--all"))


def on_a_terminal(program, *arguments, **environment):
    """What the program writes to a terminal."""
    main, side = pty.openpty()
    kept = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "TERM")}
    with subprocess.Popen([program, *arguments], stdout=side, env={**kept, "TERM": "xterm", **environment}) as process:
        os.close(side)
        written = b""
        try:
            while piece := os.read(main, 65536):
                written += piece
        except OSError:
            pass  # the terminal is closed when the program ends
    os.close(main)
    assert process.returncode == 0
    return written.decode()


@pytest.mark.parametrize(
    "arguments, environment, coloured",
    [
        ([], {}, True),
        ([], {"NO_COLOR": ""}, True),
        ([], {"NO_COLOR": "1"}, False),
        ([], {"TERM": "dumb"}, False),
        (["--color", "never"], {}, False),
        (["--color", "always"], {"NO_COLOR": "1"}, True),
    ],
)
def test_colour_is_for_terminals_that_want_it(hydrophone, program, server, arguments, environment, coloured):
    shown = on_a_terminal(program, "--server", server.address, *arguments, "tokenize", "Hello", **environment)
    assert (ESCAPE in shown) == coloured
    assert ESCAPE not in hydrophone("tokenize", "Hello"), "a pipe is no terminal"
