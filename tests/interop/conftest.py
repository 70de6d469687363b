"""Real grpcurl against a running server.

Field names come as the proto writes them: C++'s reflection does not send the JSON ones.
"""

import json
import subprocess

import pytest

import go_tools

SERVICE = "hydrophone.v1.ActivationService"


def messages_of(text):
    """The JSON messages that a text holds, one after the other."""
    decoder, found, at = json.JSONDecoder(), [], 0
    while at < len(text.rstrip()):
        message, at = decoder.raw_decode(text, at)
        found.append(message)
        at += len(text[at:]) - len(text[at:].lstrip())
    return found


@pytest.fixture(scope="module")
def grpcurl(server):
    """Runs grpcurl with flags, then the server's address, then what to do; gives the finished process."""
    program = go_tools.find("grpcurl")

    def run(*verb, flags=(), request=None):
        data = ["-d", json.dumps(request)] if request is not None else []
        command = [program, "-plaintext", "-max-time", "120", *flags, *data, server.address, *verb]
        return subprocess.run(command, capture_output=True, text=True, timeout=180)

    return run


@pytest.fixture(scope="module")
def call(grpcurl):
    """Calls a method of the service; gives the messages of a call that went well."""

    def run(method, request=None, service=SERVICE):
        done = grpcurl(f"{service}/{method}", request=request)
        assert done.returncode == 0, done.stderr
        return messages_of(done.stdout)

    return run


@pytest.fixture(scope="module")
def refused(grpcurl):
    """Calls a method; gives the google.rpc.Status of a call that was refused, its details by type."""

    def run(method, request):
        done = grpcurl(f"{SERVICE}/{method}", flags=["-format-error"], request=request)
        assert done.returncode != 0, done.stdout
        status = json.loads(done.stderr)
        status["details"] = {detail["@type"].rpartition(".")[2]: detail for detail in status["details"]}
        return status

    return run
