"""Watches a server's memory, descriptors and threads against stated bounds."""

import pathlib
import re
import threading

# Beside weights and named budgets: the code of libtorch and gRPC, one batch's activations, and messages on their way.
CONSTANT_BYTES = 512 << 20
# Beside those that the server has before the first caller: a socket for each caller, and one for each that just left.
MORE_DESCRIPTORS = 64
MORE_THREADS = 64
INTERVAL_SECONDS = 0.5


class Usage:
    """What a process holds now."""

    def __init__(self, pid):
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
        self.resident = int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) << 10
        self.threads = int(re.search(r"Threads:\s+(\d+)", status)[1])
        self.descriptors = sum(1 for _ in pathlib.Path(f"/proc/{pid}/fd").iterdir())


class Watch(threading.Thread):
    """Samples the stage's server until the soak is over; keeps the largest values, and finds what is out of bounds."""

    def __init__(self, stage, weights_bytes, budget_bytes):
        super().__init__(daemon=True)
        self._stage = stage
        self.bound_bytes = weights_bytes + budget_bytes + CONSTANT_BYTES
        self.resident = self.descriptors = self.threads = 0
        self.now = None

    def run(self):
        while not self._stage.over.wait(INTERVAL_SECONDS):
            self.look()

    def look(self):
        process, before = self._stage.process, self._stage.idle
        try:
            usage = Usage(process.pid)
        except (OSError, TypeError):  # between two servers
            return
        if before is None or process is not self._stage.process:
            return
        self.now = usage
        self.resident = max(self.resident, usage.resident)
        self.descriptors = max(self.descriptors, usage.descriptors)
        self.threads = max(self.threads, usage.threads)
        self._bound("bytes resident", usage.resident, self.bound_bytes)
        self._bound("descriptors", usage.descriptors, before.descriptors + MORE_DESCRIPTORS)
        self._bound("threads", usage.threads, before.threads + MORE_THREADS)

    def _bound(self, what, got, most):
        if got > most:
            self._stage.find(f"the server has {got} {what}, expected at most {most}")
