"""scale: tokens a second with the number of callers."""

from measure import in_turn
from result import Result

from benchmarks.clients import GRPCIO, LENGTH, OURS, load, requests

CALLERS = [1, 2, 4, 8, 16, 32, 64, 128, 256]
QUICK_CALLERS = [1, 8, 32]
FALL = 0.9  # of the best rate that any smaller number of callers reached: less counts as a fall


def run(context):
    result = Result("scale", "short requests of many callers", "lines", x_label="callers")
    client = context.hydrophone()
    grpcio = context.peer("grpcio_server", context.model())
    peer_client = context.client(grpcio.ready["address"])
    peer = {"way": "peer", "method": grpcio.ready["method"]}
    rates = []
    for callers in QUICK_CALLERS if context.quick else CALLERS:
        wanted, calls = requests(callers), max(2, 32 // callers)

        def contenders(each, wanted=wanted, callers=callers):
            return {
                OURS: load(client, wanted, callers, each),
                GRPCIO: load(peer_client, wanted, callers, each, **peer),
            }

        what = f"scale {callers} callers"
        samples = in_turn(contenders(calls), context.rounds, context.progress, what, warm_ups=contenders(1))
        for name, of in samples.items():
            result.add(callers, name, of["rate"].map(lambda rate: rate * LENGTH), "tokens/s")
        rates.append(samples[OURS]["rate"].median)
    least = min(rate / max(rates[: i + 1]) for i, rate in enumerate(rates))
    result.at_least("rate over the best with fewer callers, where it is lowest", least, FALL)
    return result
