"""deploy/kubernetes/jobs/bulk.yaml: an Indexed Job whose pods together make every shard once."""

import subprocess
import sys

import pytest
import yaml
from conftest import ROOT
from test_kubernetes import KUBERNETES, render

JOB = KUBERNETES / "jobs/bulk.yaml"


@pytest.fixture(scope="module")
def spec():
    job = yaml.safe_load(JOB.read_text())
    assert (job["apiVersion"], job["kind"]) == ("batch/v1", "Job")
    return job["spec"]


@pytest.fixture(scope="module")
def container(spec):
    (only,) = spec["template"]["spec"]["containers"]
    return only


def options(container, index):
    """What the program's own parser makes of a pod's arguments."""
    from python_client import hp

    from hydrophone.bulk.__main__ import _parser
    from hydrophone.bulk.part import Part

    assert hp
    given = [each.replace("$(JOB_COMPLETION_INDEX)", str(index)) for each in container["args"]]
    assert not any("$(" in each for each in given)
    parsed = _parser().parse_args(given)
    return parsed, Part.parse(parsed.part)


def test_every_index_has_a_part_and_they_are_all(spec, container):
    assert spec["completionMode"] == "Indexed" and spec["parallelism"] <= spec["completions"]
    parts = [options(container, index)[1] for index in range(spec["completions"])]
    assert {part.count for part in parts} == {spec["completions"]}
    assert [shard for part in parts for shard in part.of(100)] == list(range(100))


def test_it_writes_where_the_shared_volume_is_and_asks_the_service(spec, container):
    parsed, _ = options(container, 0)
    (mount,) = container["volumeMounts"]
    (volume,) = spec["template"]["spec"]["volumes"]
    assert mount["name"] == volume["name"] and "persistentVolumeClaim" in volume
    for path in (str(parsed.corpus), parsed.out):
        assert path.startswith(mount["mountPath"] + "/")
    service = render(KUBERNETES / "base")["Service"]
    ports = {port["port"] for port in service["spec"]["ports"]}
    name, _, port = parsed.server.partition(":")
    assert name == service["metadata"]["name"] and int(port) in ports


def test_its_pods_are_restricted(spec, container):
    pod = spec["template"]["spec"]
    assert pod["restartPolicy"] == "Never" and pod["securityContext"]["runAsNonRoot"]
    secured = container["securityContext"]
    assert secured["readOnlyRootFilesystem"] and secured["allowPrivilegeEscalation"] is False
    assert secured["capabilities"]["drop"] == ["ALL"] and container["resources"]["limits"]["memory"]


def test_its_command_is_the_program(container):
    assert container["command"] == ["python", "-m", "hydrophone.bulk"]
    done = subprocess.run(
        [sys.executable, *container["command"][1:], "--help"],
        env={"PYTHONPATH": str(ROOT / "client/python/src")},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0 and "--part INDEX/COUNT" in done.stdout
