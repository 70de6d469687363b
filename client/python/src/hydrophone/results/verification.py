"""What Verify measured."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from hydrophone.results.records import Provenance, read
from hydrophone.wire.tensors import Array


@dataclasses.dataclass(frozen=True)
class Check:
    """A measured value and the largest that passes; `detail` says what was compared with what."""

    name: str
    passed: bool
    value: float
    tolerance: float
    measure: str
    detail: str


@dataclasses.dataclass(frozen=True)
class Correlation:
    """Pearson's r of two arrays, over all elements and over those that pass the mask."""

    name: str
    r: float
    r_masked: float


@dataclasses.dataclass(frozen=True, eq=False)
class LayerReport:
    """How one block's reconstruction closes: whether every element is equal to the bit, the residual's largest and mean
    magnitude, the correlations, the share of elements that the mask hides, where it hides most (index: how many), and
    the residual itself, float32 [tokens, width], where it was asked for."""

    layer: int
    bitwise: bool
    max_abs: float
    mean_abs: float
    correlations: tuple[Correlation, ...]
    hidden_share: float
    hidden_positions: dict[int, int]
    hidden_dimensions: dict[int, int]
    residual: Array | None


@dataclasses.dataclass(frozen=True, eq=False)
class FinalState:
    """The last hidden state: largest differences, and L2 norms of the states, averaged over positions."""

    max_abs_input_difference: float
    max_abs_raw_difference: float
    max_abs_ln_f_difference: float
    raw_profile_norms: tuple[float, ...]
    normalised_norm: float
    profile_note: str
    ln_f_residual: Array | None


@dataclasses.dataclass(frozen=True, eq=False)
class Verification:
    """Whether the numbers are right. True in a condition when every check passed."""

    passed: bool
    checks: tuple[Check, ...]
    layers: tuple[LayerReport, ...]
    final_state: FinalState
    provenance: Provenance

    @classmethod
    def of(cls, response: Any) -> Verification:
        final = response.final_state
        return cls(
            passed=response.passed,
            checks=tuple(read(Check, each) for each in response.checks),
            layers=tuple(_layer(each) for each in response.layers),
            final_state=read(FinalState, final, ln_f_residual=_residual(final, "ln_f_residual")),
            provenance=read(Provenance, response.provenance),
        )

    def __bool__(self) -> bool:
        return self.passed

    def __repr__(self) -> str:
        failed = [check for check in self.checks if not check.passed]
        head = f"Verification: {len(self.checks) - len(failed)} of {len(self.checks)} checks passed"
        return "\n".join([head, *(f"  {c.name}: {c.measure} {c.value:g}, allowed {c.tolerance:g}" for c in failed)])


def _layer(report: Any) -> LayerReport:
    return read(
        LayerReport,
        report,
        correlations=tuple(read(Correlation, each) for each in report.correlations),
        hidden_share=report.mask.hidden_share,
        hidden_positions={each.index: each.hidden for each in report.mask.positions},
        hidden_dimensions={each.index: each.hidden for each in report.mask.dimensions},
        residual=_residual(report, "residual"),
    )


def _residual(message: Any, field: str) -> Array | None:
    if not message.HasField(field):
        return None
    tensor = getattr(message, field)
    return np.frombuffer(tensor.data, dtype="<f4").reshape(tuple(tensor.shape))
