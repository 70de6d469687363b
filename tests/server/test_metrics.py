"""The server's /metrics: what a scrape shows, from the first one on, and that it keeps Prometheus's rules."""

import os
import re
import shutil
import subprocess
import urllib.request

import grpc
import pytest
from conftest import ROOT, SERVICE, Server, cache_directory

METHODS = {"GetModel", "ListHookPoints", "Tokenize", "Detokenize", "Extract", "GetParameters", "Verify"}


def scrape(server):
    with urllib.request.urlopen(f"http://{server.metrics_address}/metrics", timeout=10) as page:
        return page.read().decode()


def series_of(text):
    """{name with labels: value} of a scrape."""
    return {
        line.rpartition(" ")[0]: float(line.rpartition(" ")[2])
        for line in text.splitlines()
        if not line.startswith("#")
    }


def families_of(text):
    """{name: type} of a scrape."""
    return dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))


@pytest.fixture(scope="module")
def scrapes(api):
    """The first scrape of a server, and one after calls that ended in many ways."""
    with Server() as server, api.connect(server.address) as client:
        first = scrape(server)
        client.extract(texts=["hello there", "hello you"], hook_points=["attn.c_proj"])
        client.model()
        client.parameters("ln_f.*")
        client.stub.Verify(client.pb.VerifyRequest(texts=["hello"], skip_reference=True), timeout=60)
        for _ in range(2):
            with pytest.raises(grpc.RpcError):
                client.extract(texts=["hello"], hook_points=["no.such.point"])
        with pytest.raises(grpc.RpcError):
            client.extract(texts=["hello"], hook_points=["hidden_states"], model="another")
        with grpc.insecure_channel(server.address) as channel, pytest.raises(grpc.RpcError):
            channel.unary_unary(f"/{SERVICE}/Gradients")(b"", timeout=10)
        stream = client.stub.Extract(
            client.pb.ExtractRequest(texts=["hello " * 900] * 4, hook_points=["hidden_states"]), timeout=60
        )
        next(stream)
        stream.cancel()
        yield first, scrape(server)


def test_every_series_is_there_at_the_first_scrape(scrapes):
    first, later = (set(series_of(text)) for text in scrapes)
    assert first == later


def test_every_code_of_every_method_begins_at_zero(scrapes):
    found = re.findall(
        r'^grpc_server_handled_total{grpc_code="(\w+)",grpc_method="(\w+)",grpc_service="([\w.]+)",grpc_type="\w+"} 0$',
        scrapes[0],
        re.MULTILINE,
    )
    assert {service for _, _, service in found} == {SERVICE}
    assert {method for _, method, _ in found} == METHODS
    assert len(found) == len(METHODS) * 17


def test_nothing_is_told_of_what_serves_the_metrics(scrapes):
    names = set(families_of(scrapes[1]))
    assert not [name for name in names if not name.startswith(("grpc_server_", "hydrophone_", "process_"))]


def test_the_process_is_told_of(scrapes):
    first, later = (series_of(text) for text in scrapes)
    assert later["process_resident_memory_bytes"] > later["hydrophone_weights_bytes"]
    assert later["process_virtual_memory_bytes"] >= later["process_resident_memory_bytes"]
    assert later["process_cpu_seconds_total"] > first["process_cpu_seconds_total"] > 0
    assert 3 < later["process_open_fds"] < later["process_max_fds"]
    assert later["process_threads"] > 3
    assert later["process_start_time_seconds"] == first["process_start_time_seconds"] > 1.7e9


def test_the_model_is_told_of(scrapes):
    first = series_of(scrapes[0])
    (info,) = [name for name in first if name.startswith("hydrophone_model_info{")]
    parameters = int(re.search(r'parameters="(\d+)"', info)[1])
    assert first["hydrophone_weights_bytes"] == 4 * parameters


def test_work_and_refusals_are_counted(scrapes):
    later = series_of(scrapes[1])
    assert later["hydrophone_draining"] == 0
    assert later['hydrophone_refusals_total{reason="BAD_REQUEST"}'] == 2
    assert later['hydrophone_refusals_total{reason="PRECONDITION"}'] == 1
    assert later['hydrophone_refusals_total{reason="NOT_BUILT"}'] == 1
    assert later["hydrophone_first_tensor_seconds_count"] >= 1
    assert later["hydrophone_prefix_tokens_saved_total"] >= 1, "both texts begin with the same word"
    assert later["hydrophone_engine_busy_seconds_total"] > 0
    assert later['hydrophone_response_bytes_total{grpc_method="Extract"}'] > 10_000
    assert later["hydrophone_log_lines_dropped_total"] == 0


def test_the_readme_names_every_metric(scrapes):
    text = (ROOT / "server/obs/README.md").read_text()
    assert set(re.findall(r"`((?:hydrophone|process|grpc_server)_\w+)", text)) == set(families_of(scrapes[1]))


def test_promtool_finds_nothing_to_mend(scrapes):
    cached = cache_directory() / "promtool/usr/bin/promtool"
    program = os.environ.get("PROMTOOL") or (cached if cached.exists() else shutil.which("promtool"))
    if not program:
        pytest.skip("there is no promtool: tests/run takes it from the package prometheus, where apt has one")
    done = subprocess.run([program, "check", "metrics"], input=scrapes[1], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
