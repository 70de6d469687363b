"""The server of a soak: its address stays the same when it is restarted."""

import threading
import time

from conftest import Server
from watch import Usage

# A connection may be refused for this long after a restart, while the client waits to connect again.
RECONNECT_SECONDS = 3.0


class Stage:
    """Use as a context manager. `over` is set when the callers are to end; `findings` are what went wrong."""

    def __init__(self, flags):
        self._flags = flags
        self._lock = threading.Lock()
        self._server = None
        self._restarted = []  # the (begin, end) of each; the end of one that goes on is None
        self.over = threading.Event()
        self.findings, self.process, self.idle = {}, None, None
        self.restarts = 0

    def __enter__(self):
        self._start("127.0.0.1:0")
        self.address = self._server.address
        return self

    def __exit__(self, *_):
        self.over.set()
        self._server.__exit__()

    def _start(self, listen):
        self._server = Server(flags=self._flags, listen=listen).__enter__()
        self.process = self._server.process
        self.idle = Usage(self.process.pid)

    def find(self, text):
        """Notes a finding; equal ones are counted."""
        with self._lock:
            self.findings[text] = self.findings.get(text, 0) + 1

    def restart(self):
        with self._lock:
            self._restarted.append([time.monotonic(), None])
        self.idle = None
        status = self._server.stop()
        if status != 0:
            self.find(f"the server ended with status {status}:\n{''.join(self._server.log[-20:])}")
        self._start(self.address)
        with self._lock:
            self._restarted[-1][1] = time.monotonic()
        self.restarts += 1

    def was_restarted_since(self, begun):
        with self._lock:
            return any(end is None or end + RECONNECT_SECONDS > begun for _, end in self._restarted)

    def is_alive(self):
        """Whether the server runs, or is being restarted."""
        process = self.process
        ended = process.poll() is not None
        return not (ended and process is self.process and self.idle is not None)


class Restarter(threading.Thread):
    """Restarts the stage's server again and again until the soak is over."""

    def __init__(self, stage, interval_seconds):
        super().__init__(daemon=True)
        self._stage, self._interval_seconds = stage, interval_seconds

    def run(self):
        while not self._stage.over.wait(self._interval_seconds):
            try:
                self._stage.restart()
            except Exception as error:  # without a server there is nothing more to ask
                self._stage.find(f"the server could not be restarted: {error}")
                self._stage.over.set()
