"""One long stream beside bare TCP, and many small callers."""

import statistics

import workload
from measure import in_turn

POINTS = ["hook_embed", "hook_pos_embed", "hidden_states"]
CALLERS, TOKENS, CALLS = 32, 16, 12


def wire(setting, findings, client, tcp):
    """Bytes a second from the first tensor on, of what is known before the first block."""
    count, length = (8, 16) if setting.short else (64, 256)
    hooks = [workload.hook(point, [0] if point == "hidden_states" else ()) for point in POINTS]
    request = workload.request(workload.batch(count, length), hooks)

    def ours():
        sample = client.load([request], keep=False)["samples"][0]
        first = sample["bytes"] / len(POINTS)
        return {"rate": (sample["bytes"] - first) / (sample["end"] - sample["first"]), "bytes": sample["bytes"]}

    size = ours()["bytes"]
    contenders = {"ours": ours, "tcp": lambda: {"rate": size / tcp.seconds("transfer", size=size)["seconds"]}}
    samples = in_turn(contenders, setting.rounds, setting.progress, "wire")
    rates = [samples[name]["rate"].median for name in contenders]
    findings.figure(
        f"one stream, {size / 1e6:.0f} MB", f"{rates[0] / 1e9:.2f} GB/s", f"{rates[0] / rates[1]:.2f} of bare TCP"
    )


def clients(setting, findings, client):
    calls = CALLERS * (1 if setting.short else CALLS)
    requests = [
        workload.request([ids], workload.hooks(workload.DELTAS, [6])) for ids in workload.batch(CALLERS, TOKENS)
    ]
    client.load(requests, callers=CALLERS, calls=CALLERS)
    answer = client.load(requests, callers=CALLERS, calls=calls)
    latencies = sorted(sample["end"] - sample["start"] for sample in answer["samples"])
    p50, p99 = statistics.median(latencies), latencies[int(len(latencies) * 0.99)]
    findings.figure(
        f"{CALLERS} callers, {TOKENS} tokens each",
        f"{calls / answer['wall']:.0f} requests/s",
        f"p50 {p50 * 1e3:.1f} ms, p99 {p99 * 1e3:.1f} ms",
    )


def run(setting, findings):
    client = setting.bench_client(setting.server(setting.main_model))
    wire(setting, findings, client, setting.peer("tcp"))
    clients(setting, findings, client)
