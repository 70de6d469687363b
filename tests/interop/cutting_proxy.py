"""A TCP proxy that cuts each connection after some number of bytes."""

import contextlib
import dataclasses
import select
import socket
import struct
import threading

PIECE_BYTES = 1 << 16


@dataclasses.dataclass
class Cut:
    """Ends a connection once that many bytes have passed in one direction."""

    after: int
    upward: bool = False  # counts the client's bytes, not the server's
    reset: bool = False  # by a reset, not in order


class CuttingProxy:
    """Listens on a free loopback port and forwards to `server` (HOST:PORT); use as a context manager.

    `next_cut()` gives each connection its Cut. `cuts` counts those made, `carried` the bytes that the latest
    connection's server sent.
    """

    def __init__(self, server, next_cut):
        host, _, port = server.rpartition(":")
        self._server = (host, int(port))
        self._next_cut = next_cut
        self._threads = []
        self.cuts = self.carried = 0

    def __enter__(self):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._start(self._accept)
        return self

    def __exit__(self, *_):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(10)

    def _start(self, target, *arguments):
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                self._start(self._serve, self._listener.accept()[0], self._next_cut())

    def _serve(self, client, cut):
        with client, socket.create_connection(self._server) as server, contextlib.suppress(OSError):
            if self._forward(client, server, cut):
                self.cuts += 1
                if cut.reset:
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def _forward(self, client, server, cut):
        """Until one side ends, or until the cut: whether it was made."""
        carried = {client: 0, server: 0}
        counted = client if cut.upward else server
        while True:
            for source in select.select([client, server], [], [])[0]:
                room = cut.after - carried[counted] if source is counted else PIECE_BYTES
                data = source.recv(min(room, PIECE_BYTES))
                if not data:
                    return False
                (server if source is client else client).sendall(data)
                carried[source] += len(data)
                self.carried = carried[server]
                if carried[counted] == cut.after:
                    return True
