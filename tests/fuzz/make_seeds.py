"""Writes the seeds that are not text, corpus/stream/* and corpus/request/bytes*; to be run when messages change."""

import gzip
import pathlib
import struct
import sys
import tempfile
import zlib

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from conftest import make_api  # noqa: E402

PARAMETERS, WITHOUT_TENSORS = 2, 1


def stream(flags, messages):
    """As stream_fuzz.cc reads it."""
    serialized = [message.SerializeToString() for message in messages]
    return bytes([flags]) + b"".join(struct.pack("<H", len(each)) + each for each in serialized)


def chunk(pb, data, tensor=0, offset=0, info=None):
    return pb.Chunk(tensor=tensor, offset=offset, crc32=zlib.crc32(data), data=data, info=info)


def extraction(pb):
    """Two inputs; a tensor in two chunks, an empty one, and one that comes as values."""
    info = pb.TensorInfo(name="blocks.1.hook_z", layer=1, runs=[0], dtype=pb.DTYPE_FLOAT16, shape=[3, 2])
    empty = pb.TensorInfo(name="hook_embed", runs=[1], dtype=pb.DTYPE_FLOAT32, shape=[0, 4])
    return [
        pb.ExtractResponse(header=pb.Header(inputs=2, tensors=3, data_bytes=12)),
        pb.ExtractResponse(input=pb.InputInfo(index=0, key="a", token_ids=[1, 2])),
        pb.ExtractResponse(input=pb.InputInfo(index=1, key="b", skipped="too long")),
        pb.ExtractResponse(chunk=chunk(pb, b"abcdefgh", info=info)),
        pb.ExtractResponse(chunk=chunk(pb, b"", tensor=1, info=empty)),
        pb.ExtractResponse(values=pb.Values(tensor=2)),
        pb.ExtractResponse(chunk=chunk(pb, b"ijkl", offset=8)),
        pb.ExtractResponse(trailer=pb.Trailer(tensors=3, data_bytes=12)),
    ]


def parameters(pb):
    info = pb.TensorInfo(name="transformer.ln_f.bias", dtype=pb.DTYPE_FLOAT32, shape=[2])
    return [
        pb.GetParametersResponse(header=pb.ParametersHeader(tensors=1, data_bytes=8)),
        pb.GetParametersResponse(chunk=chunk(pb, b"abcdefgh", info=info)),
        pb.GetParametersResponse(trailer=pb.ParametersTrailer(tensors=1, data_bytes=8)),
    ]


def seeds(pb):
    selector = pb.ParameterSelector(name="wte.weight", rows=[0, 5])
    edit = pb.Intervention(hook_point="blocks.1.hook_z", positions=pb.Positions(slice=":"), scale=2)
    request = pb.ExtractRequest(texts=["abc"], hook_points=["*.hook_z"], runs=[pb.Run(interventions=[edit])])
    return {
        "stream/extract": stream(0, extraction(pb)),
        "stream/validate_only": stream(WITHOUT_TENSORS, extraction(pb)[:3]),
        "stream/parameters": stream(PARAMETERS, parameters(pb)),
        "stream/list_only": stream(PARAMETERS | WITHOUT_TENSORS, [parameters(pb)[0], parameters(pb)[2]]),
        "request/bytes": request.SerializeToString(),
        "request/bytes_gzip": gzip.compress(request.SerializeToString(), mtime=0),
        "request/bytes_parameters": pb.GetParametersRequest(parameters=[selector]).SerializeToString(),
        "request/bytes_tokenize": pb.TokenizeRequest(inputs=[pb.Input(text="abc")]).SerializeToString(),
    }


def main():
    with tempfile.TemporaryDirectory() as generated:
        pb = make_api(generated).pb
        for name, content in seeds(pb).items():
            (HERE / "corpus" / name).write_bytes(content)


if __name__ == "__main__":
    main()
