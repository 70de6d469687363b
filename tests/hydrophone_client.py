"""A small gRPC client for the tests: whole captures as NumPy arrays, every chunk's checksum checked.

Elements come as the wire has them: float32, float16, and bfloat16 as the float32 of the same value.
"""

import contextlib
import dataclasses
import zlib

import grpc
import numpy as np


@dataclasses.dataclass
class Extraction:
    """A complete Extract stream."""

    header: object
    inputs: list
    tensors: list  # (TensorInfo, array) of those sent as bytes, in the order of their numbers
    values: list  # Values messages
    trailer: object

    def named(self, name, run=None):
        """The array of a hook point; of one run in the per-run layout."""
        found = [a for info, a in self.tensors if info.name == name and (run is None or list(info.runs) == [run])]
        assert len(found) == 1, (name, run, sorted({info.name for info, _ in self.tensors}))
        return found[0]

    def by_run(self):
        """{run: {name: array}} of the per-run layout."""
        runs = {}
        for info, array in self.tensors:
            named = runs.setdefault(info.runs[0], {})
            assert info.name not in named, info.name
            named[info.name] = array
        return runs

    def scores(self):
        """All scores of logit lenses and metrics, in the order they came."""
        return [score for values in self.values for score in values.scores]


def elements(data, dtype, pb):
    """The bytes of a tensor as a flat array."""
    if dtype == pb.DTYPE_FLOAT32:
        return np.frombuffer(data, dtype="<f4")
    if dtype == pb.DTYPE_FLOAT16:
        return np.frombuffer(data, dtype="<f2")
    assert dtype == pb.DTYPE_BFLOAT16, dtype
    return (np.frombuffer(data, dtype="<u2").astype(np.uint32) << 16).view(np.float32)


class Chunks:
    """Tensors that come in chunks, put together."""

    def __init__(self):
        self.infos, self.data = {}, {}

    def add(self, chunk):
        assert zlib.crc32(chunk.data) == chunk.crc32
        if chunk.HasField("info"):
            self.infos[chunk.tensor] = chunk.info
            self.data[chunk.tensor] = bytearray()
        assert chunk.offset == len(self.data[chunk.tensor])
        self.data[chunk.tensor] += chunk.data

    @property
    def data_bytes(self):
        return sum(len(part) for part in self.data.values())

    def tensors(self, pb):
        """(TensorInfo, array) of each, in the order of their numbers."""
        return [
            (info, elements(bytes(self.data[i]), info.dtype, pb).reshape(tuple(info.shape)))
            for i, info in sorted(self.infos.items())
        ]


class Client:
    def __init__(self, api, channel):
        self.pb = api.pb
        self.stub = api.stub(channel)

    def model(self):
        return self.stub.GetModel(self.pb.GetModelRequest())

    def extract(self, timeout=300, **fields):
        stream = self.stub.Extract(self.pb.ExtractRequest(**fields), timeout=timeout)
        return self.read(stream, computed=not fields.get("validate_only"))

    def read(self, stream, computed=True):
        header, trailer, inputs, chunks, values = None, None, [], Chunks(), []
        for message in stream:
            part = message.WhichOneof("part")
            if part == "header":
                header = message.header
            elif part == "input":
                inputs.append(message.input)
            elif part == "values":
                values.append(message.values)
            elif part == "trailer":
                trailer = message.trailer
            else:
                chunks.add(message.chunk)
        tensors = chunks.tensors(self.pb)
        if trailer is not None:
            assert trailer.tensors == len(tensors) + len(values) == (header.tensors if computed else 0)
            assert trailer.data_bytes == chunks.data_bytes == (header.data_bytes if computed else 0)
        return Extraction(header, inputs, tensors, values, trailer)

    def parameters(self, *names, rows=(), timeout=300, **fields):
        """A complete GetParameters stream: its header, and (TensorInfo, array) of each tensor."""
        selectors = [self.pb.ParameterSelector(name=name, rows=rows) for name in names]
        request = self.pb.GetParametersRequest(parameters=selectors, **fields)
        chunks = Chunks()
        header, *others = self.stub.GetParameters(request, timeout=timeout)
        trailer = others.pop().trailer
        for message in others:
            chunks.add(message.chunk)
        tensors = chunks.tensors(self.pb)
        assert trailer.tensors == len(tensors) == (0 if request.list_only else header.header.tensors)
        assert trailer.data_bytes == chunks.data_bytes == (0 if request.list_only else header.header.data_bytes)
        return header.header, tensors


def tensor(pb, values):
    """A Tensor message of an array (float32 bytes)."""
    values = np.asarray(values, dtype=np.float32)
    return pb.Tensor(dtype=pb.DTYPE_FLOAT32, shape=values.shape, data=values.tobytes())


class _Messages:
    """All messages of the API under one name."""

    def __init__(self, *modules):
        for module in modules:
            for name, value in vars(module).items():
                if not name.startswith("_") and name != "DESCRIPTOR":
                    setattr(self, name, value)


class Api:
    """Needs the generated modules on sys.path."""

    def __init__(self):
        from hydrophone.v1 import (
            activation_service_pb2_grpc,
            extract_pb2,
            input_pb2,
            model_pb2,
            parameters_pb2,
            tensor_pb2,
            tokenize_pb2,
            verify_pb2,
        )

        self.pb = _Messages(extract_pb2, input_pb2, model_pb2, parameters_pb2, tensor_pb2, tokenize_pb2, verify_pb2)
        self.stub = activation_service_pb2_grpc.ActivationServiceStub

    @contextlib.contextmanager
    def connect(self, address):
        """A client with a connection of its own: gRPC lets channels to one address share one, which is one caller."""
        options = [("grpc.max_receive_message_length", 64 << 20), ("grpc.use_local_subchannel_pool", 1)]
        with grpc.insecure_channel(address, options=options) as channel:
            yield Client(self, channel)
