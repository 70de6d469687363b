"""python -m hydrophone.report: the two lessons as a page and pictures."""

from __future__ import annotations

import argparse
import pathlib
import sys
from collections.abc import Sequence

from hydrophone import commands
from hydrophone.report.ask import Question
from hydrophone.report.run import report


def _parser() -> argparse.ArgumentParser:
    default = Question()
    made = commands.parser("report", "Draws the two lessons about the residual stream, as one HTML page and pictures.")
    made.add_argument("--out", default="hydrophone-report", metavar="DIR", help="default: %(default)s")
    made.add_argument("--force", action="store_true", help="overwrite the files of an earlier report")
    made.add_argument("--text", default=default.text, help="of the lesson about deltas (default: the lesson's own)")
    made.add_argument("--final-text", default=default.final_text, metavar="TEXT", help='default: "%(default)s"')
    made.add_argument("--clean", default=default.clean, metavar="TEXT", help='default: "%(default)s"')
    made.add_argument("--corrupt", default=default.corrupt, metavar="TEXT", help='default: "%(default)s"')
    made.add_argument(
        "--answers",
        nargs=2,
        default=default.answers,
        metavar="TOKEN",
        help="what is right after the clean and after the corrupt text, one token each with its space "
        '(default: " Paris" " Rome")',
    )
    made.add_argument("--layer", type=int, metavar="L", help="the layer that is shown (default: 10, or the last one)")
    mask = made.add_mutually_exclusive_group()
    mask.add_argument("--max-abs", type=float, metavar="X", help="the mask hides larger magnitudes (default: 30)")
    mask.add_argument("--quantile", type=float, metavar="Q", help="or what is above this quantile of its array")
    made.add_argument("--quiet", action="store_true", help="no progress on standard error")
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    return commands.run("report", lambda: _main(options))


def _main(options: argparse.Namespace) -> int:
    with commands.connect(options) as client:
        made = report(
            client,
            pathlib.Path(options.out),
            text=options.text,
            final_text=options.final_text,
            clean=options.clean,
            corrupt=options.corrupt,
            answers=tuple(options.answers),
            layer=options.layer,
            max_abs=options.max_abs,
            quantile=options.quantile,
            force=options.force,
            progress=not options.quiet,
        )
    print(f"{made.page}: {len(made.pictures)} pictures, also as .png beside it")
    return 0


if __name__ == "__main__":
    sys.exit(main())
