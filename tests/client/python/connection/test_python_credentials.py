"""TLS, tokens, addresses: what goes where, and what is refused before anything is sent."""

import pytest
from certificates import Authority, digest_line
from conftest import Server
from python_client import hp
from python_fakes import FakeServer

from hydrophone.connection.credentials import is_here

TOKEN = "s3cret-token"


def test_a_token_goes_with_each_call():
    with FakeServer() as server, hp.Client(server.address, token=TOKEN) as client:
        client.model()
        assert server.metadata["authorization"] == f"Bearer {TOKEN}"


def test_a_token_comes_from_a_file_or_the_environment(tmp_path, monkeypatch):
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    with FakeServer() as server:
        with hp.Client(server.address, token_file=tmp_path / "token") as client:
            client.model()
            assert server.metadata["authorization"] == f"Bearer {TOKEN}"
        monkeypatch.setenv("HYDROPHONE_TOKEN", "other")
        monkeypatch.setenv("HYDROPHONE_SERVER", server.address)
        with hp.Client() as client:
            client.model()
            assert server.metadata["authorization"] == "Bearer other"


def test_no_token_leaves_this_machine_in_plaintext():
    with pytest.raises(hp.Precondition, match="lab:50051 in plaintext") as caught:
        hp.Client(["localhost:1", "lab:50051"], token=TOKEN)
    assert TOKEN not in str(caught.value)
    hp.Client("lab:50051", token=TOKEN, insecure=True).close()
    hp.Client("lab:50051", token=TOKEN, tls=True).close()


@pytest.mark.parametrize(
    "options, argument",
    [
        ({"token": "two words"}, "token"),
        ({"token": "a", "token_file": "b"}, "token_file"),
        ({"address": ""}, "address"),
        ({"address": []}, "address"),
        ({"in_flight": 0}, "in_flight"),
    ],
)
def test_what_makes_no_client_is_refused_by_its_argument(options, argument, monkeypatch):
    monkeypatch.delenv("HYDROPHONE_SERVER", raising=False)
    if options.get("address") == "":
        options = {"address": "a:1,"}
    with pytest.raises(hp.InvalidArgument) as caught:
        hp.Client(**options)
    assert caught.value.argument == argument
    assert "two words" not in str(caught.value)


def test_a_certificate_needs_its_key():
    with pytest.raises(hp.InvalidArgument, match="one of certificate and key"):
        hp.Tls(certificate="a.crt")


@pytest.mark.parametrize(
    "address, here",
    [
        ("localhost:1", True),
        ("127.0.0.9:1", True),
        ("[::1]:1", True),
        ("unix:/run/socket", True),
        ("lab:1", False),
        ("10.0.0.1:1", False),
        ("dns:///localhost:1", False),
        ("127.0.0.1.example:1", False),
    ],
)
def test_what_is_this_machine(address, here):
    assert is_here(address) is here


def test_tls_a_token_and_a_certificate_of_the_clients_own_with_a_real_server(tmp_path):
    authority = Authority(tmp_path)
    certificate, key = authority.issue("server")
    own, own_key = authority.issue("client")
    (tmp_path / "tokens").write_text(digest_line(TOKEN, "alice") + "\n")
    flags = [f"--tls_certificate={certificate}", f"--tls_key={key}", f"--tls_client_ca={authority.certificate}"]
    with Server(flags=[*flags, f"--token_digests={tmp_path / 'tokens'}"]) as server:
        tls = hp.Tls(authority.certificate, own, own_key)
        with hp.Client(server.address, tls=tls, token=TOKEN) as client:
            assert client.extract("Hello", "attn.c_proj", layers=0)["attn.c_proj"].shape == (1, 64)
        with hp.Client(server.address, tls=tls, token="another") as client, pytest.raises(hp.AccessDenied):
            client.model()
        with hp.Client(server.address, tls=hp.Tls(authority.certificate)) as client, pytest.raises(hp.Unavailable):
            client.model()
