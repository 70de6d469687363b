"""The API's messages, under the names that the .proto files give them.

The classes are made when this module is imported, from the descriptors that the build put beside it, and in a pool of
their own. So they work with every protobuf from 4.25 on, whichever one compiled them, and share nothing with other
packages that carry google.rpc's or Hydrophone's messages.

`v1` has hydrophone.v1's messages and enum values, `rpc` google.rpc's, `health` grpc.health.v1's.
"""

from importlib import resources
from types import SimpleNamespace
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

__all__ = ["health", "rpc", "v1"]


def _load() -> dict[str, Any]:
    """A namespace of messages and enum values for each proto package."""
    descriptors = resources.files(__name__).joinpath("api.binpb").read_bytes()
    files = descriptor_pb2.FileDescriptorSet.FromString(descriptors).file
    pool = descriptor_pool.DescriptorPool()
    for file in files:
        pool.AddSerializedFile(file.SerializeToString())
    packages: dict[str, Any] = {}
    for file in files:
        namespace = packages.setdefault(file.package, SimpleNamespace())
        found = pool.FindFileByName(file.name)
        for name, message in found.message_types_by_name.items():
            setattr(namespace, name, message_factory.GetMessageClass(message))
        for enum in found.enum_types_by_name.values():
            vars(namespace).update({value.name: value.number for value in enum.values})
    return packages


_packages = _load()
v1: Any = _packages["hydrophone.v1"]
rpc: Any = _packages["google.rpc"]
health: Any = _packages["grpc.health.v1"]
