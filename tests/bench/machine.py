"""The machine that figures were measured on, and whether it was quiet."""

import contextlib
import datetime
import importlib.metadata
import os
import pathlib
import platform
import subprocess
import sys
import time

QUIET_LOAD = 1.0  # processes that run or wait, averaged over a minute
PATIENCE_SECONDS = 180  # for the load of what ran just before to fade
PACKAGES = ("torch", "transformers", "transformer-lens", "nnsight", "grpcio", "pyarrow", "numpy")


def cores():
    return len(os.sched_getaffinity(0))


def cpu_model():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def memory_gib():
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


def operating_system():
    for line in pathlib.Path("/etc/os-release").read_text().splitlines():
        if line.startswith("PRETTY_NAME="):
            return line.split("=", 1)[1].strip('"')
    return platform.system()


def commit(root):
    found = subprocess.run(["git", "-C", root, "describe", "--always", "--dirty"], capture_output=True, text=True)
    return found.stdout.strip() or "unknown"


def wait_until_quiet():
    """Gives what ran just before, this script's own last run too, time to leave the load average."""
    begun = time.monotonic()
    while os.getloadavg()[0] > QUIET_LOAD and time.monotonic() - begun < PATIENCE_SECONDS:
        print(f"load {os.getloadavg()[0]:.2f}: waiting until it is under {QUIET_LOAD:g}", file=sys.stderr, flush=True)
        time.sleep(15)
    return os.getloadavg()[0] <= QUIET_LOAD


def gpu(device):
    """Name, memory and driver of the GPU that "cuda" or "cuda:i" says; empty for the CPU."""
    if not device.startswith("cuda"):
        return ""
    index = device.partition(":")[2] or "0"
    query = ["nvidia-smi", f"--id={index}", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
    try:
        return subprocess.run(query, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "a GPU that nvidia-smi does not name"


def installed_versions():
    """Of the packages that take part and are installed."""
    versions = {}
    for name in PACKAGES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions[name] = importlib.metadata.version(name)
    return versions


def describe(root, threads, device):
    """What a reader needs to judge the figures."""
    load = os.getloadavg()[0]
    return {
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "cpu": cpu_model(),
        "cores": cores(),
        "threads": threads,
        "device": device,
        "gpu": gpu(device),
        "memory_gib": round(memory_gib(), 1),
        "system": f"{operating_system()}, Linux {platform.release()}",
        "python": platform.python_version(),
        "versions": installed_versions(),
        "commit": commit(root),
        "load": round(load, 2),
        "quiet": load <= QUIET_LOAD,
    }


def in_words(machine):
    noise = "" if machine["quiet"] else " NOISY: the machine had other work, these figures mean little."
    device = f"computing on {machine['device']} ({machine['gpu']}), " if machine.get("gpu") else ""
    return (
        f"{device}{machine['cpu']}, {machine['cores']} cores, {machine['threads']} threads each, "
        f"{machine['memory_gib']:g} GiB, "
        f"{machine['system']}; {machine['commit']}, {machine['date']}, load {machine['load']:g} at the start.{noise}"
    )
