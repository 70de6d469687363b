"""The command line against servers that are not open to all."""

import subprocess

import pytest
from certificates import Authority, digest_line
from conftest import Server

TOKEN = "the-clients-token"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def closed(authority, tmp_path_factory):
    """A server that wants TLS, a client's certificate and a token."""
    tokens = tmp_path_factory.mktemp("tokens") / "tokens"
    tokens.write_text(digest_line(TOKEN, "alice"))
    certificate, key = authority.issue("server")
    flags = [f"--tls_certificate={certificate}", f"--tls_key={key}", f"--tls_client_ca={authority.certificate}"]
    with Server(flags=[*flags, f"--token_digests={tokens}"]) as server:
        yield server


@pytest.fixture
def ask(program, closed, authority, tmp_path):
    """Runs `hydrophone model`; gives the finished process. Options: None leaves one out."""
    certificate, key = authority.issue("client")
    token_file = tmp_path / "token"
    token_file.write_text(TOKEN + "\n")
    usual = {"server": closed.address, "tls_ca": authority.certificate, "tls_certificate": certificate,
             "tls_key": key, "token_file": token_file}  # fmt: skip

    def run(environment=None, **changed):
        options = [f"--{name}={value}" for name, value in {**usual, **changed}.items() if value is not None]
        command = [program, *options, "model"]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment)

    return run


def test_with_everything_it_is_answered(ask):
    done = ask()
    assert done.returncode == 0, done.stderr
    assert "hydrophone-gpt2-tiny" in done.stdout


def test_streams_carry_the_token_too(program, closed, authority, tmp_path):
    certificate, key = authority.issue("client")
    own = ["--tls_certificate", certificate, "--tls_key", key]
    command = [program, "--server", closed.address, "--tls_ca", authority.certificate, *own]
    command += ["extract", "--hook", "attn.c_proj@0", "--out", tmp_path / "a.safetensors", "hello"]
    done = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, timeout=120, env={"HYDROPHONE_TOKEN": TOKEN}
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "changed, status, expected",
    [
        (
            {"token_file": None},
            3,
            "[NO_TOKEN]\n  --token_file names a file with a token, or HYDROPHONE_TOKEN holds one",
        ),
        ({"tls_ca": None, "tls_certificate": None, "tls_key": None}, 3, "perhaps the server wants TLS: --tls"),
        ({"tls_ca": None, "tls": "true"}, 3, "--tls_ca names a file with another"),
        ({"tls_certificate": None, "tls_key": None}, 3, "wants --tls_certificate and --tls_key"),
        ({"tls_key": None}, 2, "--tls_key"),
        ({"token_file": "/no/such"}, 2, "--token_file /no/such: no such file"),
        ({"token": TOKEN}, 2, "--token"),
    ],
    ids=["no token", "plaintext", "another authority", "no certificate", "no key", "no file", "a token for all to see"],
)
def test_what_is_missing_is_told_in_the_users_words(ask, changed, status, expected):
    done = ask(**changed)
    assert done.returncode == status
    assert expected in done.stderr
    assert TOKEN not in done.stderr or "token" in changed


def test_a_certificate_of_another_host_is_refused(program, authority, tmp_path):
    certificate, key = authority.issue("elsewhere", hosts="DNS:elsewhere.example")
    with Server(flags=[f"--tls_certificate={certificate}", f"--tls_key={key}"]) as server:
        command = [program, "--server", server.address, "--tls_ca", authority.certificate, "model"]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=120)
    assert done.returncode == 3
    assert "the server's certificate is not for the name in --server" in done.stderr


def test_health_wants_no_token(program, authority, tmp_path):
    tokens = tmp_path / "tokens"
    tokens.write_text(digest_line(TOKEN, "alice"))
    with Server(flags=[f"--token_digests={tokens}"]) as server:
        command = [program, "--server", server.address, "health", "--wait", "60"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout) == (0, "SERVING\n")
