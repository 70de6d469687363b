"""Machines to run the server on: this one, and those that qemu-user emulates."""

import dataclasses
import pathlib

from conftest import ROOT, Server, build_directory, cache_directory

# Threads that stay awake while they wait take the processors from the other server.
PATIENT = "--awake_microseconds=0"
ROOM = ["--max_response_bytes=4000000000", "--response_budget_bytes=4000000000"]


@dataclasses.dataclass(frozen=True)
class Machine:
    name: str
    emulator: tuple[str, ...] = ()  # what runs the program there, with its arguments; empty: it runs by itself
    instruction_set: str = ""  # as GetModel names it; empty: whatever this machine has
    build: pathlib.Path = dataclasses.field(default_factory=build_directory)

    def serve(self, model=None):
        """A server on the CPU of this machine, as a context manager."""
        program = [*self.emulator, str(self.build / "bin/hydrophone-server")]
        return Server(model, flags=[*ROOM, PATIENT], program=program)


def x86(cpu, instruction_set):
    return Machine(f"x86-64, {cpu} (qemu)", ("qemu-x86_64-static", "-cpu", cpu), instruction_set)


def arm64(cpu):
    """Where tests/run --arm64 has put its tree and its build."""
    emulator = ("qemu-aarch64-static", "-cpu", cpu, "-L", str(cache_directory() / "arm64/root"))
    return Machine(f"arm64, {cpu} (qemu)", emulator, "NEON", ROOT / "build-arm64")


NATIVE = Machine("native")
AVX2 = x86("Haswell", "AVX2")
WITHOUT_FUSED = x86("Nehalem", "baseline")  # no fused multiply-add: other sums
