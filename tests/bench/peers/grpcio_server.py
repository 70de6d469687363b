"""A plain gRPC server around Hugging Face, as a competent user writes it in an afternoon: THREADS MODEL.

One worker, torch's threads, bytes and not floats, one message a tensor. Says its address when it is ready.
"""

import concurrent.futures
import json
import sys

import grpc
import torch

from peers.hooked_gpt2 import HookedGpt2
from peers.worker import serve

METHOD = ("bench.Activations", "Extract")


class Activations:
    def __init__(self, model):
        self._model = model

    def extract(self, request, context):
        """The request is workload.py's, as JSON; its hooks share their layers."""
        asked = json.loads(request)
        points = [hook["point"] for hook in asked["hooks"]]
        captured = self._model.run(torch.tensor(asked["inputs"]), points, asked["hooks"][0].get("layers"))
        for values in captured.values():
            yield values.numpy().tobytes()


def main():
    torch.set_num_threads(int(sys.argv[1]))
    activations = Activations(HookedGpt2(sys.argv[2]))
    handler = grpc.unary_stream_rpc_method_handler(activations.extract)
    server = grpc.server(
        concurrent.futures.ThreadPoolExecutor(max_workers=1),
        options=[("grpc.max_send_message_length", -1)],
    )
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(METHOD[0], {METHOD[1]: handler})])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    serve({}, ready={"address": f"127.0.0.1:{port}", "method": f"/{METHOD[0]}/{METHOD[1]}"})
    server.stop(None)


if __name__ == "__main__":
    main()
