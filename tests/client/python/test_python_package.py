"""The package as it is built: a wheel of a clone, an sdist, a wheel of the sdist, installed into a fresh environment.

Builds use the build requirements of this environment (--no-build-isolation), since asking a registry for them takes
longer than everything else here.
"""

import pathlib
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile

import pytest
from conftest import ROOT
from python_client import PACKAGE


def pip(*arguments, python=sys.executable):
    command = [python, "-m", "pip", "--disable-pip-version-check", "--quiet", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr


def build_wheel(source, out):
    pip("wheel", "--no-build-isolation", "--no-deps", "--wheel-dir", out, source)
    [wheel] = out.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """The files of the package and of the API as a clone has them: without what builds leave behind."""
    root = tmp_path_factory.mktemp("clone")
    shutil.copytree(ROOT / "proto", root / "proto")
    ignored = shutil.ignore_patterns("__pycache__", "*.binpb", ".*_cache", "dist")
    shutil.copytree(PACKAGE, root / "client/python", ignore=ignored)
    return root / "client/python"


@pytest.fixture(scope="module")
def wheel(clone, tmp_path_factory):
    return build_wheel(clone, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def sdist(clone, tmp_path_factory):
    out = tmp_path_factory.mktemp("sdist")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "sdist", "--directory", str(out)]
    subprocess.run(command, cwd=clone, check=True, capture_output=True, timeout=300)
    [made] = out.glob("*.tar.gz")
    return made


def names_in(wheel):
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_a_wheel_has_the_sources_the_types_and_the_api(wheel):
    names = names_in(wheel)
    sources = {path.relative_to(PACKAGE / "src").as_posix() for path in (PACKAGE / "src").rglob("*.py")}
    assert sources < names
    assert {"hydrophone/py.typed", "hydrophone/proto/api.binpb"} < names
    assert not [name for name in names if not name.startswith("hydrophone")], "nothing beside the package"


def test_an_sdist_builds_the_same_wheel_where_there_is_no_clone(sdist, wheel, tmp_path):
    with tarfile.open(sdist) as archive:
        # Python has filters from 3.11.4 on, and warns without them from 3.12 on.
        archive.extractall(tmp_path, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))
        names = archive.getnames()
    assert any(name.endswith("proto/hydrophone/v1/extract.proto") for name in names)
    assert not any(name.endswith(".binpb") for name in names)
    [source] = [path for path in tmp_path.iterdir() if path.is_dir()]
    assert names_in(build_wheel(source, tmp_path / "out")) == names_in(wheel)


def test_a_fresh_environment_asks_a_server(wheel, server, tmp_path):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "fresh"], check=True, timeout=300)
    python = tmp_path / "fresh/bin/python"
    site = next((tmp_path / "fresh/lib").glob("python*/site-packages"))
    with zipfile.ZipFile(wheel) as archive:
        requires = archive.read(next(n for n in archive.namelist() if n.endswith("METADATA"))).decode()
        archive.extractall(site)
    needed = {line.split(":")[1].split(">")[0].strip() for line in requires.splitlines() if is_needed(line)}
    assert needed == {"numpy", "protobuf", "grpcio"}
    lend(site, "numpy", "numpy.libs", "google", "grpc", "typing_extensions.py")
    script = f"""
import hydrophone as hp
r = hp.Client({server.address!r}).extract("Hello world", "attn.c_proj", layers=10)
assert r["attn.c_proj"].shape == (2, 64) and hp.__file__.startswith({str(tmp_path)!r})
"""
    done = subprocess.run([python, "-I", "-c", script], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr


def is_needed(line):
    return line.startswith("Requires-Dist:") and "extra ==" not in line


def lend(site, *names):
    """Puts what this environment has installed into another one: what `pip install` would fetch."""
    for directory in map(pathlib.Path, [sysconfig.get_path("purelib"), *sys.path]):
        for name in names:
            if (directory / name).exists() and not (site / name).exists():
                (site / name).symlink_to(directory / name)


def test_the_messages_share_no_pool_with_others():
    script = """
import sys; sys.path.insert(0, sys.argv[1])
from google.protobuf import descriptor_pb2, descriptor_pool
other = descriptor_pb2.FileDescriptorProto(name="hydrophone/v1/extract.proto", package="hydrophone.v1")
other.message_type.add(name="ExtractRequest")
descriptor_pool.Default().AddSerializedFile(other.SerializeToString())
import hydrophone
from hydrophone.proto import v1
assert v1.ExtractRequest.DESCRIPTOR.fields_by_name["hooks"]
"""
    subprocess.run([sys.executable, "-c", script, str(PACKAGE / "src")], check=True, timeout=300)
