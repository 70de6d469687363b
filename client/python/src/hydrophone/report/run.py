"""hp.report: the two lessons as a page and pictures."""

from __future__ import annotations

import copy
import dataclasses
import os
import pathlib
import sys
from collections.abc import Mapping

from hydrophone.client import Client, check_blocking
from hydrophone.errors import InvalidArgument
from hydrophone.files import whole_file
from hydrophone.report import canvas
from hydrophone.report.ask import ANSWERS, CLEAN, CORRUPT, FINAL, LESSON, Answers, Question, ask
from hydrophone.report.page import page
from hydrophone.report.pictures import NAMES, pictures

PAGE = "report.html"

# The least width of a picture on the page, for an inch of its own: text of 11 points is 9 pixels high there.
_PIXELS_AN_INCH = 58


@dataclasses.dataclass(frozen=True)
class Report:
    """The page, which holds all pictures, and the files of the pictures by their names."""

    page: pathlib.Path
    pictures: Mapping[str, pathlib.Path]


def report(
    client: Client,
    out: str | os.PathLike[str] = "hydrophone-report",
    *,
    text: str = LESSON,
    final_text: str = FINAL,
    clean: str = CLEAN,
    corrupt: str = CORRUPT,
    answers: tuple[str, str] = ANSWERS,
    layer: int | None = None,
    max_abs: float | None = None,
    quantile: float | None = None,
    force: bool = False,
    progress: bool = True,
) -> Report:
    """Writes the two lessons about the residual stream into the directory `out`: report.html, which holds its pictures
    and needs no other file, and each picture as a .png.

    The lesson about deltas and states runs on `text` and shows `layer` (None: 10, or the last one), the one about the
    final state on `final_text`. The outlier mask hides magnitudes above `max_abs`, or above the `quantile` of their
    array's; without either it is the lesson's, 30, or the 0.99 quantile where that would hide nothing. The logit lens
    reads `clean`, whose states are patched into `corrupt`; the first of the `answers` is right after `clean`, the
    second after `corrupt`; for a tokenizer that does not have the default ones as GPT-2's does, the grid is left out,
    and the page says why. `progress` says on standard error what is being done.

    The same server and arguments give the same bytes, with the same matplotlib. InvalidArgument: one of the files is
    there already, and not `force`. Needs hydrophone[report].

    >>> import tempfile
    >>> made = hp.report(client, tempfile.mkdtemp(), text="Hello world", progress=False)
    >>> made.page.name, sorted(made.pictures)[:3]
    ('report.html', ['attention', 'correlations', 'final_state'])
    """
    canvas.require()
    check_blocking(client)
    directory = pathlib.Path(out)
    files = {name: directory / f"{name}.png" for name in NAMES}
    _check(directory, [directory / PAGE, *files.values()], force)
    question = Question(text, final_text, clean, corrupt, answers, layer, max_abs, quantile)
    steps = _Steps(progress)
    said = ask(_quiet(client), question, steps)
    drawn = []
    for picture in pictures(said):
        steps(f"drawing: {picture.title}")
        with canvas.style():
            figure = picture.draw()
            png = canvas.png(figure, _description(picture, said))
        drawn.append((picture, png, figure.get_figwidth() * _PIXELS_AN_INCH))
    directory.mkdir(parents=True, exist_ok=True)
    for picture, png, _ in drawn:
        _write(files[picture.name], png)
    for name in set(files) - {picture.name for picture, _, _ in drawn}:
        files.pop(name).unlink(missing_ok=True)  # an earlier report's
    _write(directory / PAGE, page(question, said, drawn).encode())
    return Report(directory / PAGE, files)


def _quiet(client: Client) -> Client:
    """The same client, whose calls show no progress bars: the report's own steps are shown."""
    quiet = copy.copy(client)
    quiet.session = client.session.quiet()
    return quiet


def _check(directory: pathlib.Path, files: list[pathlib.Path], force: bool) -> None:
    """Refuses before anything is asked what would be lost."""
    if directory.exists() and not directory.is_dir():
        raise InvalidArgument.of("out", f"{directory} is there already, and is no directory")
    there = [path for path in files if path.exists()]
    if there and not force:
        raise InvalidArgument.of("out", f"{there[0]} is there already; --force (force=True) overwrites it")


def _write(path: pathlib.Path, data: bytes) -> None:
    whole_file.replace(path, lambda file: file.write(data))


def _description(picture: canvas.Picture, said: Answers) -> str:
    where = said.provenance
    return f"{picture.title}; {where.model}, weights {where.weights_sha256}, numerics {where.numerics}"


class _Steps:
    """Says what is being done, a line each."""

    def __init__(self, shown: bool) -> None:
        self._shown = shown

    def __call__(self, what: str) -> None:
        if self._shown:
            print(f"report: {what}", file=sys.stderr, flush=True)
