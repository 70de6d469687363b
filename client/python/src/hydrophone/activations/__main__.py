"""python -m hydrophone.activations CORPUS --out DIR --hook NAME --layer L"""

from __future__ import annotations

import argparse
import pathlib
import sys
from collections.abc import Sequence

from hydrophone import commands
from hydrophone.activations.cache import cache_activations
from hydrophone.bulk.meter import size


def _parser() -> argparse.ArgumentParser:
    made = commands.parser("activations", "Writes SAELens's cached-activations data set. Killed, it goes on.")
    made.add_argument("corpus", type=pathlib.Path, help='JSON lines: strings, or objects with "text" or "token_ids"')
    made.add_argument("--out", required=True, metavar="DIR", help="SAELens's cached_activations_path")
    made.add_argument("--hook", required=True, metavar="NAME", help="the hook point")
    made.add_argument("--layer", type=int, metavar="L", help="its layer; negative ones from the end")
    made.add_argument("--context", type=int, default=128, metavar="N", help="tokens of a window (default: 128)")
    made.add_argument("--positions", help='"last", a number, or "start:stop:step" of each window (default: all)')
    made.add_argument("--no-bos", action="store_true", help="no beginning-of-sequence token in front of each window")
    made.add_argument("--dtype", choices=["float32", "float16", "bfloat16"], help="on the wire; kept as float32")
    made.add_argument("--shuffle", type=int, metavar="SEED", help="another order of the windows")
    made.add_argument("--windows-per-shard", type=int, default=1024, metavar="N", help="default: 1024")
    made.add_argument(
        "--patience", type=float, default=600.0, metavar="SECONDS", help="without a server (default: 600)"
    )
    made.add_argument("--quiet", action="store_true", help="no progress on standard error")
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    return commands.run("activations", lambda: _main(options))


def _main(options: argparse.Namespace) -> int:
    with commands.connect(options) as client:
        done = cache_activations(
            client,
            options.corpus,
            options.hook,
            options.out,
            options.layer,
            options.context,
            positions=commands.number_or_text(options.positions) if options.positions else None,
            prepend_bos=not options.no_bos,
            dtype=options.dtype,
            shuffle=options.shuffle,
            windows_per_shard=options.windows_per_shard,
            patience=options.patience,
            progress=not options.quiet,
        )
    print(f"{done.path}: {len(done.shards)} files, {done.texts:,} windows, {done.rows:,} rows, {size(done.bytes)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
