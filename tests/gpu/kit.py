"""Runs every part of the kit, each in a process of its own, and prints one table; tests/gpu/run calls this."""

import argparse
import importlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import traceback

import findings as findings_of
from setting import FOLDER, GPT2, XL, Setting, end_all, write_checkpoints

# In the order of what one would miss most when time runs out, with the seconds that each should take on a GPU.
PARTS = {
    "start": 40,
    "points": 90,
    "interventions": 45,
    "mixes": 70,
    "memory": 40,
    "forward": 120,
    "traffic": 45,
    "size": 90,
}
LEAST_SECONDS = 15  # a part that has less than this left is not begun
OVERTIME = 3  # times those seconds, before a part is stopped: another card, another machine
REASON_CHARACTERS = 400


def options():
    parser = argparse.ArgumentParser(prog="tests/gpu/run FOLDER", description=__doc__)
    parser.add_argument("--device", default="cuda", help="cuda, cuda:1, ..., or cpu (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=480, help="for everything (default: %(default)g)")
    parser.add_argument(
        "--short", action="store_true", help="the default model and short shapes: to see that all of it runs"
    )
    parser.add_argument("--only", action="append", choices=PARTS, metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--mixes", type=int, help="random mixes of requests (default: 200, --short: 20)")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="default: every CPU")
    parser.add_argument("--out", type=pathlib.Path, default=FOLDER / "result.json", help="default: FOLDER/result.json")
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    parser.add_argument("--scratch", type=pathlib.Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    given.mixes = given.mixes or (20 if given.short else 200)
    return given


def run_part(given):
    """In the part's own process: prints its findings as JSON."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print must not come between
    found, reason = findings_of.Findings(), ""
    try:
        with Setting(given.scratch, given.device, given.short, given.threads, given.mixes) as setting:
            importlib.import_module(f"parts.{given.part}").run(setting, found)
    except Exception as error:
        traceback.print_exc()
        reason = f"{type(error).__name__}: {error}"
    print(json.dumps({**found.as_json(), "reason": reason}), file=answers)


def _unfinished(status, seconds, reason):
    return {
        "status": status,
        "seconds": seconds,
        "reason": reason[-REASON_CHARACTERS:].replace("\n", " "),
        "rows": [],
        "details": {},
    }


def part_in_a_process(name, given, scratch, left):
    """A crash or a hang of one part is that part's failure."""
    command = [sys.executable, __file__, f"--part={name}", f"--scratch={scratch}", f"--device={given.device}"]
    command += [f"--threads={given.threads}", f"--mixes={given.mixes}", *(["--short"] if given.short else [])]
    log = scratch / f"{name}.log"
    begun = time.monotonic()
    with log.open("w") as errors:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, start_new_session=True)
        try:
            answer, _ = process.communicate(timeout=left)
        except subprocess.TimeoutExpired:
            return _unfinished("stopped", time.monotonic() - begun, f"no time left: it had {left:.0f} s")
        finally:
            end_all(process)
    seconds = time.monotonic() - begun
    if process.returncode != 0 or not answer:
        return _unfinished("failed", seconds, f"ended with status {process.returncode}: {log.read_text()}")
    found = json.loads(answer)
    if found["reason"]:
        return {**_unfinished("failed", seconds, found["reason"]), "rows": found["rows"], "details": found["details"]}
    return {**found, "status": "done", "seconds": seconds}


def run_parts(given, scratch, deadline):
    parts = {}
    for name in given.only or PARTS:
        left = deadline - time.monotonic()
        if left < LEAST_SECONDS:
            parts[name] = _unfinished("skipped", 0, f"{max(left, 0):.0f} s left of {given.seconds:g}")
            continue
        limit = left if given.device == "cpu" else min(left, OVERTIME * PARTS[name])
        say(f"{name}: {left:.0f} s left")
        parts[name] = part_in_a_process(name, given, scratch, limit)
        say(f"{name}: {parts[name]['status']} in {parts[name]['seconds']:.0f} s")
    return parts


def say(text):
    print(f"[{time.monotonic() - BEGUN:4.0f}s] {text}", file=sys.stderr, flush=True)


def describe(given):
    """What a reader needs to judge the figures; the commit is the one that the folder was made of."""
    import machine  # found through setting's folders

    kit = json.loads((FOLDER / "kit.json").read_text())
    return {**machine.describe(FOLDER, given.threads, given.device), "short": given.short, **kit}


def failures(parts):
    """The names of the parts that failed, or that found something wrong."""
    return [
        name
        for name, part in parts.items()
        if part["status"] in ("failed", "stopped") or any(row["passed"] is False for row in part["rows"])
    ]


def main():
    given = options()
    if given.part:
        run_part(given)
        return
    deadline = BEGUN + given.seconds
    here = describe(given)
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="hydrophone-gpu-"))
    wanted = given.only or PARTS
    writer = write_checkpoints(scratch, [] if given.short else [GPT2, *([XL] if "size" in wanted else [])])
    try:
        parts = run_parts(given, scratch, deadline)
    finally:
        end_all(writer)
        shutil.rmtree(scratch, ignore_errors=True)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps({"machine": here, "parts": parts}, indent=1) + "\n")
    where = here["gpu"] or here["cpu"]
    print(f"{where}, {here['threads']} threads, torch {here['versions']['torch']}, {here['commit']}")
    print(findings_of.table(parts))
    failed = failures(parts)
    print(
        f"failed: {', '.join(failed)}" if failed else "nothing failed",
        f"({time.monotonic() - BEGUN:.0f} s); {given.out}",
    )
    sys.exit(1 if failed else 0)


BEGUN = time.monotonic()

if __name__ == "__main__":
    main()
