"""One long stream beside bare TCP, and many small callers, as tests/bench measures them."""

import workload
from benchmarks import clients, wire
from measure import in_turn


def long_stream(setting, findings, client, tcp):
    """Bytes a second from the first tensor on, of what is known before the first block."""
    count, length = (8, 16) if setting.short else (64, 256)
    request = workload.request(workload.batch(count, length), wire.HOOKS, rows=False)
    size = client.load([request], keep=False)["samples"][0]["bytes"]
    contenders = {
        "ours": wire.after_the_first(client, request),
        "tcp": lambda: {"rate": size / tcp.seconds("transfer", size=size)["seconds"]},
    }
    samples = in_turn(contenders, setting.rounds, setting.progress, "wire")
    ours, bare = (samples[name]["rate"].median for name in contenders)
    findings.figure(f"one stream, {size / 1e6:.0f} MB", f"{ours / 1e9:.2f} GB/s", f"{ours / bare:.2f} of bare TCP")


def many_callers(setting, findings, client):
    calls = 1 if setting.short else clients.CALLS
    wanted = clients.requests(clients.CALLERS)
    clients.load(client, wanted, clients.CALLERS, 1)()
    figures = clients.load(client, wanted, clients.CALLERS, calls)()
    latency = f"p50 {figures['p50'] * 1e3:.1f} ms, p99 {figures['p99'] * 1e3:.1f} ms"
    what = f"{clients.CALLERS} callers, {clients.LENGTH} tokens each"
    findings.figure(what, f"{figures['rate']:.0f} requests/s", latency)


def run(setting, findings):
    client = setting.bench_client(setting.server(setting.main_model))
    long_stream(setting, findings, client, setting.peer("tcp"))
    many_callers(setting, findings, client)
