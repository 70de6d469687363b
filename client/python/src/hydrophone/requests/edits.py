"""Edits: what a run changes in its forward pass.

Each function takes a hook point's name, and where the edit is made: `layers` (a number or several, negative ones from
the end, or "all"; they must be named here or in the hook's name), `positions` (all unless given), `heads` and
`features` (all unless given).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from hydrophone.errors import InvalidArgument
from hydrophone.proto import v1
from hydrophone.requests import values
from hydrophone.requests.values import Numbers, Positions, Values, Whole

RunName: TypeAlias = "int | str"
EditLayers: TypeAlias = "Numbers | str | None"


@dataclasses.dataclass(frozen=True)
class RunNames:
    """The numbers of a request's runs by their keys, and how many runs there are."""

    by_key: Mapping[str, int]
    count: int

    def number(self, name: RunName, argument: str) -> int:
        """The number of a run that is named by its number or its key."""
        if isinstance(name, str):
            if name not in self.by_key:
                raise InvalidArgument.of(
                    argument, f"got {name!r}, expected one of the runs' keys {sorted(self.by_key)}"
                )
            return self.by_key[name]
        if not 0 <= name < self.count:
            raise InvalidArgument.of(argument, f"got run {name}, expected 0 to {self.count - 1}")
        return int(name)


@dataclasses.dataclass(frozen=True)
class Edit:
    """One change of the values at a hook point. hp.zero, hp.add, ... make it."""

    kind: str
    hook: str
    layers: EditLayers
    positions: Positions
    heads: Numbers | None
    features: Numbers | None
    fill: Callable[[Any, RunNames], None] = dataclasses.field(repr=False)  # puts the operation into the message


def zero(
    hook: str,
    *,
    layers: EditLayers = None,
    positions: Positions = None,
    heads: Numbers | None = None,
    features: Numbers | None = None,
) -> Edit:
    """Sets the values to 0.

    >>> client.extract("Hello world", "logits", edits=hp.zero("mlp_out", layers=5))["logits"].shape
    (2, 50257)
    """
    return Edit("zero", hook, layers, positions, heads, features, lambda message, runs: message.zero.SetInParent())


def scale(
    hook: str,
    factor: float,
    *,
    layers: EditLayers = None,
    positions: Positions = None,
    heads: Numbers | None = None,
    features: Numbers | None = None,
) -> Edit:
    """Multiplies the values by a finite factor."""

    def fill(message: Any, runs: RunNames) -> None:
        message.scale = factor

    return Edit("scale", hook, layers, positions, heads, features, fill)


def add(
    hook: str,
    value: Values,
    *,
    layers: EditLayers = None,
    positions: Positions = None,
    heads: Numbers | None = None,
    features: Numbers | None = None,
) -> Edit:
    """Adds a number, a vector [features], or an array that broadcasts to what is edited: [positions, features];
    [positions, heads, features] at a point with heads; [heads, queries, keys] on scores and patterns."""
    tensor = values.tensor(value, "value")
    return Edit("add", hook, layers, positions, heads, features, lambda message, runs: message.add.CopyFrom(tensor))


def set(
    hook: str,
    value: Values,
    *,
    layers: EditLayers = None,
    positions: Positions = None,
    heads: Numbers | None = None,
    features: Numbers | None = None,
) -> Edit:
    """Replaces the values by a number or an array, of the shapes that `add` takes. On attention scores -inf knocks a
    key out."""
    tensor = values.tensor(value, "value")
    return Edit("set", hook, layers, positions, heads, features, lambda message, runs: message.set.CopyFrom(tensor))


def project_out(
    hook: str,
    direction: Values,
    *,
    layers: EditLayers = None,
    positions: Positions = None,
    heads: Numbers | None = None,
) -> Edit:
    """Removes the part along a direction [features], which the server normalises."""
    tensor = values.tensor(direction, "direction")

    def fill(message: Any, runs: RunNames) -> None:
        message.project_out.CopyFrom(tensor)

    return Edit("project_out", hook, layers, positions, heads, None, fill)


def position_mean(
    hook: str,
    *,
    layers: EditLayers = None,
    positions: Positions = None,
    heads: Numbers | None = None,
    features: Numbers | None = None,
) -> Edit:
    """Replaces the values by their mean over the edited positions."""

    def fill(message: Any, runs: RunNames) -> None:
        message.position_mean.SetInParent()

    return Edit("position_mean", hook, layers, positions, heads, features, fill)


def patch(
    hook: str,
    source: RunName,
    *,
    layers: EditLayers = None,
    positions: Positions = None,
    heads: Numbers | None = None,
    features: Numbers | None = None,
    source_hook: str = "",
    source_layer: Whole | None = None,
    source_positions: Positions = None,
) -> Edit:
    """Replaces the values by those of another run, which is named by its number or its key: those at the same hook,
    layer and positions, unless `source_hook`, `source_layer` and `source_positions` name others."""

    def fill(message: Any, runs: RunNames) -> None:
        message.patch.run = runs.number(source, "source")
        message.patch.hook_point = source_hook
        if source_layer is not None:
            message.patch.layer = int(source_layer)
        if source_positions is not None:
            message.patch.positions.CopyFrom(values.positions(source_positions, "source_positions"))

    return Edit("patch", hook, layers, positions, heads, features, fill)


def message(edit: Edit, runs: RunNames, n_layer: int) -> Any:
    """The Intervention message. "all" layers are 0 to n_layer - 1."""
    layers = edit.layers
    if isinstance(layers, str):
        if layers != "all":
            raise InvalidArgument.of("layers", f'got {layers!r}, expected numbers or "all"')
        layers = range(n_layer)
    result = v1.Intervention(hook_point=edit.hook, layers=values.numbers(layers, "layers"))
    result.positions.CopyFrom(values.positions("all" if edit.positions is None else edit.positions))
    if (units := values.units(edit.heads, edit.features)) is not None:
        result.units.CopyFrom(units)
    edit.fill(result, runs)
    return result
