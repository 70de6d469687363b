"""Calls as the server's log and trailers tell of them."""

import json
import re
import subprocess
import time

import grpc
import pytest
from conftest import SERVICE, Server, build_directory

TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
SECRET = "xyzzy-plugh"


def fields_of(line):
    """A logfmt line as a dictionary; quoted values are JSON strings."""
    pairs = re.findall(r'(\w+)=("(?:[^"\\]|\\.)*"|\S+)', line)
    return {key: json.loads(value) if value.startswith('"') else value for key, value in pairs}


def call_lines(server):
    """The lines of calls, once the server has ended."""
    return [fields_of(line) for line in server.whole_log() if 'msg="call"' in line]


def metadata_of(call):
    return {key: value for key, value in call.trailing_metadata() or () if not key.endswith("-bin")}


def test_a_call_has_one_line_and_its_names_in_the_trailers(api):
    with Server() as server, api.connect(server.address) as client:
        request = client.pb.ExtractRequest(texts=["hello", "you there"], hook_points=["attn.c_proj"])
        names = (("x-request-id", "notebook-7"), ("traceparent", TRACEPARENT))
        stream = client.stub.Extract(request, metadata=names, timeout=60)
        sent = sum(message.ByteSize() for message in stream)
        assert metadata_of(stream) == dict(names)
        (line,) = call_lines(server)
    assert (line["method"], line["code"], line["level"]) == ("Extract", "OK", "info")
    assert line["caller"].startswith("ipv4:127.0.0.1:")
    assert (line["request_id"], line["traceparent"]) == ("notebook-7", TRACEPARENT)
    assert (line["inputs"], line["tokens"]) == ("2", "3")
    assert (line["request_bytes"], line["response_bytes"]) == (str(request.ByteSize()), str(sent))
    assert float(line["queue_seconds"]) + float(line["compute_seconds"]) < float(line["seconds"]) < 60
    assert float(line["compute_seconds"]) > 0
    assert "reason" not in line and "error" not in line


def test_calls_that_are_refused_have_lines_and_names_too(api):
    with Server() as server, api.connect(server.address) as client:
        with pytest.raises(grpc.RpcError) as refused:
            client.stub.Tokenize(client.pb.TokenizeRequest(), metadata=(("x-request-id", "two words"),), timeout=60)
        with grpc.insecure_channel(server.address) as channel, pytest.raises(grpc.RpcError) as unknown:
            channel.unary_unary(f"/{SERVICE}/Gradients")(b"", timeout=60, metadata=(("traceparent", "00-nonsense"),))
        # A call's line comes after its answer, so that of the next call, on another connection, may come before it.
        lines = sorted(call_lines(server), key=lambda line: line["method"])
    assert [(line["method"], line["code"], line["reason"]) for line in lines] == [
        (f"/{SERVICE}/Gradients", "Unimplemented", "NOT_BUILT"),
        ("Tokenize", "InvalidArgument", "BAD_REQUEST"),
    ]
    for line, error in zip(lines, (unknown, refused), strict=True):
        assert re.fullmatch(r"[0-9a-f]{32}", line["request_id"])
        assert metadata_of(error.value)["x-request-id"] == line["request_id"]
        assert "traceparent" not in line and "traceparent" not in metadata_of(error.value)


def test_json_lines_are_json_with_numbers(api):
    with Server(flags=["--log_format=json"]) as server, api.connect(server.address) as client:
        client.stub.Tokenize(client.pb.TokenizeRequest(texts=["hello you"]), timeout=60)
        lines = [json.loads(line) for line in server.whole_log()]
    assert {"loading the model", "serving", "call", "stopped"} <= {line["msg"] for line in lines}
    (call,) = [line for line in lines if line["msg"] == "call"]
    assert (call["inputs"], call["tokens"], call["code"]) == (1, 2, "OK")
    assert 0 < call["seconds"] < 60


def bad_calls(client):
    """Calls that fail, with errors that quote the request, and one that goes well."""
    pb, stub = client.pb, client.stub
    stub.Tokenize(pb.TokenizeRequest(texts=[SECRET]), timeout=60)
    for call, request in (
        (stub.Extract, pb.ExtractRequest(texts=[SECRET], hook_points=[SECRET])),
        (stub.Extract, pb.ExtractRequest(texts=["a"], hook_points=["hook_embed"], model=SECRET)),
    ):
        with pytest.raises(grpc.RpcError):
            list(call(request, timeout=60))
    with pytest.raises(grpc.RpcError):
        stub.Detokenize(pb.DetokenizeRequest(sequences=[pb.TokenSequence(token_ids=[987654])]), timeout=60)


def test_nothing_of_a_request_is_in_the_log(api):
    with Server() as server, api.connect(server.address) as client:
        bad_calls(client)
        assert len(call_lines(server)) == 4
    assert not [line for line in server.log if SECRET in line or "987654" in line]


def test_at_debug_level_errors_are_in_the_log(api):
    with Server(flags=["--log_level=debug"]) as server, api.connect(server.address) as client:
        bad_calls(client)
        lines = call_lines(server)
    errors = [line["error"] for line in lines if "error" in line]
    assert (len(lines), len(errors)) == (4, 3)
    assert any(SECRET in error for error in errors) and any("987654" in error for error in errors)


def test_a_log_that_is_not_read_holds_up_no_call(api):
    """The log's pipe is full after some hundreds of lines; the calls go on."""
    command = [build_directory() / "bin/hydrophone-server", "--listen=127.0.0.1:0", "--metrics_listen=off"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            for line in process.stderr:
                if found := re.search(r"listening on (\S+)\"", line):
                    address = found[1]
                if 'msg="serving"' in line:
                    break
            with api.connect(address) as client:
                start = time.monotonic()
                for _ in range(2000):  # half a megabyte of lines; a pipe holds 64 KiB
                    client.model()
                assert time.monotonic() - start < 60
        finally:
            process.kill()
