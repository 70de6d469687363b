"""Where a unit is most active."""

from __future__ import annotations

import dataclasses
import html as escape
from collections.abc import Sequence
from typing import overload

from hydrophone.wire.tensors import Array


@dataclasses.dataclass(frozen=True)
class Window:
    """Tokens of a text that were run on their own: `text` is the text's number in the corpus, `begin` the place of the
    window's first token in it."""

    text: int
    begin: int
    token_ids: tuple[int, ...]
    tokens: tuple[str, ...]


@dataclasses.dataclass(frozen=True, eq=False)
class Activation:
    """A window and the unit's values in it, float32 [tokens]; `position` is the most active one's."""

    window: Window
    position: int
    values: Array = dataclasses.field(repr=False)

    @property
    def value(self) -> float:
        return float(self.values[self.position])

    @property
    def token(self) -> str:
        return self.window.tokens[self.position]

    def context(self, before: int = 10, after: int = 5) -> str:
        """The text around the most active token, which stands in [[ ]]."""
        tokens, at = self.window.tokens, self.position
        left, right = tokens[max(0, at - before) : at], tokens[at + 1 : at + 1 + after]
        return "".join([*left, "[[", tokens[at], "]]", *right])


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class MaxActivating(Sequence[Activation]):
    """The most active places, most active first."""

    found: tuple[Activation, ...]
    hook: str
    layer: int | None
    unit: int
    head: int | None

    @overload
    def __getitem__(self, index: int) -> Activation: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Activation]: ...
    def __getitem__(self, index: int | slice) -> Activation | Sequence[Activation]:
        return self.found[index]

    def __len__(self) -> int:
        return len(self.found)

    def __repr__(self) -> str:
        lines = [f"{each.value:10.4f}  text {each.window.text}: {each.context()!r}" for each in self.found]
        return "\n".join([self._title(), *lines])

    def html(self) -> str:
        """A table of the windows as HTML, each token shaded by its value."""
        highest = max((each.value for each in self.found), default=0.0)
        rows = "".join(
            f"<tr><td>{each.value:.4f}</td><td>{each.window.text}</td><td>{_shaded(each, highest)}</td></tr>"
            for each in self.found
        )
        head = "<tr><th>value</th><th>text</th><th>window</th></tr>"
        return f"<div><p>{escape.escape(self._title())}</p><table>{head}{rows}</table></div>"

    _repr_html_ = html

    def _title(self) -> str:
        where = "" if self.layer is None else f" of layer {self.layer}"
        head = "" if self.head is None else f", head {self.head}"
        return f"{self.hook}{where}{head}, unit {self.unit}: the {len(self.found)} most active windows"


def _shaded(activation: Activation, highest: float) -> str:
    spans = []
    for token, value in zip(activation.window.tokens, activation.values, strict=True):
        share = max(0.0, float(value) / highest) if highest > 0 else 0.0
        style = f' style="background:rgba(255,140,0,{share:.2f})"' if share >= 0.01 else ""
        spans.append(f'<span title="{float(value):.4f}"{style}>{escape.escape(token)}</span>')
    return "".join(spans)
