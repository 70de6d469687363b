"""Bytes over a bare TCP connection on loopback, from one process to another: THREADS (unused)."""

import multiprocessing
import socket
import struct

from peers.worker import serve, timed

PIECE = 1 << 20  # bytes of one send and one receive


def send_what_is_asked(port):
    """The sending process: reads a size, sends as many bytes, until the connection ends."""
    piece = memoryview(bytes(range(256)) * (PIECE // 256))
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while size := connection.recv(8, socket.MSG_WAITALL):
            left = struct.unpack("<Q", size)[0]
            while left:
                left -= connection.send(piece[: min(left, PIECE)])


def main():
    listening = socket.create_server(("127.0.0.1", 0))
    sender = multiprocessing.get_context("spawn").Process(
        target=send_what_is_asked, args=(listening.getsockname()[1],), daemon=True
    )
    sender.start()
    connection, _ = listening.accept()
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    memory = memoryview(bytearray(PIECE))

    def transfer(size):
        def work():
            connection.sendall(struct.pack("<Q", size))
            left = size
            while left:
                left -= connection.recv_into(memory, min(left, PIECE))

        return timed(work)

    serve({"transfer": transfer})


if __name__ == "__main__":
    main()
