"""Which callers a running server lets in, over which connections, and what it tells of them and writes."""

import re
import shutil
import socket
import ssl
import subprocess
import time

import grpc
import pytest
from certificates import Authority, digest_line, replace
from conftest import Server, build_directory
from hydrophone_client import Client

PROGRAM = str(build_directory() / "bin/hydrophone-server")
PATIENCE = 60  # seconds until what was replaced must be in force, however busy the machine
TOKEN = "alices-secret-token"
OFF = ["--listen=127.0.0.1:0", "--metrics_listen=off"]


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def tls(authority, tmp_path):
    """The flags of a server with a certificate of the authority, in files that a test may replace."""
    certificate, key = authority.issue("server")
    shutil.copy(certificate, tmp_path / "tls.crt")
    shutil.copy(key, tmp_path / "tls.key")
    return [f"--tls_certificate={tmp_path / 'tls.crt'}", f"--tls_key={tmp_path / 'tls.key'}"]


@pytest.fixture
def tokens(tmp_path):
    path = tmp_path / "tokens"
    path.write_text(digest_line(TOKEN, "alice", weight=2))
    return path


class Connection:
    """A client's connection; None for no TLS, no token."""

    def __init__(self, api, address, ca=None, token=None, own=None):
        if ca:
            certificate, key = own or (None, None)
            credentials = grpc.ssl_channel_credentials(
                ca.read_bytes(), key and key.read_bytes(), certificate and certificate.read_bytes()
            )
            self.channel = grpc.secure_channel(address, credentials)
        else:
            self.channel = grpc.insecure_channel(address)
        self.client = Client(api, self.channel)
        self.metadata = [("authorization", f"Bearer {token}")] if token else []

    def model(self):
        request = self.client.pb.GetModelRequest()
        return self.client.stub.GetModel(request, metadata=self.metadata, timeout=PATIENCE)

    def code(self):
        """What a call ends with."""
        try:
            self.model()
        except grpc.RpcError as error:
            return error.code()
        return grpc.StatusCode.OK

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.channel.close()


def await_that(what, condition):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.05)


def run(*flags):
    return subprocess.run([PROGRAM, *map(str, flags)], capture_output=True, text=True, timeout=300)


def served_certificate(address):
    host, _, port = address.rpartition(":")
    return ssl.get_server_certificate((host, int(port)))


def test_tls_and_a_token_let_a_caller_in_and_nothing_less_does(api, authority, tls, tokens):
    with Server(flags=[*tls, f"--token_digests={tokens}"]) as server:
        ca = authority.certificate
        with Connection(api, server.address, ca, TOKEN) as connection:
            assert connection.model().model.n_layer == 12
        for token in (None, "another"):
            with Connection(api, server.address, ca, token) as connection:
                assert connection.code() == grpc.StatusCode.UNAUTHENTICATED
        with Connection(api, server.address, token=TOKEN) as connection:
            assert connection.code() == grpc.StatusCode.UNAVAILABLE


def test_old_versions_of_tls_are_refused(authority, tls):
    with Server(flags=tls) as server:
        host, _, port = server.address.rpartition(":")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
        context.load_verify_locations(authority.certificate)
        with socket.create_connection((host, int(port))) as plain, pytest.raises((ssl.SSLError, OSError)):
            context.wrap_socket(plain, server_hostname="localhost")


def test_clients_without_a_certificate_of_the_authority_are_refused(api, authority, tls, tmp_path):
    other = Authority(tmp_path, "other")
    with Server(flags=[*tls, f"--tls_client_ca={authority.certificate}"]) as server:
        ca = authority.certificate
        with Connection(api, server.address, ca, own=authority.issue("client")) as connection:
            assert connection.code() == grpc.StatusCode.OK
        with Connection(api, server.address, ca) as connection:
            assert connection.code() == grpc.StatusCode.UNAVAILABLE
        with Connection(api, server.address, ca, own=other.issue("stranger")) as connection:
            assert connection.code() == grpc.StatusCode.UNAVAILABLE


def test_replaced_certificates_are_served_and_a_half_replaced_pair_is_not(api, authority, tls, tmp_path):
    with Server(flags=tls) as server:
        first = served_certificate(server.address)
        certificate, key = authority.issue("renewed")
        replace(tmp_path / "tls.crt", certificate.read_bytes())
        await_that(
            "a warning",
            lambda: (
                served_certificate(server.address) and any("another certificate's key" in line for line in server.log)
            ),
        )
        assert served_certificate(server.address) == first
        replace(tmp_path / "tls.key", key.read_bytes())
        await_that("the new certificate", lambda: served_certificate(server.address) != first)
        assert served_certificate(server.address).split() == certificate.read_text().split()
        with Connection(api, server.address, authority.certificate) as connection:
            assert connection.code() == grpc.StatusCode.OK


def test_replaced_tokens_hold_and_a_broken_file_leaves_the_old_ones(api, tokens):
    with (
        Server(flags=[f"--token_digests={tokens}"]) as server,
        Connection(api, server.address, token=TOKEN) as alice,
        Connection(api, server.address, token="bobs-token") as bob,
    ):
        assert (alice.code(), bob.code()) == (grpc.StatusCode.OK, grpc.StatusCode.UNAUTHENTICATED)
        replace(tokens, "bobs-token\n")
        await_that("a warning", lambda: alice.code() and any("level=warning" in line for line in server.log))
        assert alice.code() == grpc.StatusCode.OK
        replace(tokens, digest_line("bobs-token", "bob"))
        await_that("bob's token", lambda: bob.code() == grpc.StatusCode.OK)
        assert alice.code() == grpc.StatusCode.UNAUTHENTICATED
    (warning,) = [line for line in server.log if "level=warning" in line]
    assert f"{tokens}: line 1: got a word of 10 characters" in warning and "bobs-token" not in warning


def test_beyond_this_machine_it_wants_tls_and_tokens_or_the_word(api):
    refused = run("--listen=0.0.0.0:0", "--metrics_listen=off")
    assert refused.returncode == 2
    assert "--tls_certificate and --tls_key with --token_digests" in refused.stderr and "--insecure" in refused.stderr
    refused = run("--listen=127.0.0.1:0", "--metrics_listen=0.0.0.0:0")
    assert refused.returncode == 2 and "--insecure_metrics" in refused.stderr
    with Server(listen="0.0.0.0:0", flags=["--insecure"]) as server:
        port = server.address.rpartition(":")[2]
        with Connection(api, f"127.0.0.1:{port}") as connection:
            assert connection.code() == grpc.StatusCode.OK
    assert any("level=warning" in line and "--insecure" in line for line in server.log)


def test_check_says_what_it_found_and_listens_on_nothing(server, tls, tokens):
    done = run("--check", f"--listen={server.address}", f"--metrics_listen={server.metrics_address}", *tls,
               f"--token_digests={tokens}")  # fmt: skip
    assert done.returncode == 0, done.stderr
    for line in ("model: hydrophone-gpt2-tiny", "tls: CN=server, valid until", "tokens: 1", "reflection: operate",
                 "ready to serve"):  # fmt: skip
        assert line in done.stdout
    assert "listening" not in done.stderr


@pytest.mark.parametrize(
    "spoil, status, expected",
    [
        (lambda d: (d / "tls.key").write_text("x"), 1, "tls.key: got no PEM private key"),
        (lambda d: (d / "tokens").write_text("sha256=1 name=a"), 1, "tokens: line 1: sha256: got 1 characters"),
        (lambda d: (d / "tls.crt").unlink(), 1, "tls.crt: no such file"),
    ],
    ids=["key", "tokens", "certificate"],
)
def test_check_finds_what_would_stop_the_start(tls, tokens, tmp_path, spoil, status, expected):
    spoil(tmp_path)
    flags = [*OFF, *tls, f"--token_digests={tokens}"]
    for flag in ([], ["--check"]):
        done = run(*flags, *flag)
        assert done.returncode == status
        assert expected in done.stderr and "ready" not in done.stdout


@pytest.mark.parametrize(
    "flags, expected",
    [
        (["--short_tokens=2000", "--slice_tokens=1000"], ["2000", "1000"]),
        (["--slice_tokens=2000", "--max_batch_tokens=1000"], ["2000", "1000"]),
        (["--tls_key=/tmp/key"], ["--tls_certificate"]),
        (["--reflection=operate"], ["--token_digests"]),
    ],
    ids=["short", "slice", "half a pair", "a role without tokens"],
)
def test_options_that_contradict_each_other_are_refused(flags, expected):
    done = run(*OFF, "--check", *flags)
    assert done.returncode == 2
    assert all(text in done.stderr for text in expected), done.stderr


def test_check_finds_a_bad_checkpoint(tmp_path):
    done = run(*OFF, "--check", f"--model={tmp_path}")
    assert done.returncode == 1 and "would not start" in done.stderr


def test_nothing_of_a_request_or_a_token_is_logged(api, tokens):
    """Also not of calls that are refused, in whatever field the text stands."""
    marker = "MARKER-7261"
    digest = tokens.read_text().split()[0].partition("=")[2]
    with Server(flags=[f"--token_digests={tokens}", "--log_level=info"]) as server:
        with Connection(api, server.address, token=TOKEN) as connection:
            pb, stub, metadata = connection.client.pb, connection.client.stub, connection.metadata
            calls = [
                pb.ExtractRequest(texts=[marker], hook_points=["hook_embed"]),
                pb.ExtractRequest(texts=["a"], hook_points=[marker]),
                pb.ExtractRequest(inputs=[pb.Input(text=marker, key=marker)], hook_points=["hook_embed"]),
                pb.ExtractRequest(texts=["a"], hook_points=["hook_embed"], model=marker),
                pb.ExtractRequest(texts=["a " * 5000 + marker], hook_points=["hook_embed"]),
            ]
            codes = []
            for request in calls:
                try:
                    list(stub.Extract(request, metadata=[*metadata, ("x-marker", marker)], timeout=PATIENCE))
                    codes.append(grpc.StatusCode.OK)
                except grpc.RpcError as error:
                    codes.append(error.code())
            assert grpc.StatusCode.OK in codes and grpc.StatusCode.INVALID_ARGUMENT in codes
        for token in (marker, f"{marker} {marker}"):
            with Connection(api, server.address, token=token) as connection:
                assert connection.code() == grpc.StatusCode.UNAUTHENTICATED
        server.stop()
    log = "".join(server.log)
    assert "stopped" in log
    for secret in (marker, TOKEN, digest):
        assert secret not in log


@pytest.mark.skipif(not shutil.which("strace"), reason="needs strace")
def test_it_writes_no_file_and_connects_to_nothing(api, tmp_path):
    trace = tmp_path / "trace"
    watched = "openat,open,creat,mkdir,mkdirat,rename,renameat,renameat2,unlink,unlinkat,link,symlink,connect"
    strace = ["strace", "-D", "-f", "-qq", "-e", f"trace={watched}", "-o", str(trace), PROGRAM]
    with Server(program=strace) as server:
        with Connection(api, server.address) as connection:
            connection.client.extract(texts=["hello"], hook_points=["attn.c_proj"])
        assert server.stop() == 0
    lines = [line.split(None, 1)[1] for line in trace.read_text().splitlines()]
    calls = [line for line in lines if not re.match(r"<\.\.\.|\+\+\+|---", line) and "= -1" not in line]
    assert any("model.safetensors" in line and "O_RDONLY" in line for line in calls), "the trace shows nothing"
    writes = [line for line in calls if re.search(r"O_WRONLY|O_RDWR|O_CREAT", line) or not line.startswith("open")]
    assert [line for line in writes if not re.search(r'"/dev/null"|AF_UNIX', line)] == []
