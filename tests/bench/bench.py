"""Runs the benchmarks: see tests/bench/run, which installs and builds what they need."""

import argparse
import importlib
import pathlib
import sys

import charts
import machine
import report
from context import ROOT, Context
from measure import Progress

NAMES = [
    *("forward", "ragged", "clients", "fair", "neighbour", "depth", "prefix", "wire", "first", "memory"),
    *("start", "bits", "scale", "size"),
]
CPU_ONLY = {"bits", "neighbour"}
ROUNDS, QUICK_ROUNDS = 5, 2
NOISY_MACHINE = 3  # exit status


def options():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, required=True, help="build directory")
    parser.add_argument("--models", type=pathlib.Path, required=True, help="where random checkpoints are kept")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", action="append", choices=NAMES, metavar="NAME", help=", ".join(NAMES))
    parser.add_argument("--rounds", type=int, help=f"default: {ROUNDS}, --quick {QUICK_ROUNDS}")
    parser.add_argument("--noisy", action="store_true")
    parser.add_argument("--threads", type=int, default=machine.cores())
    parser.add_argument("--device", default="cpu", help="of every contender: cpu, cuda, cuda:1, ...")
    parser.add_argument("--out", type=pathlib.Path)
    given = parser.parse_args()
    given.rounds = given.rounds or (QUICK_ROUNDS if given.quick else ROUNDS)
    given.out = given.out or (given.build / "bench" if given.quick else ROOT / "tests/bench/results")
    return given


def refuse_noise(given):
    """Figures of a busy machine are refused, or marked where the caller wants them anyway."""
    if given.quick or given.noisy or machine.wait_until_quiet():
        return
    print("The machine has other work: nothing is measured. --noisy measures all the same.", file=sys.stderr)
    sys.exit(NOISY_MACHINE)


def main():
    given = options()
    refuse_noise(given)
    here = machine.describe(ROOT, given.threads, given.device)
    here["quick"], here["rounds"] = given.quick, given.rounds
    print(machine.in_words(here), file=sys.stderr)
    given.out.mkdir(parents=True, exist_ok=True)
    progress = Progress()
    names = [name for name in NAMES if given.device == "cpu" or name not in CPU_ONLY]
    for name in given.only or names:
        with Context(given, progress) as context:
            result = importlib.import_module(f"benchmarks.{name}").run(context)
        report.write(result, here, given.out)
        print(report.text(result), flush=True)
    charts.draw_all(given.out, NAMES)
    report.write_summary(given.out, NAMES)
    print(report.summary_text(given.out, NAMES))
    print(f"JSON, charts and README.md: {given.out}", file=sys.stderr)


main()
