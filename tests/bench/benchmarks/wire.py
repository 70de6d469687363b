"""wire: captured bytes a second on one stream, where nothing but the embedding is computed."""

import workload
from measure import in_turn
from result import Result

# What is known before the first block: the same rows several times over.
HOOKS = [
    workload.hook("hook_embed"),
    workload.hook("hook_pos_embed"),
    workload.hook("hook_resid_pre", [0]),
    workload.hook("hidden_states", [0]),
]
COUNT, QUICK_COUNT, LENGTH = 16, 2, 1024
ROW_BYTES = 768 * 4
OURS, BARE, PYTHON = "Hydrophone, verified", "Hydrophone, messages only", "Hydrophone, verified by Python"
TCP, FLIGHT = "bare TCP", "Arrow Flight"


def after_the_first(client, request, **how):
    """A contender: bytes a second from the first tensor (or message) on, so that the computing is left out. A tensor a
    run, since rows of all runs are whole only when the last run is computed."""

    def run():
        sample = client.load([request], keep=False, **how)["samples"][0]
        first = 0 if "way" in how else sample["bytes"] / len(HOOKS) / len(request["inputs"])
        return {"rate": (sample["bytes"] - first) / (sample["end"] - sample["first"])}

    return run


def run(context):
    count = QUICK_COUNT if context.quick else COUNT
    size = count * LENGTH * ROW_BYTES * len(HOOKS)
    result = Result("wire", f"{size / 1e6:.0f} MB on one stream over loopback, computing left out", "bars")
    address = context.server().address
    client, python = context.client(address), context.peer("hydrophone_python", address)
    tcp, flight = context.peer("tcp"), context.peer("arrow_flight")
    request = workload.request(workload.batch(count, LENGTH), HOOKS, rows=False)

    def transfer(peer):
        return lambda: {"rate": size / peer.seconds("transfer", size=size)["seconds"]}

    def by_python():
        answer = python.ask({"do": "stream", "request": request})
        return {"rate": answer["bytes"] / answer["seconds"]}

    contenders = {
        OURS: after_the_first(client, request),
        PYTHON: by_python,
        BARE: after_the_first(client, request, way="bytes"),
        TCP: transfer(tcp),
        FLIGHT: transfer(flight),
    }
    samples = in_turn(contenders, context.rounds, context.progress, "wire")
    for name, of in samples.items():
        result.add(f"{size / 1e6:.0f} MB", name, of["rate"].map(lambda rate: rate / 1e9), "GB/s")
    rate = {name: of["rate"].median for name, of in samples.items()}
    result.at_least("share of bare TCP", rate[OURS] / rate[TCP], 0.7)
    result.at_least("Python's share of the C++ client", rate[PYTHON] / rate[OURS], 0.6)
    result.at_least("times Arrow Flight", rate[OURS] / rate[FLIGHT], 1.4)
    result.notes.append(
        "Verified: our C++ client parses every message and checks every CRC-32, which neither TCP nor Flight does; so "
        "does the Python client, into NumPy arrays. "
        f"Messages only: the same stream, counted: {rate[BARE] / rate[TCP]:.2f} of bare TCP, "
        f"{rate[BARE] / rate[FLIGHT]:.2f} times Arrow Flight."
    )
    return result
