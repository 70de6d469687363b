"""What a part of the kit is given: the device, checkpoints, and processes that end with it.

In the folder that tests/gpu/prepare makes, files lie as in the repository: bin/, tests/, server/models/ and generated/.
"""

import contextlib
import os
import pathlib
import signal
import subprocess
import sys
import time

FOLDER = pathlib.Path(__file__).resolve().parents[2]
for _folder in ("generated", "tests", "tests/parity", "tests/bench"):
    sys.path.insert(0, str(FOLDER / _folder))

import measure  # noqa: E402
import processes  # noqa: E402

DEFAULT, GPT2, XL = "default", "124M", "XL"
DEFAULT_MODEL = FOLDER / "server/models/hydrophone-gpt2-tiny"
# XL in 16 bits: half the bytes to write; it is computed in float32.
RANDOM = {GPT2: ["--preset", "gpt2"], XL: ["--preset", "gpt2-xl", "--dtype", "bfloat16"]}
WRITTEN, FAILED = "written", "failed"  # files that say how the writing of a checkpoint ended
POLL_SECONDS = 0.5


def write_checkpoints(scratch, names):
    """Writes random checkpoints in a process beside; `Setting.model` waits for them."""
    script = FOLDER / "server/models/random_checkpoint.py"
    steps = []
    for name in names:
        directory = scratch / name
        directory.mkdir(parents=True)
        arguments = " ".join(RANDOM[name])
        steps.append(
            f'if "{sys.executable}" "{script}" "{directory}" {arguments} >"{directory}.log" 2>&1; '
            f'then touch "{directory}/{WRITTEN}"; else touch "{directory}/{FAILED}"; fi'
        )
    return subprocess.Popen(["sh", "-c", "\n".join(steps) or ":"], start_new_session=True)


def end_all(process):
    """Ends a process that leads a session of its own, and everything that it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


class Setting(contextlib.ExitStack):
    """A context manager."""

    def __init__(self, scratch, device, short, threads, mixes):
        super().__init__()
        self.scratch, self.device, self.short, self.threads, self.mixes = scratch, device, short, threads, mixes
        self.rounds = 1 if short else 3
        self.on_gpu = device != "cpu"
        self.progress = measure.Progress()
        self.main_model = DEFAULT if short else GPT2

    def model(self, name):
        """A checkpoint's directory, once it is whole."""
        if name == DEFAULT:
            return DEFAULT_MODEL
        directory = self.scratch / name
        while not (directory / WRITTEN).exists():
            if (directory / FAILED).exists() or not directory.exists():
                raise RuntimeError(f"checkpoint {name} could not be written: see {directory}.log")
            time.sleep(POLL_SECONDS)
        return directory

    def server(self, name, *flags):
        """A hydrophone-server on the device, serving the checkpoint `name`."""
        return self.enter_context(processes.Server(FOLDER, self.model(name), self.threads, self.device, flags))

    def bench_client(self, server):
        return self.enter_context(processes.Client(FOLDER, server.address))

    def peer(self, name, *arguments):
        return self.enter_context(processes.Peer(name, self.threads, self.device, *arguments))

    def client(self, server):
        """A Python client that checks every checksum."""
        from hydrophone_client import Api

        return self.enter_context(Api().connect(server.address))

    def hugging_face(self, name, **how):
        import hugging_face

        return hugging_face.load(self.model(name), **how)
