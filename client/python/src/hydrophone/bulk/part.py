"""A part of a job, which a process or a machine of its own does."""

from __future__ import annotations

import dataclasses
import re

from hydrophone.errors import InvalidArgument


@dataclasses.dataclass(frozen=True)
class Part:
    """Part `index`, from 0, of `count`: its shards follow each other."""

    index: int
    count: int

    def __post_init__(self) -> None:
        if self.count < 1 or not 0 <= self.index < self.count:
            raise InvalidArgument.of("part", f"got {self.index} of {self.count}, expected 0 of 1, 0 of 2, 1 of 2, ...")

    def of(self, shards: int) -> range:
        """Its shards, of so many in all."""
        return range(self.index * shards // self.count, (self.index + 1) * shards // self.count)

    @classmethod
    def parse(cls, text: str) -> Part:
        """ "2/8" is the third of eight parts."""
        found = re.fullmatch(r"(\d+)/(\d+)", text)
        if found is None:
            raise InvalidArgument.of("part", f"got {text!r}, expected INDEX/COUNT, 0/8 for instance")
        return cls(int(found[1]), int(found[2]))
