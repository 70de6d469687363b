"""hp.serve: a server of one's own, started and stopped."""

import os
import subprocess
import sys

import pytest
from conftest import DEFAULT_MODEL, build_directory
from python_client import PACKAGE, hp

BINARY = build_directory() / "bin/hydrophone-server"

# Answers NOT_SERVING three times, then SERVING.
SLOW_SERVER = """
import concurrent.futures, itertools, sys
import grpc

answers = itertools.chain([b"\\x08\\x02"] * 3, itertools.repeat(b"\\x08\\x01"))

def check(request, context):
    print("asked", file=sys.stderr, flush=True)
    return next(answers)

server = grpc.server(concurrent.futures.ThreadPoolExecutor(1))
check = grpc.unary_unary_rpc_method_handler(check)
server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("grpc.health.v1.Health", {"Check": check})])
port = server.add_insecure_port("127.0.0.1:0")
server.start()
print(f"listening on 127.0.0.1:{port}", file=sys.stderr, flush=True)
server.wait_for_termination()
"""


def test_it_serves_and_is_gone_afterwards():
    with hp.serve(model=DEFAULT_MODEL, binary=BINARY, flags={"threads": 1}) as client:
        assert client.model().name == DEFAULT_MODEL.name
        process = client._process
        assert "listening on" in client.log
        before = client.log
        assert client.log == before, "reading the log moves nothing"
    assert process.returncode == 0
    with pytest.raises(ProcessLookupError):
        os.kill(process.pid, 0)


def test_a_server_that_listens_before_it_serves_is_waited_for(tmp_path):
    program = tmp_path / "slow-server"
    program.write_text(f"#!{sys.executable}\n{SLOW_SERVER}")
    program.chmod(0o755)
    with hp.serve(binary=program, progress=False) as client:
        assert client._process.poll() is None, "nothing has ended it in between"
        assert client.log.count("asked") == 4


def test_it_is_stopped_when_the_program_that_started_it_ends():
    script = """
import sys; sys.path.insert(0, sys.argv[1])
import hydrophone as hp
client = hp.serve(binary=sys.argv[2])
print(client._process.pid)
"""
    command = [sys.executable, "-c", script, str(PACKAGE / "src"), str(BINARY)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    with pytest.raises(ProcessLookupError):
        os.kill(int(done.stdout), 0)


def test_the_program_is_found_in_the_environment_and_on_path(monkeypatch):
    from hydrophone.serve import find

    monkeypatch.setenv("PATH", str(BINARY.parent))
    assert find() == str(BINARY)
    monkeypatch.setenv("HYDROPHONE_SERVER_BINARY", sys.executable)
    assert find() == sys.executable
    monkeypatch.delenv("HYDROPHONE_SERVER_BINARY")
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(FileNotFoundError, match="HYDROPHONE_SERVER_BINARY"):
        find()


def test_a_server_that_ends_says_why(tmp_path):
    with pytest.raises(hp.Unavailable, match="config.json"):
        hp.serve(model=tmp_path, binary=BINARY)


def test_a_server_that_does_not_serve_in_time_is_stopped(tmp_path):
    slow = tmp_path / "slow"
    slow.write_text(f"#!/bin/sh\necho $$ > {tmp_path / 'pid'}\nexec sleep 60\n")
    slow.chmod(0o755)
    with pytest.raises(hp.DeadlineExceeded, match="does not serve after 0.5 s"):
        hp.serve(binary=slow, timeout=0.5)
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)
