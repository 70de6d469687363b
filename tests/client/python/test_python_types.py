"""The Python client's types: mypy --strict and pyright find nothing, and callers' mistakes are found."""

import subprocess
import sys

from python_client import PACKAGE

RIGHT = """
import numpy.typing as npt
from typing import Any
import hydrophone as hp
client = hp.Client("lab:50051")
result: hp.Result = client.extract("text", ["attn.c_proj", hp.hook("mlp_out", 3)], layers=[1, -1], edits=hp.zero("z"))
array: npt.NDArray[Any] = result["attn.c_proj", 1]
grid: hp.PatchGrid = client.patch_grid("a", "b", metric=hp.logit_diff(" a", 5))
logits = hp.transformer_lens.bridge(client)("text", return_type="logits")
for capture in client.stream("a", "attn.c_proj"):
    print(capture.array)
async def ask(client: hp.aio.Client) -> hp.Result:
    async for capture in client.stream("a", "attn.c_proj"):
        print(capture.array)
    return await client.extract("text", "attn.c_proj")
"""
WRONG = """
import hydrophone as hp
client = hp.Client("lab:50051")
client.extract("text", "attn.c_proj", layer=3)
client.extract("text", "attn.c_proj", rows="yes")
hp.zero("mlp_out", at=3)
client.patch_grid("a", "b")
"""


def mypy(*arguments):
    command = [sys.executable, "-m", "mypy", "--cache-dir", str(PACKAGE / ".mypy_cache"), *map(str, arguments)]
    return subprocess.run(command, cwd=PACKAGE, capture_output=True, text=True, timeout=300)


def test_mypy_finds_nothing():
    done = mypy()
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_callers_code_is_checked(tmp_path):
    (tmp_path / "right.py").write_text(RIGHT)
    (tmp_path / "wrong.py").write_text(WRONG)
    done = mypy("--config-file", PACKAGE / "pyproject.toml", tmp_path / "right.py", tmp_path / "wrong.py")
    lines = [line for line in done.stdout.splitlines() if ": error:" in line]
    assert [line.partition(": error:")[0].rpartition("/")[2] for line in lines] == [
        f"wrong.py:{n}" for n in (4, 5, 6, 7)
    ]


def test_pyright_finds_nothing():
    command = [sys.executable, "-m", "pyright", "--pythonpath", sys.executable, "-p", str(PACKAGE)]
    done = subprocess.run(command, cwd=PACKAGE, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
