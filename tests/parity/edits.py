"""One intervention, said twice: as the server's message, and as a function for a hook on Hugging Face's model.

A value is seen as a grid of positions x heads x features: a point without heads has one, and on scores and patterns the
positions are queries and the features keys.
"""

import dataclasses

import numpy as np
import torch
from hydrophone_client import tensor


@dataclasses.dataclass(frozen=True)
class Edit:
    """`operation` is an Intervention's field name, and `value` is what it takes.

    That is a number, an array, or a patch's (run, name, positions).
    """

    point: str
    positions: tuple
    operation: str
    value: object = None
    heads: tuple = ()
    features: tuple = ()

    def message(self, pb):
        made = pb.Intervention(hook_point=self.point, positions=pb.Positions(at=self.positions))
        if self.heads or self.features:
            made.units.heads.extend(self.heads)
            made.units.features.extend(self.features)
        if self.operation in ("zero", "position_mean"):
            getattr(made, self.operation).SetInParent()
        elif self.operation == "scale":
            made.scale = self.value
        elif self.operation == "patch":
            run, name, positions = self.value
            made.patch.run = run
            if name != self.point:
                made.patch.hook_point = name
            if positions != self.positions:
                made.patch.positions.at.extend(positions)
        else:
            getattr(made, self.operation).CopyFrom(tensor(pb, self.value))
        return made

    def hook(self, runs=()):
        """The function of [s, d], [s, H, d/H] or [H, s, s] tensors; `runs` are the values that a patch may read."""

        def edit(value):
            grid = _grid(self.point, value.clone())
            grid[self._index(grid, self.positions)] = self._changed(grid, runs)
            return _value(self.point, grid, value.shape)

        return self.point, edit

    def _index(self, grid, positions):
        return np.ix_(positions, self.heads or range(grid.shape[1]), self.features or range(grid.shape[2]))

    def _changed(self, grid, runs):
        old = grid[self._index(grid, self.positions)]
        if self.operation == "zero":
            return torch.zeros_like(old)
        if self.operation == "scale":
            return old * self.value
        if self.operation == "add":
            return old + self._broadcast(old)
        if self.operation == "set":
            return self._broadcast(old)
        if self.operation == "project_out":
            direction = torch.tensor(self.value, dtype=torch.float64)
            unit = direction / direction.norm()
            return (old.double() - (old.double() @ unit).unsqueeze(-1) * unit).float()
        if self.operation == "position_mean":
            return old.double().mean(0, keepdim=True).float().expand_as(old)
        run, name, positions = self.value
        source = _grid(name, torch.from_numpy(runs[run][name].copy()))
        return source[self._index(source, positions)]

    def _broadcast(self, old):
        """The value's dimensions are the point's own: heads come first on scores and patterns."""
        values = torch.from_numpy(np.asarray(self.value, np.float32))
        if is_square(self.point):
            values = values.expand(old.shape[1], old.shape[0], old.shape[2]).permute(1, 0, 2)
        elif values.ndim == 2 and not _has_heads(self.point):
            values = values.unsqueeze(1)
        return values.expand_as(old)


def is_square(name):
    return name.endswith(("hook_attn_scores", "hook_softmax", "hook_pattern"))


def _has_heads(name):
    return is_square(name) or name.endswith((".hook_q", ".hook_k", ".hook_v", ".hook_z"))


def _grid(name, value):
    if is_square(name):
        return value.permute(1, 0, 2)
    return value if _has_heads(name) else value.unsqueeze(1)


def _value(name, grid, shape):
    return (grid.permute(1, 0, 2) if is_square(name) else grid).reshape(shape)
