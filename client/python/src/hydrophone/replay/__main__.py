"""python -m hydrophone.replay FILE: exits with 0 when the server gives the file's values again, with 1 when not."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from hydrophone import commands
from hydrophone.replay.run import replay


def main(arguments: Sequence[str] | None = None) -> int:
    made = commands.parser("replay", "Asks a server for a saved capture again, and compares.")
    made.add_argument("file", help="what Result.save or hydrophone extract --out wrote (.safetensors)")
    options = made.parse_args(arguments)
    return commands.run("replay", lambda: _main(options))


def _main(options: argparse.Namespace) -> int:
    with commands.connect(options) as client:
        proof = replay(options.file, client)
    print(proof)
    return 0 if proof else 1


if __name__ == "__main__":
    sys.exit(main())
