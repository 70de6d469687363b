"""Which statuses carry details, whatever a client sends: those of the service always, gRPC's own never.

The list of gRPC's own stands in proto/hydrophone/v1/activation_service.proto.
"""

import base64
import gzip
import zlib

import pytest
from raw_http2 import SERVICE, Connection, message

HELLO = b"\x0a\x05Hello"  # a TokenizeRequest with one text
GZIP = [(b"grpc-encoding", b"gzip")]


@pytest.fixture
def ask(server):
    def run(data, path=SERVICE + b"Tokenize", **call):
        with Connection(server.address) as connection:
            return connection.call(path, data, **call)

    return run


def reason_of(headers):
    """ErrorInfo's reason in grpc-status-details-bin, or None: what follows field 1 of the ErrorInfo, as text."""
    encoded = headers.get("grpc-status-details-bin")
    if encoded is None:
        return None
    details = base64.b64decode(encoded + "=" * (-len(encoded) % 4))
    info = details[details.index(b"google.rpc.ErrorInfo") :]
    start = info.index(b"\x0a", len(b"google.rpc.ErrorInfo")) + 2
    assert b"hydrophone" in info
    return info[start : start + info[start - 1]].decode()


@pytest.mark.parametrize(
    "data, headers",
    [
        (message(HELLO), []),
        (message(gzip.compress(HELLO), 1), GZIP),
        (message(HELLO, 0), GZIP),  # a client may leave a message as it is
    ],
    ids=["not compressed", "compressed", "left as it is"],
)
def test_a_request_may_be_in_gzip(data, headers, ask):
    assert ask(data, headers=headers)["grpc-status"] == "0"


REFUSED = {
    "bytes that are no protobuf": ({"data": message(b"\xff\xff\xff")}, "3", "BAD_REQUEST"),
    "no message": ({"data": b""}, "3", "BAD_REQUEST"),
    "a message that breaks off": ({"data": message(HELLO)[:-1]}, "3", "BAD_REQUEST"),
    "an unknown compression": (
        {"data": message(b"\x0b\x02\x80abc", 1), "headers": [(b"grpc-encoding", b"br")]},
        "3",
        "BAD_REQUEST",
    ),
    "damaged gzip": ({"data": message(gzip.compress(HELLO)[:-8] + bytes(8), 1), "headers": GZIP}, "3", "BAD_REQUEST"),
    "gzip that unpacks to too much": (
        {"data": message(gzip.compress(bytes(64 << 20)), 1), "headers": GZIP},
        "3",
        "TOO_LARGE",
    ),
    "a message above the limit": ({"data": message(bytes(5 << 20))}, "3", "TOO_LARGE"),
    "an unknown method": ({"data": message(b""), "path": SERVICE + b"Gradients"}, "12", "NOT_BUILT"),
    "an unknown service": ({"data": message(b""), "path": b"/other.Service/Call"}, "12", "NOT_BUILT"),
    "a path that is no method's": ({"data": message(b""), "path": b"nonsense"}, "12", "NOT_BUILT"),
}


@pytest.mark.parametrize("wrong", REFUSED)
def test_a_status_of_the_service_carries_its_reason(wrong, ask):
    call, status, reason = REFUSED[wrong]
    headers = ask(**call)
    assert (headers["grpc-status"], reason_of(headers)) == (status, reason), headers


GRPCS_OWN = {
    "deflate": ({"data": message(zlib.compress(HELLO), 1), "headers": [(b"grpc-encoding", b"deflate")]}, "12"),
    "a message above twice the limit": ({"data": message(bytes(9 << 20))}, "8"),
    "another method of HTTP": ({"data": message(HELLO), "method": b"PUT"}, "2"),
}


@pytest.mark.parametrize("wrong", GRPCS_OWN)
def test_a_status_of_grpcs_own_carries_none(wrong, ask):
    call, status = GRPCS_OWN[wrong]
    headers = ask(**call)
    assert (headers["grpc-status"], reason_of(headers)) == (status, None), headers
