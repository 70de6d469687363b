"""Soak: mixed callers against one server for minutes, every answer compared with a solo run's bytes.

The callers: plain grpcio with short and with bulk requests, the C++ client, grpcurl, callers that cancel or run out of
time, malformed requests, a slow reader. The server is restarted again and again. Meanwhile its memory, descriptors and
threads are watched against stated bounds (watch.py). Prints a line every five seconds and a table at the end; the exit
status is 1 when an answer differs, a call fails that should not, or a bound is passed.
"""

import argparse
import os
import pathlib
import statistics
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]
os.environ.setdefault("GRPC_VERBOSITY", "ERROR")  # a restart is no news here

import callers  # noqa: E402
import soak_questions  # noqa: E402
from conftest import DEFAULT_MODEL, build_directory, make_api  # noqa: E402
from go_tools import find  # noqa: E402
from stage import Restarter, Stage  # noqa: E402
from watch import MORE_DESCRIPTORS, MORE_THREADS, Usage, Watch  # noqa: E402

BUDGET_BYTES = 256 << 20
FLAGS = [f"--response_budget_bytes={BUDGET_BYTES}", f"--max_response_bytes={BUDGET_BYTES}", "--drain_seconds=3"]
PROGRESS_SECONDS = 5.0
SETTLE_SECONDS = 30.0


def make_callers(stage, pb, directory, seed):
    short, bulk, malformed = soak_questions.short(pb), soak_questions.bulk(pb), soak_questions.malformed(pb)
    to_files = [each for each in short if each.name in ("deltas", "states", "edited")] + bulk[:1]
    in_json = [each for each in short if each.name != "continued"]
    return [
        callers.GrpcioCaller(stage, short, seed + 1, pb),
        callers.GrpcioCaller(stage, short, seed + 2, pb),
        callers.GrpcioCaller(stage, bulk, seed + 3, pb),
        callers.ProgramCaller(stage, to_files, seed + 4, build_directory() / "bin/hydrophone", directory),
        callers.GrpcurlCaller(stage, in_json, seed + 5, find("grpcurl")),
        callers.LeavingCaller(stage, [each for each in short + bulk if each.streams], seed + 6, pb),
        callers.MalformedCaller(stage, malformed, seed + 7, pb),
        callers.SlowReader(stage, bulk, seed + 8, pb),
    ]


def show_progress(begun, stage, watch, all_callers):
    usage = watch.now
    resources = (
        ""
        if usage is None
        else (f"{usage.resident >> 20:6} MB {usage.descriptors:4} descriptors {usage.threads:4} threads")
    )
    compared = sum(each.tally.compared for each in all_callers)
    print(
        f"[{time.monotonic() - begun:5.0f} s] {compared:7} answers compared, {stage.restarts:3} restarts, "
        f"{sum(stage.findings.values())} findings {resources}",
        flush=True,
    )


def settle(stage, watch):
    """The callers are gone: so must be their connections."""
    if not stage.is_alive():
        return
    deadline = time.monotonic() + SETTLE_SECONDS
    most = stage.idle.descriptors + 2
    while (now := Usage(stage.process.pid).descriptors) > most:
        if time.monotonic() > deadline:
            stage.find(f"{now} descriptors after all callers have gone, expected at most {most}")
            return
        time.sleep(0.2)
    watch.look()


def show_table(all_callers, stage, watch):
    print(f"\n{'caller':12} {'compared':>9} {'different':>9} {'left':>7} {'restarted':>9} {'p50 ms':>8} {'p99 ms':>8}")
    for caller in all_callers:
        tally = caller.tally
        ordered = sorted(tally.seconds) or [0.0]
        p50, p99 = statistics.median(ordered), ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)]
        print(
            f"{caller.kind:12} {tally.compared:9} {tally.different:9} {tally.left:7} {tally.restarted:9} "
            f"{p50 * 1000:8.1f} {p99 * 1000:8.1f}"
        )
    print(f"\nmost memory {watch.resident >> 20} MB, bound {watch.bound_bytes >> 20} MB (weights, budget and 512 MB)")
    print(f"most descriptors {watch.descriptors}, bound {stage.idle.descriptors + MORE_DESCRIPTORS}")
    print(f"most threads {watch.threads}, bound {stage.idle.threads + MORE_THREADS}")
    print(f"{stage.restarts} restarts")
    for text, count in stage.findings.items():
        print(f"FOUND {count} x: {text}")
    print("nothing found" if not stage.findings else f"{len(stage.findings)} findings", flush=True)


def soak(minutes, restart_seconds, seed, pb, directory):
    """Whether all went well."""
    with Stage(FLAGS) as stage:
        all_callers = make_callers(stage, pb, directory, seed)
        for caller in all_callers:
            caller.learn()
            print(f"{caller.kind}: {len(caller.questions)} answers learnt, alone", flush=True)
        weights = 2 * (DEFAULT_MODEL / "model.safetensors").stat().st_size  # stored in half precision
        watch = Watch(stage, weights, BUDGET_BYTES)
        restarter = Restarter(stage, restart_seconds)
        begun = time.monotonic()
        for thread in [watch, restarter, *all_callers]:
            thread.start()
        while (left := begun + 60 * minutes - time.monotonic()) > 0 and not stage.over.is_set():
            show_progress(begun, stage, watch, all_callers)
            if not stage.is_alive():
                stage.find(f"the server ended by itself with status {stage.process.returncode}")
                break
            stage.over.wait(min(PROGRESS_SECONDS, left))
        stage.over.set()
        for thread in [restarter, *all_callers]:
            thread.join(2 * callers.CALL_SECONDS)
            if thread.is_alive():
                stage.find(f"{thread.name} did not end")
        for caller in all_callers:
            caller.close()
        settle(stage, watch)
        show_table(all_callers, stage, watch)
        return not stage.findings


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=2.0, help="how long (default: %(default)s)")
    parser.add_argument("--restart-seconds", type=float, default=20.0, help="between restarts (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of what the callers choose (default: %(default)s)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory, tempfile.TemporaryDirectory() as generated:
        pb = make_api(generated).pb
        return 0 if soak(arguments.minutes, arguments.restart_seconds, arguments.seed, pb, directory) else 1


if __name__ == "__main__":
    sys.exit(main())
