"""deploy/proxy's configurations, run with Debian's packages: TLS outside, a server with tokens on the loopback behind.

They need nginx and haproxy (apt-get install nginx-light haproxy), and tests/run --long.
"""

import contextlib
import shutil
import socket
import ssl
import subprocess
import time

import grpc
import pytest
from certificates import Authority, digest_line
from conftest import LONG, ROOT, Server
from hydrophone_client import Client

PROXY = ROOT / "deploy/proxy"
START_SECONDS = 60
TOKEN = "a-token-through-a-proxy"

pytestmark = pytest.mark.skipif(
    not LONG or not all(map(shutil.which, ("nginx", "haproxy"))),
    reason="needs nginx and haproxy, and tests/run --long",
)


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def backend(tmp_path_factory):
    tokens = tmp_path_factory.mktemp("tokens") / "tokens"
    tokens.write_text(digest_line(TOKEN, "alice", requests=4))
    with Server(flags=[f"--token_digests={tokens}"]) as server:
        yield server


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def configuration(name, directory, server, port):
    """The committed file with this test's ports and paths in the place of its own."""
    text = (PROXY / name).read_text()
    for own, here in (
        ("listen 443", f"listen 127.0.0.1:{port}"),
        ("bind :443", f"bind 127.0.0.1:{port}"),
        ("127.0.0.1:50051", server.address),
        ("/etc/hydrophone", str(directory)),
    ):
        lines = [line if line.startswith("#") else line.replace(own, here) for line in text.splitlines()]
        text = "\n".join(lines) + "\n"
    path = directory / name
    path.write_text(text)
    return path


COMMANDS = {
    "nginx.conf": lambda path: ["nginx", "-p", path.parent, "-c", path, "-e", "stderr",
                                "-g", f"daemon off; pid {path.parent}/nginx.pid;"],
    "haproxy.cfg": lambda path: ["haproxy", "-db", "-f", path],
}  # fmt: skip


@pytest.fixture(params=sorted(COMMANDS))
def proxy(request, authority, backend, tmp_path):
    """The proxy's address."""
    certificate, key = authority.issue("proxy")
    shutil.copy(certificate, tmp_path / "tls.crt")
    shutil.copy(key, tmp_path / "tls.key")
    (tmp_path / "tls.pem").write_bytes(certificate.read_bytes() + key.read_bytes())
    port = free_port()
    command = COMMANDS[request.param](configuration(request.param, tmp_path, backend, port))
    process = subprocess.Popen(list(map(str, command)))
    try:
        deadline = time.monotonic() + START_SECONDS
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            assert process.poll() is None, "the proxy ended"
            assert time.monotonic() < deadline, "the proxy does not listen"
            time.sleep(0.05)
        yield f"localhost:{port}"
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture
def client(api, authority, proxy):
    credentials = grpc.ssl_channel_credentials(authority.certificate.read_bytes())
    options = [("grpc.max_receive_message_length", 64 << 20)]
    with grpc.secure_channel(proxy, credentials, options) as channel:
        yield Client(api, channel)


METADATA = [("authorization", f"Bearer {TOKEN}")]


def test_calls_and_streams_of_megabytes_come_through(client):
    assert client.stub.GetModel(client.pb.GetModelRequest(), metadata=METADATA, timeout=60).model.n_layer == 12
    request = client.pb.ExtractRequest(texts=["hello " * 900], hook_points=["hidden_states", "attn.hook_pattern"])
    extraction = client.read(client.stub.Extract(request, metadata=METADATA, timeout=120))
    assert extraction.trailer.data_bytes > 10 << 20


def test_a_request_of_megabytes_comes_through(client):
    request = client.pb.TokenizeRequest(texts=["word " * 300_000])
    answer = client.stub.Tokenize(request, metadata=METADATA, timeout=120)
    assert len(answer.inputs) == 1


def test_refusals_keep_their_details(client):
    with pytest.raises(grpc.RpcError) as refused:
        client.stub.GetModel(client.pb.GetModelRequest(), timeout=60)
    assert refused.value.code() == grpc.StatusCode.UNAUTHENTICATED
    details = dict(refused.value.trailing_metadata())["grpc-status-details-bin"]
    assert b"NO_TOKEN" in details


def test_a_cancelled_call_reaches_the_server(client):
    """The caller's limit of open calls has room again."""
    request = client.pb.ExtractRequest(texts=["hello " * 900], hook_points=["attn.hook_pattern"])
    for _ in range(8):
        stream = client.stub.Extract(request, metadata=METADATA, timeout=120)
        assert next(stream).WhichOneof("part") == "header"
        stream.cancel()
        with pytest.raises(grpc.RpcError):
            list(stream)
    deadline = time.monotonic() + 60
    while True:
        try:
            client.stub.GetModel(client.pb.GetModelRequest(), metadata=METADATA, timeout=60)
            break
        except grpc.RpcError as error:
            assert error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED and time.monotonic() < deadline
            time.sleep(0.05)


def test_the_outside_speaks_http2_over_tls_alone(proxy, authority):
    host, _, port = proxy.partition(":")
    context = ssl.create_default_context(cafile=authority.certificate)
    context.set_alpn_protocols(["h2"])
    plain = socket.create_connection((host, int(port)), 10)
    with context.wrap_socket(plain, server_hostname="localhost") as secured:
        assert secured.selected_alpn_protocol() == "h2"
