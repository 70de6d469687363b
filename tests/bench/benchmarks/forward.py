"""forward: the 37 tensors of one batch, at five shapes, us over the wire and the others in process."""

import workload
from measure import Samples, in_turn
from result import Result

SHAPES = [(1, 16), (1, 128), (1, 1024), (8, 128), (32, 32)]
QUICK_SHAPES = [(1, 16), (1, 128), (8, 32)]
OF_THE_FLOOR = {(32, 32): 0.92, (8, 128): 0.92, (1, 128): 0.88, (1, 1024): 0.88}
BYTES_PER_TOKEN = 37 * 768 * 4

OURS, FLOOR, WIRE, HUGGING_FACE = "Hydrophone", "floor", "wire", "Hugging Face"
HEADED = ("TransformerLens", "nnsight")  # the same work and, as by default there, the logits


class Forward:
    """The contenders' processes."""

    def __init__(self, context):
        model = context.model()
        self._server = context.server()
        self._client = context.client(self._server.address)
        self._peers = {
            FLOOR: context.peer("floor", model),
            WIRE: context.peer("tcp"),
            HUGGING_FACE: context.peer("hugging_face", model),
            "TransformerLens": context.peer("transformer_lens_cache", model),
            "nnsight": context.peer("nnsight_trace", model),
        }
        grpcio = context.peer("grpcio_server", model)
        self._grpcio_client, self._method = context.client(grpcio.ready["address"]), grpcio.ready["method"]

    def _ours(self, request):
        """Wall time, and the processor time of server and client: what helps where the machine is not quiet."""
        server, client = self._server.cpu_seconds(), self._client.cpu_seconds()
        wall = self._client.load([request])["wall"]
        return {
            "seconds": wall,
            "server_cpu": self._server.cpu_seconds() - server,
            "client_cpu": self._client.cpu_seconds() - client,
        }

    def contenders(self, context, count, length):
        inputs = workload.batch(count, length)
        request = workload.request(inputs, workload.hooks(workload.ALL))
        peer = self._peers
        return {
            OURS: lambda: self._ours(request),
            FLOOR: lambda: peer[FLOOR].ask({"do": "forward", "count": count, "length": length}),
            WIRE: lambda: peer[WIRE].seconds("transfer", size=count * length * BYTES_PER_TOKEN),
            HUGGING_FACE: lambda: peer[HUGGING_FACE].seconds("forward", inputs=inputs, points=workload.ALL),
            **{name: lambda name=name: peer[name].seconds("forward", inputs=inputs, logits=True) for name in HEADED},
            "nnsight, no LM head": lambda: peer["nnsight"].seconds("forward", inputs=inputs, logits=False),
            "grpcio server": context.seconds_of(self._grpcio_client, [request], way="peer", method=self._method),
        }


def run(context):
    result = Result("forward", "37 tensors of a batch, delivered", "bars", x_label="batch")
    forward = Forward(context)
    for shape in QUICK_SHAPES if context.quick else SHAPES:
        count, length = shape
        case, tokens = f"{count}x{length}", count * length
        samples = in_turn(
            forward.contenders(context, count, length), context.rounds, context.progress, f"forward {case}"
        )
        seconds = {name: of["seconds"] for name, of in samples.items()}
        wire = seconds.pop(WIRE)
        arithmetic = seconds[FLOOR]
        seconds[FLOOR] = Samples([a + b for a, b in zip(arithmetic.values, wire.values, strict=True)])
        for name, taken in seconds.items():
            result.add(case, name, taken.map(lambda s, tokens=tokens: tokens / s), "tokens/s")
        judge(result, shape, {name: taken.median for name, taken in seconds.items()})
        result.notes.append(note(case, tokens, samples, wire))
    return result


def note(case, tokens, samples, wire):
    """Where the time goes, in milliseconds."""
    floor, ours = samples[FLOOR], samples[OURS]

    def ms(of):
        return f"{of.median * 1e3:.1f} ms"

    return (
        f"{case}: the floor is {ms(floor['gemms'])} of GEMMs, {ms(floor['attention'])} of attention products, "
        f"{ms(wire)} of {tokens * BYTES_PER_TOKEN / 1e6:.1f} MB over bare TCP; Hydrophone took {ms(ours['seconds'])}, "
        f"{ms(ours['server_cpu'])} of processor time in the server, {ms(ours['client_cpu'])} in its client."
    )


def judge(result, shape, seconds):
    case = f"{shape[0]}x{shape[1]}"
    if shape in OF_THE_FLOOR:
        result.at_least(f"{case}: share of the floor", seconds[FLOOR] / seconds[OURS], OF_THE_FLOOR[shape])
    faster = 1.15 if shape[0] == 1 else 1.05
    result.at_least(f"{case}: times Hugging Face in process", seconds[HUGGING_FACE] / seconds[OURS], faster)
    for name in HEADED:
        result.at_least(f"{case}: times {name} in process", seconds[name] / seconds[OURS], 1.6)
