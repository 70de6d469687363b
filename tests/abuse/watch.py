"""What others see while a server is attacked: answers to calls on fresh connections, and the server's memory."""

import collections
import dataclasses
import pathlib
import re
import threading
import time

import grpc

CADENCE = 0.1  # seconds between probes
PATIENCE = 2.0  # seconds in which a probe is to be answered
GIVE_UP = 20.0  # seconds
CONSTANT_MIB = 512  # that a server may take beside weights and budget
KEPT_MIB = 100  # that may stay when an attack is over


def _status(pid, field):
    """A figure of /proc/PID/status, in MiB."""
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(rf"^{field}:\s+(\d+) kB", text, re.MULTILINE)[1]) / 1024


def memory_mib(pid):
    """The memory that a process has now, the pages of mapped files among it."""
    return _status(pid, "VmRSS")


def peak_mib(pid):
    """The most that it has had."""
    return _status(pid, "VmHWM")


def given_back(pid, mib, seconds=30):
    """Waits until a process has at most so much memory: what it has then, and the seconds it took."""
    begin = time.monotonic()
    while (now := memory_mib(pid)) > mib and time.monotonic() - begin < seconds:
        time.sleep(0.2)
    return now, time.monotonic() - begin


@dataclasses.dataclass
class Seen:
    """Seconds that each probe took, None for one without an answer; and how many ended with which code."""

    probes: list
    codes: collections.Counter

    def answered(self):
        """The share of the probes that were answered in time."""
        return sum(took is not None and took <= PATIENCE for took in self.probes) / len(self.probes)

    def p99(self):
        took = sorted(GIVE_UP if probe is None else probe for probe in self.probes)
        return took[int(0.99 * (len(took) - 1))]


class Watch:
    """Asks GetModel on a fresh connection every CADENCE seconds, whether what was asked before is answered or not."""

    def __init__(self, api, address):
        self.api, self.address = api, address
        self.seen = Seen([], collections.Counter())
        self._stop = threading.Event()
        self._probes = []

    def __enter__(self):
        self._ticker = threading.Thread(target=self._tick, daemon=True)
        self._ticker.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._ticker.join()
        for probe in self._probes:
            probe.join()

    def _tick(self):
        begin = time.monotonic()
        while not self._stop.wait(max(0, begin + CADENCE * len(self._probes) - time.monotonic())):
            self._probes.append(threading.Thread(target=self._probe, daemon=True))
            self._probes[-1].start()

    def _probe(self):
        begin, took = time.monotonic(), None
        options = [("grpc.use_local_subchannel_pool", 1)]
        with grpc.insecure_channel(self.address, options=options) as channel:
            try:
                self.api.stub(channel).GetModel(self.api.pb.GetModelRequest(), timeout=GIVE_UP)
                took = time.monotonic() - begin
            except grpc.RpcError as error:
                self.seen.codes[error.code().name] += 1
        self.seen.probes.append(took)
