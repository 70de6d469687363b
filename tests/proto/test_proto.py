"""The API's files keep buf's STANDARD rules, have a comment everywhere, and never break what has landed.

landed.binpb is what clients may have been built from. After an addition, `buf build proto -o tests/proto/landed.binpb`
takes it in.
"""

import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]


def buf(*arguments):
    result = subprocess.run(["buf", *arguments], cwd=ROOT, capture_output=True, text=True)
    return result.stdout + result.stderr


def test_every_file_passes_the_linter_comments_included():
    assert buf("lint", "proto") == ""


def test_nothing_that_has_landed_is_broken():
    assert buf("breaking", "proto", "--against", "tests/proto/landed.binpb") == ""


def test_the_guard_notices_a_break(tmp_path):
    changed = tmp_path / "changed"
    subprocess.run(["cp", "-r", ROOT / "proto", changed], check=True)
    tensor = changed / "hydrophone/v1/tensor.proto"
    tensor.write_text(tensor.read_text().replace("bytes data = 15;", "bytes data = 14;"))
    assert "data" in buf("breaking", str(changed), "--against", "tests/proto/landed.binpb")
