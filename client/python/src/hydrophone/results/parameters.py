"""The model's parameters."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping

from hydrophone.results.records import Provenance
from hydrophone.wire.tensors import Array


@dataclasses.dataclass(frozen=True)
class ParameterInfo:
    """A parameter's name and whole shape; `tied_to` names the parameter whose values these are too, or is ""."""

    name: str
    shape: tuple[int, ...]
    tied_to: str


class Parameters(Mapping[str, Array]):
    """Arrays by Hugging Face's names; "transformer." may be left out, and ".weight" too."""

    def __init__(self, arrays: dict[str, Array], provenance: Provenance) -> None:
        self._arrays = arrays
        self.provenance = provenance

    def __getitem__(self, name: str) -> Array:
        for whole in (name, f"transformer.{name}", f"{name}.weight", f"transformer.{name}.weight"):
            if whole in self._arrays:
                return self._arrays[whole]
        raise KeyError(f"got {name!r}, expected one of {', '.join(self._arrays)}")

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)

    def __repr__(self) -> str:
        shapes = ", ".join(f"{name} {list(array.shape)}" for name, array in self._arrays.items())
        return f"Parameters({shapes})"
