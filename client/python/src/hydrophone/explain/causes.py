"""Why a tensor differs, and what is said about it."""

from __future__ import annotations

import dataclasses

BOS = "BOS shift"
PADDING = "left padding without position ids"
UNMASKED = "left padding without attention mask"
LAYER = "off by one layer"
LN_F_APPLIED = "ln_f applied"
LN_F_MISSING = "ln_f missing"
FOLDED = "folded weights"
CENTRED = "centred weights"
DROPOUT = "dropout left on"
AFTER_DROPOUT = "after a dropout"
BEFORE_DROPOUT = "before a dropout"
HALF = "half precision"
CHECKPOINT = "another checkpoint"

CAUSES = (
    BOS,
    PADDING,
    UNMASKED,
    LAYER,
    LN_F_APPLIED,
    LN_F_MISSING,
    FOLDED,
    CENTRED,
    DROPOUT,
    AFTER_DROPOUT,
    BEFORE_DROPOUT,
    HALF,
    CHECKPOINT,
)


@dataclasses.dataclass(frozen=True)
class Cause:
    """One of CAUSES, and what it means here. `proved`: with it the values are equal within the bound, or the array's
    own values show it; otherwise it is what fits best."""

    name: str
    detail: str
    proved: bool = True

    def __str__(self) -> str:
        return f"{self.name}{'' if self.proved else ' (likely)'}: {self.detail}"


@dataclasses.dataclass(frozen=True)
class Explanation:
    """Whether an array is the server's, and why not.

    `distance` is the largest difference from what was asked, as a share of the largest value, `remaining` that from
    what the causes lead to, `allowed` how far right values may be apart. Without causes, and not `equal`, the array is
    neither the server's nor anything that was tried.
    """

    asked: str
    equal: bool
    distance: float
    allowed: float
    remaining: float
    causes: tuple[Cause, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The causes' names."""
        return tuple(cause.name for cause in self.causes)

    def __repr__(self) -> str:
        if self.equal:
            return f"{self.asked}: equal within {self.allowed:g} of the largest value ({self.distance:.3g})"
        head = f"{self.asked}: {self.distance:.3g} of the largest value apart, allowed {self.allowed:g}"
        found = [f"  {cause}" for cause in self.causes] or ["  no cause that was tried explains it"]
        return "\n".join([head, *found, f"  with that, {self.remaining:.3g} apart" if self.causes else ""]).rstrip()
