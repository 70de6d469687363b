"""The processes that take part: our server, the benchmark's client, the peers."""

import json
import os
import pathlib
import re
import subprocess
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
START_SECONDS = 300


class Failed(RuntimeError):
    """A process that takes part could not start, or answered with an error."""


def _end(process):
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
    process.wait()


class Server:
    """hydrophone-server on a free loopback port, serving. A context manager."""

    def __init__(self, build, model, threads, device, flags=()):
        self._command = [
            str(build / "bin/hydrophone-server"),
            f"--model={model}",
            "--listen=127.0.0.1:0",
            "--metrics_listen=off",
            f"--threads={threads}",
            f"--device={device}",
            *flags,
        ]
        self._log = []
        self.address = ""
        self.numerics = {}  # as GetModel gives it, by name
        self.start_seconds = 0.0  # from exec to SERVING

    def __enter__(self):
        self._serving = threading.Event()
        self._begun = time.perf_counter()
        self._process = subprocess.Popen(self._command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        self._reader = threading.Thread(target=self._read_log, daemon=True)
        self._reader.start()
        if not self._serving.wait(START_SECONDS) or not self.start_seconds:
            _end(self._process)
            raise Failed("the server did not start:\n" + "".join(self._log))
        return self

    def __exit__(self, *_):
        _end(self._process)
        self._reader.join(10)

    def _read_log(self):
        for line in self._process.stderr:
            self._log.append(line)
            if found := re.search(r"listening on (\S+:\d+)", line):
                self.address = found[1]
            elif found := re.search(r"numerics=(\S+)", line):
                self.numerics = dict(part.partition("=")[::2] for part in found[1].strip('"').split(";"))
            elif "serving" in line and self.address and not self.start_seconds:
                self.start_seconds = time.perf_counter() - self._begun
                self._serving.set()
        self._serving.set()  # the log ended: it has stopped

    def cpu_seconds(self):
        return cpu_seconds(self._process.pid)

    def memory_bytes(self, field):
        """A figure of /proc/PID/status, in bytes: VmRSS, VmHWM, RssFile, RssAnon."""
        status = pathlib.Path(f"/proc/{self._process.pid}/status").read_text()
        return int(re.search(rf"^{field}:\s+(\d+) kB", status, re.MULTILINE)[1]) * 1024


def cpu_seconds(pid):
    """Of all threads of a process, since its start. Unlike wall time, it hardly sees what else the machine does."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class BusyCores:
    """A process for each core that does nothing but compute. A context manager."""

    def __enter__(self):
        loop = [sys.executable, "-c", "while True: pass"]
        self._processes = [subprocess.Popen(loop) for _ in range(os.cpu_count())]
        return self

    def __exit__(self, *_):
        for process in self._processes:
            _end(process)


class _LineProcess:
    """A process that answers a line of JSON with a line of JSON. A context manager."""

    def __init__(self, command, environment=None):
        self._command, self._environment = command, environment

    def __enter__(self):
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=HERE,
            env={**os.environ, **(self._environment or {})},
        )
        return self

    def __exit__(self, *_):
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            _end(self._process)

    def cpu_seconds(self):
        return cpu_seconds(self._process.pid)

    def ask(self, question):
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        return self.read()

    def read(self):
        line = self._process.stdout.readline()
        if not line:
            raise Failed(f"{self._command} ended with status {self._process.wait()}")
        answer = json.loads(line)
        if "error" in answer:
            raise Failed(f"{self._command}: {answer['error']}")
        return answer


class Client(_LineProcess):
    """hydrophone_bench_client, connected to one server."""

    def __init__(self, build, address):
        super().__init__([str(build / "bin/hydrophone_bench_client"), address])

    def load(self, requests, callers=1, calls=None, way="client", **more):
        """Makes `calls` calls (default: each request once); {"wall": seconds, "samples": [one a call]}."""
        calls = len(requests) if calls is None else calls
        return self.ask({"way": way, "callers": callers, "calls": calls, "requests": requests, **more})


class Products(_LineProcess):
    """hydrophone_bench_products: the server's products alone."""

    def __init__(self, build, threads):
        super().__init__([str(build / "bin/hydrophone_bench_products"), str(threads)])

    def seconds(self, rows):
        return {"seconds": self.ask({"rows": rows})["seconds"]}


class Peer(_LineProcess):
    """peers/NAME.py in a process of its own, loaded and ready when entered."""

    def __init__(self, name, threads, device, *arguments):
        # The default attention and thread pools; only the number of threads and the device are everybody's.
        environment = {
            "OMP_NUM_THREADS": str(threads),
            "HYDROPHONE_BENCH_DEVICE": device,
            "HF_HUB_OFFLINE": "1",
            "TQDM_DISABLE": "1",
        }
        super().__init__([sys.executable, "-m", f"peers.{name}", str(threads), *map(str, arguments)], environment)

    def __enter__(self):
        super().__enter__()
        self.ready = self.read()
        return self

    def seconds(self, do, **arguments):
        """{"seconds": what the peer measured of itself}."""
        return {"seconds": self.ask({"do": do, **arguments})["seconds"]}
