"""Answers made by hand, and a server of them, for the tests of the Python client."""

import contextlib
import threading
import zlib
from concurrent import futures

import grpc
import numpy as np
import python_client  # noqa: F401 (finds the package)

from hydrophone.proto import rpc, v1


def header(tensors=0, data_bytes=0, inputs=1):
    return v1.ExtractResponse(header=v1.Header(inputs=inputs, runs=inputs, tensors=tensors, data_bytes=data_bytes))


def input_info(index=0, **fields):
    return v1.ExtractResponse(input=v1.InputInfo(index=index, token_ids=[1], pieces=["a"], byte_offsets=[0], **fields))


def trailer(tensors=0, data_bytes=0):
    return v1.ExtractResponse(trailer=v1.Trailer(tensors=tensors, data_bytes=data_bytes))


def info(array, name="blocks.0.hook_attn_out", layer=0, run=0, asked="attn.c_proj"):
    return v1.TensorInfo(
        name=name, layer=layer, runs=[run], dtype=v1.DTYPE_FLOAT32, shape=array.shape, asked_name=asked
    )


def chunk(array, tensor=0, offset=0, described=True, **fields):
    """A chunk message of an array, or of what begins in it at `offset`."""
    data = array.tobytes()[offset:]
    made = v1.Chunk(tensor=tensor, offset=offset, crc32=zlib.crc32(data), data=data)
    if described:
        made.info.CopyFrom(info(array, **fields))
    return v1.ExtractResponse(chunk=made)


def answer(array):
    """A whole Extract stream of one array."""
    size = array.nbytes
    return [header(1, size), input_info(), chunk(array), trailer(1, size)]


ARRAY = np.arange(6, dtype=np.float32).reshape(2, 3)
MODEL = v1.GetModelResponse(
    model=v1.ModelInfo(name="fake", n_layer=2, n_embd=3, n_head=1, n_positions=64, vocab_size=10),
    limits=v1.Limits(
        max_inputs_per_request=2, max_tokens_per_request=100, max_request_bytes=1 << 20, max_request_elements=1 << 20
    ),
)


def refuse(context, code, message, reason="", violations=(), retry_seconds=None):
    """Ends a call as the server does."""
    status = rpc.Status(code=code.value[0], message=message)
    details = []
    if violations:
        bad = rpc.BadRequest()
        for field, description in violations:
            bad.field_violations.add(field=field, description=description)
        details.append(("BadRequest", bad))
    if retry_seconds is not None:
        retry = rpc.RetryInfo()
        retry.retry_delay.nanos = int(retry_seconds * 1e9)
        details.append(("RetryInfo", retry))
    details.append(("ErrorInfo", rpc.ErrorInfo(reason=reason, domain="hydrophone")))
    for name, detail in details:
        status.details.add(type_url=f"type.googleapis.com/google.rpc.{name}", value=detail.SerializeToString())
    metadata = [("grpc-status-details-bin", status.SerializeToString()), ("x-request-id", "r1")]
    if retry_seconds is not None:
        metadata.append(("grpc-retry-pushback-ms", str(int(retry_seconds * 1000))))
    context.set_trailing_metadata(metadata)
    context.abort(code, message)


class FakeServer(grpc.GenericRpcHandler):
    """Answers calls with functions of (request, context): `extract` gives messages one by one, `tokenize` one.

    Use as a context manager; `calls` has the name of each call, `metadata` that of the last one.
    """

    def __init__(self, extract=None, tokenize=None, model=MODEL):
        self._methods = {
            "GetModel": (v1.GetModelRequest, lambda request, context: model),
            "Tokenize": (v1.TokenizeRequest, tokenize),
            "Extract": (v1.ExtractRequest, extract or (lambda request, context: iter(answer(ARRAY)))),
        }
        self.calls, self.metadata = [], {}

    def service(self, details):
        name = details.method.rpartition("/")[2]
        request_type, answering = self._methods[name]
        make = grpc.unary_stream_rpc_method_handler if name == "Extract" else grpc.unary_unary_rpc_method_handler

        def called(request, context):
            self.calls.append(name)
            self.metadata = dict(context.invocation_metadata())
            return answering(request, context)

        return make(called, request_type.FromString, lambda message: message.SerializeToString())

    def __enter__(self):
        self._server = grpc.server(futures.ThreadPoolExecutor(8), handlers=[self])
        self.address = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        self._server.start()
        return self

    def __exit__(self, *_):
        self._server.stop(None).wait(10)


@contextlib.contextmanager
def closed_port():
    """An address at which nothing listens, and nothing will while the context lasts."""
    import socket

    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{reserved.getsockname()[1]}"


class Endless:
    """An Extract answer that sends its header and then nothing, until the caller is gone."""

    def __init__(self):
        self.begun, self._ended = threading.Event(), threading.Event()
        self._outlived = False

    def __call__(self, request, context):
        context.add_callback(self._ended.set)
        yield header(1, ARRAY.nbytes)
        yield input_info()
        self.begun.set()
        self._outlived = not self._ended.wait(20)

    def was_cancelled(self):
        """Whether the caller ends the call, before the answer gives up."""
        return self._ended.wait(30) and not self._outlived
