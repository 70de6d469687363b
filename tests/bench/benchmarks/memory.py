"""memory: the server's peak resident memory under many callers who ask for everything."""

import workload
from measure import Samples
from result import Result

CALLERS, LENGTH, CALLS = 64, 128, 4
QUICK_CALLERS, QUICK_CALLS = 64, 1
BUDGET = 512 << 20  # bytes; what 64 such answers need is more than that


def run(context):
    callers, calls = (QUICK_CALLERS, QUICK_CALLS) if context.quick else (CALLERS, CALLS)
    length = LENGTH // 4 if context.quick else LENGTH
    budget = BUDGET // 4 if context.quick else BUDGET
    result = Result("memory", f"peak resident memory, {callers} callers, 1x{length}, all 37 tensors", "bars")
    server = context.server(f"--response_budget_bytes={budget}")
    idle, idle_own = server.memory_bytes("VmRSS"), server.memory_bytes("RssAnon")
    requests = [workload.request([ids], workload.hooks(workload.ALL)) for ids in workload.batch(callers, length)]
    context.progress.say(f"memory: {callers} callers, {callers * calls} calls")
    context.client(server.address).load(requests, callers=callers, calls=callers * calls)
    peak, own = server.memory_bytes("VmHWM"), server.memory_bytes("RssAnon")
    weights = (context.model() / "model.safetensors").stat().st_size
    for name, size in (("peak", peak), ("serving, idle", idle), ("weights", weights), ("response budget", budget)):
        result.add(name, "Hydrophone", Samples([size / 2**20]), "MiB")
    result.at_most("peak over weights and the response budget", peak / (weights + budget), 1.1)
    demand = callers * length * 37 * 768 * 4
    result.notes.append(
        f"The callers' answers together are {demand / 2**20:.0f} MiB. Not mapped from files: "
        f"{idle_own / 2**20:.0f} MiB when idle, {own / 2**20:.0f} MiB after the calls."
    )
    return result
