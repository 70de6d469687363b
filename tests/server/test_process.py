"""The server as a process: flags, environment, start-up failures, metrics, draining."""

import os
import re
import shutil
import signal
import subprocess
import threading
import time
import urllib.request

import grpc
import pytest
import server_metrics
from conftest import DEFAULT_MODEL, FIGURES, Server, build_directory

PROGRAM = build_directory() / "bin/hydrophone-server"
OFF = ["--listen=127.0.0.1:0", "--metrics_listen=off"]


def run(*arguments, **environment):
    return subprocess.run(
        [PROGRAM, *arguments], capture_output=True, text=True, timeout=60, env={**os.environ, **environment}
    )


def copy_of_the_default_model(tmp_path):
    directory = tmp_path / "model"
    shutil.copytree(DEFAULT_MODEL, directory)
    return directory


def test_help_names_units_and_defaults():
    result = run("--help")
    assert result.returncode == 0
    assert re.search(r"--listen ADDRESS \(127\.0\.0\.1:50051\)", result.stdout)
    assert re.search(r"--drain_seconds SECONDS \(\d+\)", result.stdout)


def test_version_is_one_line():
    result = run("--version")
    assert (result.returncode, result.stdout) == (0, "hydrophone-server 0.1.0\n")


def test_an_unknown_flag_is_refused():
    result = run("--no_such_flag=1")
    assert result.returncode == 2
    assert "no_such_flag" in result.stderr


def test_environment_variables_are_flags_and_a_flag_wins(api):
    with (
        Server(
            flags=["--threads=1"], environment={"HYDROPHONE_THREADS": "2", "HYDROPHONE_MAX_INPUTS_PER_REQUEST": "7"}
        ) as server,
        api.connect(server.address) as client,
    ):
        model = client.model()
    assert (model.compute.threads, model.limits.max_inputs_per_request) == (1, 7)


def errors_of(result):
    return [line for line in result.stderr.splitlines() if "level=error" in line]


def test_an_unknown_device_is_refused():
    result = run("--device=tpu", *OFF)
    assert result.returncode == 1
    assert len(errors_of(result)) == 1 and "expected cpu, cuda" in errors_of(result)[0], result.stderr


def test_a_gpu_that_is_not_there_stops_the_start_with_one_message():
    """Which one depends on the machine: libtorch's CUDA libraries, a GPU, or as many GPUs may be missing."""
    result = run(*OFF, HYDROPHONE_DEVICE="cuda:100")
    assert result.returncode == 1
    assert len(errors_of(result)) == 1, result.stderr
    assert any(
        text in errors_of(result)[0] for text in ("pip install torch==", "no GPU can be used here", "this process sees")
    )
    others = [line for line in result.stderr.splitlines() if not re.search("level=(info|error)", line)]
    assert not others, "libtorch's own words come beside the one message"


@pytest.mark.parametrize(
    "spoil, expected",
    [
        (lambda d: (d / "config.json").unlink(), "config.json"),
        (lambda d: (d / "vocab.json").unlink(), "vocab.json"),
        (lambda d: (d / "model.safetensors").write_bytes(b"\xff" * 100), "model.safetensors"),
        (lambda d: (d / "model.safetensors").rename(d / "pytorch_model.bin"), "safetensors"),
        (
            lambda d: (d / "config.json").write_text((d / "config.json").read_text().replace("gelu_new", "prelu")),
            "prelu",
        ),
        (lambda d: (d / "vocab.json").write_text('{"a": 0}'), "vocab.json"),
    ],
    ids=["no config", "no vocabulary", "damaged weights", "pickle only", "unknown activation", "short vocabulary"],
)
def test_a_bad_checkpoint_stops_the_start_with_one_message(tmp_path, spoil, expected):
    directory = copy_of_the_default_model(tmp_path)
    spoil(directory)
    result = run(f"--model={directory}", *OFF)
    assert result.returncode == 1
    assert len(errors_of(result)) == 1 and expected in errors_of(result)[0], result.stderr


LFS_POINTER = b"version https://git-lfs.example/spec/v1\noid sha256:0123\nsize 497774208\n"


@pytest.mark.parametrize("name", ["model.safetensors", "merges.txt"])
def test_a_git_lfs_pointer_is_called_that(tmp_path, name):
    directory = copy_of_the_default_model(tmp_path)
    (directory / name).write_bytes(LFS_POINTER)
    result = run(f"--model={directory}", *OFF)
    assert result.returncode == 1
    assert f"{name}: is a Git LFS pointer" in errors_of(result)[0]


def test_a_name_of_the_hub_is_told_to_be_downloaded_first():
    result = run("--model=openai-community/gpt2", *OFF)
    assert result.returncode == 1
    assert "hf download openai-community/gpt2" in errors_of(result)[0]


def test_a_hub_cache_is_its_snapshot_and_a_name_may_be_given(api, tmp_path):
    cache = tmp_path / "models--openai-community--gpt2"
    shutil.copytree(DEFAULT_MODEL, cache / "snapshots/0123abcd")
    (cache / "refs").mkdir()
    (cache / "refs/main").write_text("0123abcd")
    for flags, name in (([], "gpt2"), (["--model_name=mine"], "mine")):
        with Server(cache, flags=flags) as server, api.connect(server.address) as client:
            assert client.model().model.name == name
            client.extract(texts=["hello"], hook_points=["hook_embed"], model=name)


def test_a_directory_name_that_is_no_utf8_is_escaped_everywhere(api, tmp_path):
    directory = os.fsencode(tmp_path) + b"/bad\xff"
    shutil.copytree(os.fsencode(DEFAULT_MODEL), directory)
    with Server(os.fsdecode(directory)) as server, api.connect(server.address) as client:
        assert client.model().model.name == "bad\\xff"
        with urllib.request.urlopen(f"http://{server.metrics_address}/metrics", timeout=10) as page:
            assert "bad\\\\xff" in page.read().decode()


def test_a_tokenizer_of_another_model_stops_the_start(random_checkpoint, tmp_path):
    directory = random_checkpoint(
        "small_vocabulary", "--n-layer", "1", "--n-embd", "8", "--n-head", "1", "--vocab-size", "300"
    )
    for name in ("vocab.json", "merges.txt"):
        shutil.copy(DEFAULT_MODEL / name, directory / name)
    result = run(f"--model={directory}", *OFF)
    assert result.returncode == 1
    assert "50257" in result.stderr and "300" in result.stderr


def test_a_taken_port_stops_the_start(server):
    result = run(f"--listen={server.address}", "--metrics_listen=off")
    assert result.returncode == 1
    assert server.address in result.stderr


def test_metrics_count_calls_and_batches(api):
    with Server() as server, api.connect(server.address) as client:
        client.extract(texts=["hello"], hook_points=["attn.c_proj"])
        with pytest.raises(grpc.RpcError):
            client.extract(texts=["hello"], hook_points=["no.such.point"])
        # A call is counted when gRPC lets go of it, after its answer.
        metrics = server_metrics.Metrics(server.metrics_address)
        extract = {
            "grpc_method": "Extract",
            "grpc_service": "hydrophone.v1.ActivationService",
            "grpc_type": "server_stream",
        }
        for code in ("OK", "InvalidArgument"):
            metrics.await_value("grpc_server_handled_total", lambda value: value == 1, **extract, grpc_code=code)
        assert metrics.value("grpc_server_started_total", **extract) == 2
        assert any(name.startswith("hydrophone_") for name, _ in server_metrics.read(server.metrics_address))


def test_sigterm_before_serving_ends_it_at_once_with_status_0(random_checkpoint):
    directory = random_checkpoint("124M", "--preset", "gpt2")
    process = subprocess.Popen([PROGRAM, *OFF, f"--model={directory}"], stderr=subprocess.PIPE, text=True)
    for line in process.stderr:
        if "loading the model" in line:
            break
    process.terminate()
    log = process.stderr.read()
    assert process.wait(60) == 0
    assert "stopped before serving" in log
    assert "loaded the model" not in log


def test_it_serves_on_a_socket_in_the_file_system(api, tmp_path):
    path = tmp_path / "hydrophone.sock"
    with Server(listen=f"unix:{path}") as server, api.connect(server.address) as client:
        assert server.address == f"unix:{path}"
        assert client.model().model.n_layer == 12
    assert not path.exists()


@pytest.mark.parametrize(
    "flag", ["--metrics_listen=7160", "--listen=127.0.0.1:99999", "--listen=http://127.0.0.1:1", "--listen=::1:7162"]
)
def test_an_address_that_is_none_is_refused_with_what_was_got_and_expected(flag):
    result = run(flag)
    assert result.returncode == 2
    assert f'got "{flag.partition("=")[2]}"' in result.stderr
    assert "expected HOST:PORT" in result.stderr


def test_a_variable_that_no_flag_reads_is_a_warning_with_the_nearest(api):
    with Server(environment={"HYDROPHONE_MAX_BATCH_TOKEN": "1"}) as server:
        server.stop()
    assert any("level=warning" in line and "HYDROPHONE_MAX_BATCH_TOKENS" in line for line in server.log)


def test_sigterm_lets_a_running_stream_finish_and_ends_with_status_0(api):
    with Server() as server, api.connect(server.address) as client:
        request = client.pb.ExtractRequest(
            texts=["hello " * 900], hook_points=["hidden_states", "attn.c_proj", "mlp.c_proj"]
        )
        stream = client.stub.Extract(request, timeout=60)
        assert next(stream).WhichOneof("part") == "header"
        statuses = []
        stopper = threading.Thread(target=lambda: statuses.append(server.stop()))
        stopper.start()
        parts = [message.WhichOneof("part") for message in stream]
        stopper.join()
        assert parts[-1] == "trailer"
        assert statuses == [0]


def unread(client):
    """A stream of 200 MB, which the network does not hold, and of which the header alone is read."""
    inputs = [client.pb.Input(token_ids=[number] * 512) for number in range(4)]
    stream = client.stub.Extract(
        client.pb.ExtractRequest(inputs=inputs, hook_points=["attn.hook_pattern"]), timeout=120
    )
    assert next(stream).WhichOneof("part") == "header"
    return stream


def test_a_caller_who_does_not_read_delays_the_end_by_the_drain_time_alone(api):
    with Server(flags=["--drain_seconds=2"]) as server, api.connect(server.address) as client:
        stream = unread(client)
        begin = time.monotonic()
        assert server.stop() == 0
        FIGURES.append(f"SIGTERM beside a caller who does not read: the end in {time.monotonic() - begin:.1f} s of 2")
        with pytest.raises(grpc.RpcError) as ended:
            for _ in stream:
                pass
    assert ended.value.code() in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED}


def test_a_second_sigterm_ends_it_at_once(api):
    with Server(flags=["--drain_seconds=600"]) as server, api.connect(server.address) as client:
        stream = unread(client)
        server.process.terminate()
        while not any("draining" in line for line in server.log):
            assert server.process.poll() is None
        server.process.terminate()
        assert server.process.wait(60) == -signal.SIGTERM
        stream.cancel()
