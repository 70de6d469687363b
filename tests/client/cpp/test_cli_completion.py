"""The completion that `hydrophone completion` writes, run by the shells themselves where they are installed."""

import os
import re
import shutil
import subprocess

import pytest


@pytest.fixture
def complete(program, server):
    """The completions that bash offers for the last of these words."""

    def run(*words):
        script = """
            source <("$1" completion bash)
            PATH="$(dirname "$1"):$PATH"
            shift
            COMP_WORDS=(hydrophone "$@"); COMP_CWORD=$#
            _hydrophone
            printf '%s\\n' "${COMPREPLY[@]}"
        """
        done = subprocess.run(
            ["bash", "-eu", "-c", script, "bash", program, *words],
            capture_output=True,
            text=True,
            timeout=60,
            env={**os.environ, "HYDROPHONE_SERVER": server.address},
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.split()

    return run


def test_commands_complete(complete):
    assert complete("ext") == ["extract"]
    assert {"model", "tokenize", "verify", "completion"} <= set(complete(""))


def test_every_option_of_the_help_completes(complete, hydrophone):
    for command in ("extract", "verify", "tokenize"):
        helped = set(re.findall(r"^\s+(?:-\w,)?(--[\w-]+)", hydrophone(command, "--help"), re.MULTILINE))
        assert len(helped) > 5 and helped <= set(complete(command, "--"))
    assert complete("extract", "--la") == ["--layers", "--layout", "--largest"]
    assert "--server" in complete("extract", "--"), "an option of all commands"


def test_values_complete(complete):
    assert complete("extract", "--layout", "") == ["rows", "per-run"]
    assert complete("completion", "") == ["bash", "zsh", "fish"]
    assert complete("extract", "--file", "pro") == [], "files are the shell's"


def test_hook_points_are_the_servers(complete):
    assert complete("extract", "--hook", "attn.hook_pat") == ["attn.hook_pattern"]
    assert "hook_embed" in complete("extract", "--hook", "")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_is_one_of_its_shell(hydrophone, shell, tmp_path):
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    script = tmp_path / "script"
    script.write_text(hydrophone("completion", shell))
    subprocess.run([shell, "-n", script], check=True, timeout=60)


def test_zsh_and_fish_know_the_same_options(hydrophone):
    """Of shells that are not installed, the scripts are read for what they name."""
    options = set(re.findall(r"--([a-z-]+)", hydrophone("extract", "--help").split("Examples")[0]))
    fish = hydrophone("completion", "fish")
    zsh = hydrophone("completion", "zsh")
    own = set(re.findall(r"seen_subcommand_from extract' -l ([\w-]+)", fish))
    assert {"hook", "layers", "out", "skip-bad-inputs"} <= own & options
    assert all(f"--{option}" in zsh for option in own)
    assert all(line.count("'") % 2 == 0 for line in fish.splitlines()[1:])
