"""The result of an extraction."""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from hydrophone.results.capture import Capture, Scores
from hydrophone.results.records import Comparison, InputInfo, Provenance, Summary
from hydrophone.wire.tensors import Array

if TYPE_CHECKING:
    import os

T = TypeVar("T")


@dataclasses.dataclass(frozen=True)
class RunInfo:
    """A run: the number of its input, its key, and its number, which counts all runs of the call."""

    number: int
    input: int
    key: str = ""


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Result:
    """What an extraction gave.

    `r[name, layer, run]` is an array, by any name of its hook point: the one asked, the canonical one, Hugging Face's,
    with the layer or without. `layer` may be left out where the point has one, `run` (a number or a key) where there is
    one; negative layers count from the end. Arrays are [positions, width], [positions, heads, width of a head], or
    [heads, queries, keys], float32 unless another dtype was asked (bfloat16 comes as float32 of the same values). They
    are the received bytes' own memory: indexing copies nothing.

    >>> r = client.extract(["Hello world", "Goodbye"], ["attn.c_proj", "hidden_states"], layers=[0, 1])
    >>> r["attn.c_proj", 1, 0].shape
    (2, 64)
    >>> r.tokens[0]
    ['Hello', ' world']
    """

    inputs: tuple[InputInfo, ...]
    runs: tuple[RunInfo, ...]
    captures: tuple[Capture, ...]
    provenance: Provenance
    n_layer: int
    data_bytes: int = 0
    nonfinite: int = 0
    queue_seconds: float = 0.0
    compute_seconds: float = 0.0
    request: Any = None  # the ExtractRequest message of the whole call

    @property
    def tokens(self) -> list[list[str]]:
        """Each input's tokens as readable text."""
        return [[readable(piece) for piece in info.pieces] for info in self.inputs]

    @property
    def token_ids(self) -> list[Array]:
        """Each input's token ids, int64 [tokens]."""
        return [np.array(info.token_ids, dtype=np.int64) for info in self.inputs]

    def __getitem__(self, key: str | tuple[Any, ...]) -> Array:
        return self._one(key, lambda capture: isinstance(capture.value, np.ndarray), "an array").array

    def all(self, name: str, layer: int | None = None, run: int | str | None = None) -> list[Array]:
        """All arrays that this means, by layer and then by run."""
        found = self._found((name, layer, run), lambda capture: isinstance(capture.value, np.ndarray))
        return [capture.array for capture in sorted(found, key=lambda each: (each.layer, each.runs))]

    def stack(self, name: str, run: int | str | None = None) -> Array:
        """A point's arrays of all its layers as one: [layers, ...]. A copy."""
        return np.stack(self.all(name, None, run))

    def summary(self, name: str, layer: int | None = None, run: int | str | None = None) -> Summary:
        """The summary that came instead of an array."""
        return self._value((name, layer, run), Summary)

    def comparison(self, name: str, layer: int | None = None, run: int | str | None = None) -> Comparison:
        """How the run's value differs from its baseline's."""
        return self._value((name, layer, run), Comparison)

    def preview(self, name: str, layer: int | None = None, run: int | str | None = None) -> str:
        """The array as NumPy would print it, shortened."""
        return self._value((name, layer, run), str)

    def scores(self, name: str, layer: int | None = None, run: int | str | None = None) -> Scores:
        """The scores of a logit lens or a metric (by its key), position by position."""
        return self._value((name, layer, run), tuple)

    def metric(self, key: str, run: int | str | None = None) -> Array:
        """A metric's numbers, float32 [positions]."""
        return np.array([score.value for score in self.scores(key, None, run)], dtype=np.float32)

    def select(
        self,
        name: str | None = None,
        *,
        layer: int | None = None,
        input: int | str | None = None,
        run: int | str | None = None,
    ) -> Result:
        """The part of this result that has a name, a layer, an input (a number or a key), or a run."""
        kept = list(self.captures) if name is None else self._called(name)
        if layer is not None:
            kept = [each for each in kept if each.layer == self._layer(each, layer)]
        if run is not None:
            number = self._run(run)
            kept = [each for each in kept if number in each.runs]
        if input is not None:
            of_input = self._input(input)
            numbers = {each.number for each in self.runs if each.input == of_input}
            kept = [each for each in kept if numbers.intersection(each.runs)]
        return dataclasses.replace(self, captures=tuple(kept))

    def to_torch(self) -> dict[str, Any]:
        """The arrays as torch tensors that share their memory, by canonical name; ".runR" is added where there are
        several runs. Needs hydrophone[torch]."""
        from hydrophone.results import convert

        return convert.to_torch(self)

    def to_xarray(self) -> dict[str, Any]:
        """An xarray.DataArray for each name asked, [layer, position, unit] or [layer, position, head, unit], with the
        tokens as labels of the positions; ".runR" is added to its name where there are several runs. Needs
        hydrophone[xarray]."""
        from hydrophone.results import convert

        return convert.to_xarray(self)

    def save(self, path: str | os.PathLike[str]) -> pathlib.Path:
        """Writes the arrays, the tokens, the request and where they come from into a .safetensors file, whole or not at
        all; hp.load (which needs hydrophone[files]) reads it, and hp.replay proves it. DiskFull when there is no room,
        and what was there before is whole."""
        from hydrophone.results import files

        return files.save(self, path)

    def __repr__(self) -> str:
        from hydrophone.results import display

        return display.text(self)

    def _repr_html_(self) -> str:
        from hydrophone.results import display

        return display.html(self)

    def _value(self, key: tuple[Any, ...], kind: type[T]) -> T:
        value = self._one(key, lambda capture: isinstance(capture.value, kind), f"a {kind.__name__}").value
        assert isinstance(value, kind)
        return value

    def _one(self, key: str | tuple[Any, ...], wanted: Callable[[Capture], bool], what: str) -> Capture:
        found = self._found(key, wanted)
        if len(found) == 1:
            return found[0]
        said = f"r[{key!r}]" if isinstance(key, str) else f"r{list(key)!r}"
        if not found:
            raise KeyError(f"{said}: there is no such {what.removeprefix('a ').removeprefix('an ')}; {self._there()}")
        layers = sorted({capture.layer for capture in found})
        runs = sorted({run for capture in found for run in capture.runs})
        choice = f"layers {layers}" if len(layers) > 1 else f"runs {runs}" if len(runs) > 1 else "several selectors"
        raise KeyError(f"{said} means {len(found)} captures, of {choice}: say which, or take r.all(...)")

    def _found(self, key: str | tuple[Any, ...], wanted: Callable[[Capture], bool]) -> list[Capture]:
        parts: tuple[Any, ...] = (key,) if isinstance(key, str) else key
        if not 1 <= len(parts) <= 3 or not isinstance(parts[0], str):
            raise KeyError(f"got {key!r}, expected a name, or a name, a layer and a run")
        name, layer, run = parts[0], *(*parts[1:], None, None)[:2]
        return [each for each in self.select(name, layer=layer, run=run).captures if wanted(each)]

    def _called(self, name: str) -> list[Capture]:
        """The captures of a name; those that were asked for by it, when another name asked for the same place too."""
        asked = [each for each in self.captures if each.asked == name]
        return asked or [each for each in self.captures if each.is_called(name)]

    def _there(self) -> str:
        names = dict.fromkeys(repr(each.asked) for each in self.captures)
        shown = ", ".join(list(names)[:6]) + (", ..." if len(names) > 6 else "")
        return f"there are {shown}" if names else "there are no captures"

    def _layer(self, capture: Capture, layer: int) -> int:
        depth = self.n_layer + 1 if capture.name.startswith("hidden_states") else self.n_layer
        return layer + depth if layer < 0 and capture.layer >= 0 else layer

    def _run(self, run: int | str) -> int:
        return _number(run, [each.key for each in self.runs], "run")

    def _input(self, input: int | str) -> int:
        return _number(input, [info.key for info in self.inputs], "input")


def _number(name: int | str, keys: Sequence[str], what: str) -> int:
    if isinstance(name, str):
        if name not in keys or not name:
            raise KeyError(f"got {what} {name!r}, expected one of {[key for key in keys if key]}, or a number")
        return keys.index(name)
    if not -len(keys) <= name < len(keys):
        raise KeyError(f"got {what} {name}, expected one below {len(keys)}")
    return int(name) % len(keys)


# The vocabulary writes a byte as one printable character: those that are printable as themselves, the others from
# U+0100 on in the order of the bytes (OpenAI's bytes_to_unicode).
_PRINTABLE = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
_OTHERS = [byte for byte in range(0x100) if byte not in set(_PRINTABLE)]
_BYTES = {chr(byte): byte for byte in _PRINTABLE} | {chr(0x100 + i): byte for i, byte in enumerate(_OTHERS)}


def readable(piece: str) -> str:
    """A token as text: "Ġworld" is " world". Bytes that are no UTF-8 on their own stay as the vocabulary writes
    them."""
    if not all(character in _BYTES for character in piece):
        return piece
    try:
        return bytes(_BYTES[character] for character in piece).decode()
    except UnicodeDecodeError:
        return piece
