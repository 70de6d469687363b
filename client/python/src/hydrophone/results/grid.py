"""The result of a patching grid."""

from __future__ import annotations

import dataclasses
from typing import Any

from hydrophone.results import plots
from hydrophone.wire.tensors import Array


@dataclasses.dataclass(frozen=True, eq=False)
class PatchGrid:
    """What a metric is after each patch: `values` float32 [layer, position] (or [layer, head]).

    `clean` and `corrupt` are the metric without a patch. `labels` are the corrupt input's tokens, or the heads.
    """

    values: Array
    clean: float
    corrupt: float
    hook: str
    metric: str
    layers: tuple[int, ...]
    labels: tuple[str, ...]
    by: str

    @property
    def restored(self) -> Array:
        """The share of the difference that each patch restores: 0 as corrupt, 1 as clean; [layer, position]."""
        return (self.values - self.corrupt) / (self.clean - self.corrupt)

    def plot(self, restored: bool = True) -> Any:
        """A heat map, as a matplotlib Axes. Needs hydrophone[plot]."""
        values, what = (self.restored, f"share of {self.metric} restored") if restored else (self.values, self.metric)
        title = f"{self.hook} patched from the clean run:\n{what}"
        columns = [f"{number}: {label}" for number, label in enumerate(self.labels)]
        return plots.heat_map(values, self.layers, columns if self.by == "position" else self.labels, title, self.by)

    def __repr__(self) -> str:
        shape = " x ".join(map(str, self.values.shape))
        return f"PatchGrid({self.hook}, {shape}, {self.metric}: clean {self.clean:.4g}, corrupt {self.corrupt:.4g})"
