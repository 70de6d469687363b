"""deploy/kubernetes, rendered by kustomize, is valid, restricted, and agrees with the image and the server."""

import os
import re
import subprocess

import go_tools
import pytest
import yaml
from conftest import ROOT, build_directory

KUBERNETES = ROOT / "deploy/kubernetes"
MARGIN_SECONDS = 5  # between the end of draining and being killed


def render(directory):
    command = [go_tools.find("kustomize"), "build", "--load-restrictor=LoadRestrictionsNone", str(directory)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "deprecated" not in done.stderr, done.stderr
    return {document["kind"]: document for document in yaml.safe_load_all(done.stdout)}


@pytest.fixture(scope="module")
def base():
    return render(KUBERNETES / "base")


@pytest.fixture(scope="module")
def pod(base):
    return base["Deployment"]["spec"]["template"]


@pytest.fixture(scope="module")
def container(pod):
    (only,) = pod["spec"]["containers"]
    return only


@pytest.fixture(scope="module")
def environment(container):
    return {variable["name"]: variable["value"] for variable in container["env"]}


@pytest.fixture(scope="module")
def dockerfile():
    """The final stage's instructions, by name; a continued line is one."""
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    final = text[text.rindex("\nFROM ") + 1 :]
    found = re.findall(r"^([A-Z]+)[ \t]+(.+)$", final, re.MULTILINE)
    return {name: [value for each, value in found if each == name] for name, _ in found}


def bytes_of(quantity):
    number, unit = re.fullmatch(r"(\d+)(Mi|Gi)", quantity).groups()
    return int(number) << {"Mi": 20, "Gi": 30}[unit]


def readme_overlays():
    text = (KUBERNETES / "README.md").read_text()
    return [block for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL) if "kustomization.yaml" in block]


def test_the_base_is_these_objects(base):
    assert sorted(base) == ["Deployment", "PodDisruptionBudget", "Service", "ServiceAccount"]


def test_every_object_has_the_recommended_labels_and_selects_the_pods(base, pod):
    labels = {"app.kubernetes.io/name": "hydrophone", "app.kubernetes.io/component": "server"}
    for kind, document in base.items():
        assert labels.items() <= document["metadata"]["labels"].items(), kind
    assert labels.items() <= pod["metadata"]["labels"].items()
    assert base["Deployment"]["spec"]["selector"]["matchLabels"] == labels
    assert base["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"] == labels
    assert base["Service"]["spec"]["selector"] == labels
    assert pod["spec"]["topologySpreadConstraints"][0]["labelSelector"]["matchLabels"] == labels


def test_the_image_is_this_version(container):
    version = re.search(r"project\(hydrophone VERSION (\S+)", (ROOT / "CMakeLists.txt").read_text())[1]
    assert container["image"] == f"hydrophone:{version}"


def test_the_pod_is_restricted(pod, container):
    """Pod Security Standards, "restricted", and a root file system that nobody writes."""
    security = pod["spec"]["securityContext"]
    assert security["runAsNonRoot"] is True
    assert security["seccompProfile"] == {"type": "RuntimeDefault"}
    own = container["securityContext"]
    assert own["allowPrivilegeEscalation"] is False
    assert own["capabilities"] == {"drop": ["ALL"]}
    assert own["readOnlyRootFilesystem"] is True
    assert not own.get("privileged") and "runAsUser" not in own
    assert not {"hostNetwork", "hostPID", "hostIPC", "initContainers"} & set(pod["spec"])
    assert not any("hostPath" in volume for volume in pod["spec"].get("volumes", []))
    assert not any("hostPort" in port for port in container["ports"])


def test_the_user_is_the_images(pod, dockerfile):
    security = pod["spec"]["securityContext"]
    assert dockerfile["USER"] == [f"{security['runAsUser']}:{security['runAsGroup']}"]


def test_no_token_of_the_service_account_is_mounted(base, pod):
    assert base["ServiceAccount"]["automountServiceAccountToken"] is False
    assert pod["spec"]["automountServiceAccountToken"] is False
    assert pod["spec"]["serviceAccountName"] == base["ServiceAccount"]["metadata"]["name"]


def test_the_ports_are_the_images(base, container, environment, dockerfile):
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert [str(ports["grpc"]), str(ports["metrics"])] == dockerfile["EXPOSE"][0].split()
    assert environment["HYDROPHONE_LISTEN"] == f"0.0.0.0:{ports['grpc']}"
    assert environment["HYDROPHONE_METRICS_LISTEN"] == f"0.0.0.0:{ports['metrics']}"
    listens = dict(pair.split("=") for pair in dockerfile["ENV"][0].split())
    assert listens.items() <= environment.items()
    served = {port["name"]: port for port in base["Service"]["spec"]["ports"]}
    assert {name: port["targetPort"] for name, port in served.items()} == {"grpc": "grpc", "metrics": "metrics"}
    assert {name: port["port"] for name, port in served.items()} == ports
    assert served["grpc"]["appProtocol"] == "kubernetes.io/h2c"


def test_the_probes_ask_the_servers_health(container):
    service = (ROOT / "proto/hydrophone/v1/activation_service.proto").read_text()
    package = re.search(r"^package (\S+);", service, re.MULTILINE)[1]
    name = re.search(r"^service (\w+)", service, re.MULTILINE)[1]
    grpc = next(port["containerPort"] for port in container["ports"] if port["name"] == "grpc")
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert container[probe]["grpc"]["port"] == grpc, probe
    assert container["readinessProbe"]["grpc"]["service"] == f"{package}.{name}"
    # Readiness gives up long before liveness: a server that is only slow is spared new calls, not ended.
    readiness, liveness = container["readinessProbe"], container["livenessProbe"]
    assert readiness["periodSeconds"] * readiness["failureThreshold"] <= 15
    assert liveness["periodSeconds"] * liveness["failureThreshold"] >= 60


def test_draining_ends_before_the_pod_is_killed(pod, container, environment):
    (sleep, seconds) = container["lifecycle"]["preStop"]["exec"]["command"]
    assert sleep == "sleep"
    drain = float(environment["HYDROPHONE_DRAIN_SECONDS"])
    assert pod["spec"]["terminationGracePeriodSeconds"] >= float(seconds) + drain + MARGIN_SECONDS


def test_captures_leave_memory_for_computing(container, environment):
    resources = container["resources"]
    assert int(environment["HYDROPHONE_RESPONSE_BUDGET_BYTES"]) <= bytes_of(resources["limits"]["memory"]) // 2
    assert resources["requests"] == resources["limits"]


def test_every_variable_is_a_flag_of_the_server(pod, environment):
    assert pod["spec"]["enableServiceLinks"] is False  # else Kubernetes adds HYDROPHONE_... of its own
    command = [str(build_directory() / "bin/hydrophone-server"), "--help"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    flags = set(re.findall(r"--(\w+)", done.stdout))
    text = (KUBERNETES / "README.md").read_text() + (ROOT / "Dockerfile").read_text()
    for name in {*environment, *re.findall(r"HYDROPHONE_[A-Z_]+", text)}:
        assert name.removeprefix("HYDROPHONE_").lower() in flags, name


@pytest.mark.parametrize("overlay", readme_overlays(), ids=["apply it", "your own model", "who may call"])
def test_the_overlays_of_the_readme_render(overlay, tmp_path):
    base_path = os.path.relpath(KUBERNETES / "base", tmp_path)
    (tmp_path / "kustomization.yaml").write_text(overlay.replace("../hydrophone/deploy/kubernetes/base", base_path))
    deployment = render(tmp_path)["Deployment"]
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    environment = {variable["name"]: variable["value"] for variable in container["env"]}
    if "volumes" in overlay:
        assert {"HYDROPHONE_MODEL", "HYDROPHONE_TOKEN_DIGESTS"} & set(environment)
        assert "HYDROPHONE_LISTEN" in environment
        assert container["volumeMounts"][0]["name"] == deployment["spec"]["template"]["spec"]["volumes"][0]["name"]
    if "HYDROPHONE_TOKEN_DIGESTS" in environment:
        assert environment["HYDROPHONE_INSECURE"] == "false"
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            assert "grpc" not in container[probe] and container[probe]["exec"]["command"][0] == "hydrophone", probe
    if "volumes" not in overlay:
        assert container["image"] == "registry.example.com/hydrophone:0.1.0"
        assert deployment["metadata"]["namespace"] == "hydrophone"
