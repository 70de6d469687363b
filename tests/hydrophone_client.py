"""A small gRPC client for the tests: whole captures as NumPy arrays, every chunk's checksum checked."""

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
    tensors: list  # (TensorInfo, array) in the order of their numbers
    values: list
    trailer: object

    def named(self, name, run=None):
        """The array of a hook point; of one run in the per-run layout."""
        found = [a for info, a in self.tensors if info.name == name and (run is None or list(info.runs) == [run])]
        assert len(found) == 1, (name, run, sorted({info.name for info, _ in self.tensors}))
        return found[0]


class Client:
    def __init__(self, api, channel):
        self.pb = api.pb
        self.stub = api.stub(channel)

    def model(self):
        return self.stub.GetModel(self.pb.GetModelRequest())

    def extract(self, timeout=300, **fields):
        return self.read(self.stub.Extract(self.pb.ExtractRequest(**fields), timeout=timeout))

    def read(self, stream):
        header, trailer, inputs, infos, data, values = None, None, [], {}, {}, []
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
                chunk = message.chunk
                assert zlib.crc32(chunk.data) == chunk.crc32
                if chunk.HasField("info"):
                    infos[chunk.tensor] = chunk.info
                    data[chunk.tensor] = bytearray()
                assert chunk.offset == len(data[chunk.tensor])
                data[chunk.tensor] += chunk.data
        tensors = [
            (infos[i], np.frombuffer(bytes(data[i]), dtype="<f4").reshape(tuple(infos[i].shape))) for i in sorted(infos)
        ]
        if trailer is not None:
            assert trailer.tensors == header.tensors == len(tensors) + len(values)
            assert trailer.data_bytes == header.data_bytes == sum(array.nbytes for _, array in tensors)
        return Extraction(header, inputs, tensors, values, trailer)


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
        from hydrophone.v1 import activation_service_pb2_grpc, extract_pb2, input_pb2, model_pb2
        from hydrophone.v1 import tensor_pb2, tokenize_pb2, verify_pb2

        self.pb = _Messages(extract_pb2, input_pb2, model_pb2, tensor_pb2, tokenize_pb2, verify_pb2)
        self.stub = activation_service_pb2_grpc.ActivationServiceStub

    @contextlib.contextmanager
    def connect(self, address):
        options = [("grpc.max_receive_message_length", 64 << 20)]
        with grpc.insecure_channel(address, options=options) as channel:
            yield Client(self, channel)
