"""One capture: a tensor, or what came instead of one."""

from __future__ import annotations

import dataclasses
import re
from typing import Any, TypeAlias

import numpy as np

from hydrophone.results.records import Comparison, Score, Summary, read, read_summary
from hydrophone.wire.tensors import Array

Scores: TypeAlias = "tuple[Score, ...]"
Value: TypeAlias = "Array | Summary | Comparison | Scores | str"

_LAYER = re.compile(r"(?:blocks|transformer\.h|h)\.(\d+)\.")


@dataclasses.dataclass(frozen=True, eq=False)
class Capture:
    """What one selector captured at one hook point, of one run, or (rows layout) of several.

    `name` is canonical, with the layer in it; `asked` is the name or pattern that asked for it, or a metric's key.
    `layer` is -1 outside the blocks. `rows` has how many of the array's rows are each run's, in the rows layout.
    `value` is an array, a Summary, a Comparison (with the run `baseline`), scores, or a preview's text.
    """

    name: str
    asked: str
    hugging_face_name: str
    layer: int
    selector: int
    runs: tuple[int, ...]
    rows: tuple[int, ...]
    baseline: int | None
    lens_logits: bool
    value: Value = dataclasses.field(repr=False)

    @property
    def array(self) -> Array:
        """The array. TypeError when something else came."""
        if not isinstance(self.value, np.ndarray):
            raise TypeError(f"{self.name} came as {type(self.value).__name__}, not as an array")
        return self.value

    def is_called(self, name: str) -> bool:
        """Whether a name means this point: the one asked, the canonical one, Hugging Face's; with the layer or without,
        with "hook_" or without."""
        if name in (self.asked, self.name, self.hugging_face_name):
            return True
        known = {self.name, self.hugging_face_name}
        known |= {each.removeprefix("transformer.") for each in known}
        known |= {_LAYER.sub("", each) for each in known}
        known |= {each.removesuffix(f".{self.layer}") for each in known}  # hidden_states.3
        known |= {each.rpartition(".")[2] for each in known}
        known |= {each.replace("hook_", "") for each in known}
        return name in known - {""}


def of_tensor(info: Any, array: Array) -> Capture:
    return _capture(info, array)


def of_values(values: Any) -> Capture:
    """The capture of a Values message."""
    info = values.info
    value: Value
    if values.HasField("comparison"):
        value = read(Comparison, values.comparison)
    elif values.HasField("summary"):
        value = read_summary(values.summary)
    elif values.preview:
        value = values.preview
    elif values.scores:
        value = tuple(read(Score, score) for score in values.scores)
    else:
        value = np.array(values.floats, dtype=np.float32).reshape(tuple(info.shape))
    return _capture(info, value)


def _capture(info: Any, value: Value) -> Capture:
    return Capture(
        name=info.name,
        asked=info.asked_name,
        hugging_face_name=info.hugging_face_name,
        layer=info.layer,
        selector=info.selector,
        runs=tuple(info.runs),
        rows=tuple(info.rows),
        baseline=info.baseline if info.HasField("baseline") else None,
        lens_logits=info.lens_logits,
        value=value,
    )


def joined(captures: list[Capture]) -> Capture:
    """Captures of one selector and point whose rows follow each other, as one (rows layout)."""
    if len(captures) == 1:
        return captures[0]
    return dataclasses.replace(
        captures[0],
        runs=tuple(run for capture in captures for run in capture.runs),
        rows=tuple(rows for capture in captures for rows in capture.rows),
        value=np.concatenate([capture.array for capture in captures]),
    )
