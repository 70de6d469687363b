"""Compiles the API's .proto files into the descriptor set that the package reads its messages from.

A clone has the files two directories up; an sdist carries them beside this file.
"""

import pathlib
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

DESCRIPTORS = "src/hydrophone/proto/api.binpb"
FILES = ("hydrophone/v1/*.proto", "google/rpc/*.proto", "grpc/health/v1/health.proto")


class ApiHook(BuildHookInterface):
    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        root = pathlib.Path(self.root)
        sources = next((each for each in (root / "proto", root.parents[1] / "proto") if each.is_dir()), None)
        if sources is None:
            raise RuntimeError(f"no proto directory in {root} or two directories up")
        if self.target_name == "sdist":
            build_data["force_include"].update({str(sources / path): f"proto/{path}" for path in protos_in(sources)})
            return
        compile_protos(sources, root / DESCRIPTORS)
        build_data["artifacts"].append(DESCRIPTORS)


def protos_in(sources: pathlib.Path) -> list[str]:
    return sorted(path.relative_to(sources).as_posix() for pattern in FILES for path in sources.glob(pattern))


def compile_protos(sources: pathlib.Path, out: pathlib.Path) -> None:
    import grpc_tools
    from grpc_tools import protoc

    well_known = pathlib.Path(grpc_tools.__file__).parent / "_proto"
    includes = [f"-I{sources}", f"-I{well_known}"]
    arguments = ["protoc", *includes, "--include_imports", f"--descriptor_set_out={out}", *protos_in(sources)]
    if protoc.main(arguments) != 0:
        raise RuntimeError(f"protoc failed on {sources}")
