"""All 37 tensors of one batch delivered to the host, beside Hugging Face's hooks; where the time goes; peak memory."""

import contextlib
import threading

import workload
from measure import in_turn

SHAPES = [(1, 16), (1, 1024), (8, 128), (32, 32), (128, 128)]
SHORT_SHAPES = [(1, 8), (2, 16)]
SPLIT = {(1, 1024), (128, 128), (2, 16)}
FLAGS = ("--max_response_bytes=4000000000", "--response_budget_bytes=4000000000")
LEAST_SAMPLES = 5
SAMPLE_SECONDS = 0.02


class DeviceMemory:
    """The most memory that all processes together had on the GPU, in a thread beside. A context manager."""

    def __init__(self, device):
        import torch

        self._free = lambda: torch.cuda.mem_get_info(device)
        free, total = self._free()
        self._least, self._total, self._stop = free, total, threading.Event()

    def __enter__(self):
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def _watch(self):
        while not self._stop.wait(SAMPLE_SECONDS):
            self._least = min(self._least, self._free()[0])

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()

    def peak(self):
        return self._total - self._least


# A request's only hook, when nothing but the arithmetic shall take time.
LAST_ROW = [workload.hook("hidden_states", [12], "-1:")]


def split_time(client, tcp, inputs, request):
    """Seconds of one answer, by what they go to.

    Copying is what the forward pass takes longer when everything is captured. Sending is what the same bytes take over
    bare TCP; encoding is the rest.
    """
    bare = [client.load([workload.request(inputs, LAST_ROW)])["samples"][0] for _ in range(LEAST_SAMPLES)]
    whole = [client.load([request])["samples"][0] for _ in range(LEAST_SAMPLES)]
    fastest = min(whole, key=lambda sample: sample["end"] - sample["start"])
    compute = min(min(sample["compute"] for sample in bare), fastest["compute"])
    total = fastest["end"] - fastest["start"]
    rest = total - fastest["queue"] - fastest["compute"]
    send = min(rest, tcp.seconds("transfer", size=fastest["bytes"])["seconds"])
    return {
        "wait": fastest["queue"],
        "compute": compute,
        "copy": fastest["compute"] - compute,
        "encode": rest - send,
        "send": send,
    }


def _report_split(findings, shape, split):
    total = sum(split.values())
    shares = ", ".join(f"{name} {share / total:.0%}" for name, share in split.items())
    findings.figure(f"{shape}: where the time goes", f"{total * 1e3:.1f} ms", shares)
    findings.detail(f"{shape} split", split)


def _memory(setting):
    return DeviceMemory(setting.device) if setting.on_gpu else contextlib.nullcontext()


def run(setting, findings):
    model = setting.model(setting.main_model)
    with _memory(setting) as memory:
        server = setting.server(setting.main_model, *FLAGS)
        client = setting.bench_client(server)
        tcp = setting.peer("tcp")
        for count, length in SHORT_SHAPES if setting.short else SHAPES:
            inputs = workload.batch(count, length)
            request = workload.request(inputs, workload.hooks(workload.ALL))
            if (count, length) in SPLIT:
                _report_split(findings, f"{count}x{length}", split_time(client, tcp, inputs, request))
        peak = memory.peak() if memory else server.memory_bytes("VmHWM")
    findings.figure("peak memory", f"{peak / 2**30:.2f} GiB", setting.device if setting.on_gpu else "of the process")
    compare(setting, findings, client, setting.peer("hugging_face", model))


def compare(setting, findings, client, hugging_face):
    for count, length in SHORT_SHAPES if setting.short else SHAPES:
        inputs = workload.batch(count, length)
        request = workload.request(inputs, workload.hooks(workload.ALL))
        contenders = {
            "ours": lambda request=request: {"seconds": client.load([request])["wall"]},
            "theirs": lambda inputs=inputs: hugging_face.seconds("forward", inputs=inputs, points=workload.ALL),
        }
        samples = in_turn(contenders, setting.rounds, setting.progress, f"{count}x{length}")
        ours, theirs = (samples[name]["seconds"].median for name in contenders)
        beside = f"{theirs / ours:.2f} x Hugging Face's hooks ({theirs * 1e3:.1f} ms)"
        findings.figure(f"{count}x{length}: 37 tensors, to the host", f"{ours * 1e3:.1f} ms", beside)
        findings.detail(f"{count}x{length}", {name: samples[name]["seconds"].values for name in contenders})
