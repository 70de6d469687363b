"""XL, 1.56 billion parameters: start-up, tokens a second of all its 145 tensors, and the last state alone."""

import workload
from measure import in_turn
from setting import DEFAULT, XL

COUNT, LENGTH = 8, 128


def run(setting, findings):
    name = DEFAULT if setting.short else XL
    count, length = (1, 16) if setting.short else (COUNT, LENGTH)
    server = setting.server(name)
    client = setting.bench_client(server)
    findings.figure(f"{name}: exec to SERVING", f"{server.start_seconds:.1f} s")
    inputs = workload.batch(count, length)
    layers = setting.client(server).model().model.n_layer
    last = workload.hook("hidden_states", [layers], "-1:")
    contenders = {
        "every delta and state": workload.request(inputs, workload.hooks(workload.ALL)),
        "the last state alone": workload.request(inputs, [last]),
    }
    runs = {
        what: lambda request=request: {"seconds": client.load([request])["wall"]}
        for what, request in contenders.items()
    }
    samples = in_turn(runs, min(setting.rounds, 2), setting.progress, name)
    for what, of in samples.items():
        findings.figure(f"{name}: {count}x{length}, {what}", f"{count * length / of['seconds'].median:.0f} tokens/s")
