"""deploy/quickstart: what it does after the build, and the environment of the report.

CMake is a stand-in here, since the programs are built already, and so is the Python that draws: it writes down what it
is asked.
"""

import os
import re
import shutil
import subprocess

import pytest
from conftest import ROOT, build_directory, cache_directory

RECORDING = '#!/bin/sh\necho "$@" >>"$0.calls"\nexit $(cat "$0.status" 2>/dev/null || echo 0)\n'


def make_program(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


def bash(script, **environment):
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=300, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def functions(root):
    sources = " ".join(f'. "{ROOT}/deploy/lib/{name}.sh";' for name in ("install", "report"))
    return f'set -euo pipefail; HYDROPHONE_ROOT="{root}"; {sources}'


def without_roundings(text):
    """The text without figures of 1e-10 and less, which another compiler's order of float64 sums changes."""
    return re.sub(r"\d\.\d+e-[1-9]\d", "ROUNDING", text)


@pytest.fixture
def machine(tmp_path):
    """The environment of a quickstart that has everything, and a report environment that records."""
    make_program(tmp_path / "bin/cmake", "#!/bin/sh\n")
    (tmp_path / "build").mkdir()
    (tmp_path / "build/bin").symlink_to(build_directory() / "bin")
    (tmp_path / "build/build.ninja").touch()
    make_program(tmp_path / "cache/report/bin/python", RECORDING)
    (tmp_path / "cache/venv").symlink_to(cache_directory() / "venv")
    environment = {
        **os.environ,
        "HYDROPHONE_CACHE": str(tmp_path / "cache"),
        "HYDROPHONE_BUILD_DIR": str(tmp_path / "build"),
    }
    environment["PATH"] = f"{tmp_path / 'bin'}:{environment['PATH']}"
    stamp = bash(f"{functions(ROOT)} report_stamp", **environment)
    (tmp_path / "cache/report/hydrophone-report.txt").write_text(stamp)
    return environment


def quickstart(machine, *arguments):
    command = [str(ROOT / "deploy/quickstart"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, env=machine)


def test_it_shows_what_the_readme_shows_and_has_the_lessons_drawn(machine, tmp_path):
    done = quickstart(machine, "--report", tmp_path / "page")
    assert done.returncode == 0, done.stdout + done.stderr
    [shown] = re.findall(r"`deploy/quickstart` shows.*?```\n(.*?)\n```", (ROOT / "README.md").read_text(), re.DOTALL)
    for part in shown.split("\n...\n"):
        assert without_roundings(part) in without_roundings(done.stdout)
    [address] = re.findall(r"the server serves on (\S+)", done.stdout)
    asked = (tmp_path / "cache/report/bin/python.calls").read_text()
    assert asked == f"-m hydrophone.report --server {address} --out {tmp_path / 'page'} --force\n"
    assert done.stdout.rstrip().endswith("done")
    assert (tmp_path / "build/quickstart/lesson.safetensors").exists()


def test_a_report_that_fails_is_no_success(machine, tmp_path):
    (tmp_path / "cache/report/bin/python.status").write_text("3")
    done = quickstart(machine)
    assert done.returncode == 3 and "PASSED" in done.stdout and not done.stdout.rstrip().endswith("done")
    assert "The end of the server log" in done.stderr


def test_the_environment_is_made_once_and_again_when_the_client_changes(tmp_path):
    ignored = shutil.ignore_patterns("__pycache__", ".*_cache", "*.binpb")
    shutil.copytree(ROOT / "client/python", tmp_path / "root/client/python", ignore=ignored)
    shutil.copytree(ROOT / "proto", tmp_path / "root/proto")
    make_program(tmp_path / "recording", RECORDING)
    venv = 'mkdir -p "$3/bin" && cp "$RECORDING" "$3/bin/python" && echo made >>"$RECORDING.venvs"'
    make_program(tmp_path / "bin/python3", f"#!/bin/sh\n{venv}\n")
    environment = {**os.environ, "HYDROPHONE_CACHE": str(tmp_path / "cache"), "RECORDING": str(tmp_path / "recording")}
    environment["PATH"] = f"{tmp_path / 'bin'}:{environment['PATH']}"

    def install():
        bash(f"{functions(tmp_path / 'root')} install_report", **environment)
        return len((tmp_path / "recording.venvs").read_text().splitlines())

    assert [install(), install()] == [1, 1]
    calls = (tmp_path / "cache/report/bin/python.calls").read_text()
    assert "install" in calls and f"{tmp_path / 'root'}/client/python[report]" in calls
    (tmp_path / "root/client/python/README.md").write_text("other words")
    assert install() == 1
    for path in ("client/python/src/hydrophone/errors.py", "proto/hydrophone/v1/verify.proto"):
        before = install()
        with (tmp_path / "root" / path).open("a") as file:
            file.write("\n")
        assert install() == before + 1


def test_an_environment_that_could_not_be_made_is_not_kept(tmp_path):
    failing = '#!/bin/sh\nmkdir -p "$3/bin" && ln -s /bin/false "$3/bin/python"\n'
    make_program(tmp_path / "bin/python3", failing)
    environment = {**os.environ, "HYDROPHONE_CACHE": str(tmp_path / "cache")}
    environment["PATH"] = f"{tmp_path / 'bin'}:{environment['PATH']}"
    script = f"{functions(ROOT)} install_report"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=300, env=environment)
    assert done.returncode == 1 and "the Python environment of the report could not be made" in done.stderr
    assert not (tmp_path / "cache/report/hydrophone-report.txt").exists()
