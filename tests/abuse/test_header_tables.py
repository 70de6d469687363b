"""After a header that gRPC refuses, a call on the same connection has the headers that it sent, or the connection ends.

HTTP/2 names a header that was sent before by its number in a table that both sides keep. A server that leaves out of
its table what it refuses would read another call's headers in a later one (CVE-2023-32731, CVE-2024-7246). The calls
here ask for a request id by such a number; the answer carries the id that the server read.
"""

import contextlib

import attacks
import hpack
import pytest
from conftest import Server

DATA, END_STREAM, ACK = 0, 1, 1
EMPTY_MESSAGE = bytes(5)
REQUEST_ID = ("x-request-id", "the-id-that-was-sent")
REFUSED = {
    "too large": ("x-large", "x" * 30_000, True),  # which the table does not take: it would push out everything else
    "no base64": ("x-odd-bin", "!!!"),
    "te": ("te", "gzip"),
}
HARMLESS = {
    "control characters": ("x-odd", "\x01\x02"),
    "uppercase": ("X-ODD", "y"),
    "content-length": ("content-length", "abc"),
    "grpc-encoding": ("grpc-encoding", "zzz"),
    "empty name": ("", "y"),
}


def call(stream, block):
    """A call of GetModel, its block of headers in frames of the size that every server takes."""
    parts = [block[at : at + 16_000] for at in range(0, len(block), 16_000)]
    kinds = [attacks.HEADERS] + [attacks.CONTINUATION] * (len(parts) - 1)
    frames = [
        attacks.frame(kind, stream, part, attacks.END_HEADERS if part is parts[-1] else 0)
        for kind, part in zip(kinds, parts, strict=True)
    ]
    return b"".join(frames) + attacks.frame(DATA, stream, EMPTY_MESSAGE, END_STREAM)


def read_exactly(connection, size):
    data = b""
    while len(data) < size:
        part = connection.recv(size - len(data))
        if not part:
            raise ConnectionError("the server closed the connection")
        data += part
    return data


def frames_of(connection):
    """(kind, stream, payload) of every frame, until the connection ends."""
    with contextlib.suppress(ConnectionError):
        while True:
            head = read_exactly(connection, 9)
            payload = read_exactly(connection, int.from_bytes(head[:3], "big"))
            yield head[3], int.from_bytes(head[5:], "big"), payload


def second_answer(address, header, before):
    """The second call's trailers, None when the connection ended; the first has the header before or after its id."""
    encoder, decoder = hpack.Encoder(), hpack.Decoder()
    first = encoder.encode([*attacks.CALL, *([header, REQUEST_ID] if before else [REQUEST_ID, header])])
    second = encoder.encode([*attacks.CALL, REQUEST_ID])
    assert len(second) < 16, "the second call does not name its headers by number"
    with attacks.connect(address) as connection:
        connection.sendall(attacks.OPENING)
        frames = frames_of(connection)
        next(frames)  # the server's settings, which hold once they are acknowledged
        connection.sendall(attacks.frame(attacks.SETTINGS, flags=ACK) + call(1, first) + call(3, second))
        for kind, stream, payload in frames:
            if kind == attacks.HEADERS:
                headers = dict(decoder.decode(payload))
                if stream == 3 and "grpc-status" in headers:
                    return headers
    return None


@pytest.fixture(scope="module")
def address():
    with Server() as server:
        yield server.address


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize("name", [*REFUSED, *HARMLESS])
def test_a_later_call_has_its_own_headers_or_the_connection_ends(address, name, before):
    answer = second_answer(address, {**REFUSED, **HARMLESS}[name], before)
    if answer is None:
        assert name in REFUSED, "a harmless header ended the connection"
        return
    assert (answer["grpc-status"], answer.get("x-request-id")) == ("0", REQUEST_ID[1])
