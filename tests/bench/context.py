"""What a benchmark is given: the options, and processes that end with it."""

import contextlib
import pathlib
import subprocess
import sys

import processes

ROOT = pathlib.Path(__file__).resolve().parents[2]
DEFAULT_MODEL = ROOT / "server/models/hydrophone-gpt2-tiny"
PRESETS = {"gpt2": "124M", "gpt2-medium": "355M"}


class Context(contextlib.ExitStack):
    def __init__(self, options, progress):
        super().__init__()
        self.quick, self.rounds, self.threads = options.quick, options.rounds, options.threads
        self.device = options.device
        self.progress = progress
        self.build, self._models = options.build, options.models

    def model(self, preset="gpt2"):
        """A checkpoint with random weights, written once."""
        directory = self._models / preset
        done = directory / "written"
        if not done.exists():
            self.progress.say(f"writing {preset}, {PRESETS[preset]} random parameters, to {directory}")
            script = ROOT / "server/models/random_checkpoint.py"
            subprocess.run(
                [sys.executable, script, directory, "--preset", preset], check=True, stderr=subprocess.DEVNULL
            )
            done.touch()
        return directory

    def server(self, *flags, preset="gpt2", model=None):
        model = model or self.model(preset)
        return self.enter_context(processes.Server(self.build, model, self.threads, self.device, flags))

    def busy_neighbour(self):
        """A context manager: other processes that keep every core busy."""
        return processes.BusyCores()

    def client(self, address):
        return self.enter_context(processes.Client(self.build, address))

    def products(self):
        return self.enter_context(processes.Products(self.build, self.threads))

    def hydrophone(self, *flags, preset="gpt2", model=None):
        """A client of a server of its own."""
        return self.client(self.server(*flags, preset=preset, model=model).address)

    def peer(self, name, *arguments):
        self.progress.say(f"starting {name} {' '.join(str(argument) for argument in arguments)}")
        return self.enter_context(processes.Peer(name, self.threads, self.device, *arguments))

    def seconds_of(self, client, requests, **how):
        """A contender: the wall time of these calls."""
        return lambda: {"seconds": client.load(requests, **how)["wall"]}
