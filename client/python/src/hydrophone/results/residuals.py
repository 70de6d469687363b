"""The residual stream taken apart."""

from __future__ import annotations

import dataclasses

from hydrophone.results.records import InputInfo, Provenance
from hydrophone.wire.tensors import Array


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class ResidualStack:
    """`values` float32 [component, position, width], and what the components are called. `final_scale` [position, 1] is
    ln_f's scale of the final state, sqrt(variance + epsilon)."""

    values: Array
    labels: tuple[str, ...]
    final_scale: Array
    input: InputInfo
    provenance: Provenance

    def __getitem__(self, label: str) -> Array:
        """One component, [position, width]."""
        return self.values[self.labels.index(label)]  # type: ignore[no-any-return]

    def __repr__(self) -> str:
        return f"ResidualStack({list(self.values.shape)}: {', '.join(self.labels[:4])}, ...)"
