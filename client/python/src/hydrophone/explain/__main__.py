"""python -m hydrophone.explain mine.npy TEXT --hook NAME: exits with 0 when the array is the server's, else with 1."""

from __future__ import annotations

import argparse
import pathlib
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from hydrophone import commands
from hydrophone.errors import InvalidArgument
from hydrophone.explain.run import explain


def main(arguments: Sequence[str] | None = None) -> int:
    made = commands.parser("explain", "Says why a tensor that was made elsewhere differs from the server's.")
    made.add_argument(
        "file", type=pathlib.Path, help="the array (.npy), [tokens, width] or with a batch of one in front"
    )
    made.add_argument("text", nargs="?", help="what the model ran on")
    made.add_argument("--token-ids", nargs="+", type=int, metavar="ID", help="the same as token ids")
    made.add_argument("--hook", required=True, metavar="NAME", help="the point that the array should be")
    made.add_argument("--layer", type=int, metavar="L")
    made.add_argument("--prepend-bos", action="store_true", help="it should have the BOS token in front")
    options = made.parse_args(arguments)
    if (options.text is None) == (options.token_ids is None):
        made.error("expected a text or --token-ids, one of them")
    return commands.run("explain", lambda: _main(options))


def _main(options: argparse.Namespace) -> int:
    array = _read(options.file)
    given = options.text if options.text is not None else options.token_ids
    with commands.connect(options) as client:
        said = explain(array, given, options.hook, options.layer, prepend_bos=options.prepend_bos, client=client)
    print(said)
    return 0 if said.equal else 1


def _read(path: pathlib.Path) -> Any:
    try:
        return np.load(path)
    except (ValueError, EOFError) as error:
        raise InvalidArgument.of("file", f"got {path}, expected an array that np.save wrote: {error}") from None


if __name__ == "__main__":
    sys.exit(main())
