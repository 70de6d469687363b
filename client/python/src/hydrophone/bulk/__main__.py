"""python -m hydrophone.bulk CORPUS --out DIR --hooks NAME..."""

from __future__ import annotations

import argparse
import pathlib
import sys
from collections.abc import Sequence
from typing import Any

from hydrophone import commands
from hydrophone.bulk.finished import Bulk
from hydrophone.bulk.formats import FORMATS
from hydrophone.bulk.meter import size
from hydrophone.bulk.on_ray import bulk_on_ray
from hydrophone.bulk.part import Part
from hydrophone.bulk.run import bulk


def _parser() -> argparse.ArgumentParser:
    made = commands.parser("bulk", "Captures a corpus into files. Killed and started again, it goes on.")
    made.add_argument("corpus", type=pathlib.Path, help='JSON lines: strings, or objects with "text" or "token_ids"')
    made.add_argument("--out", required=True, metavar="DIR", help="where shards and index.json go")
    made.add_argument("--hooks", required=True, nargs="+", metavar="NAME", help="hook points to capture")
    made.add_argument("--layers", nargs="+", type=int, metavar="L", help="default: all; negative ones from the end")
    made.add_argument("--positions", help='"last", a number, or "start:stop:step" (default: all)')
    made.add_argument("--heads", nargs="+", type=int, metavar="H")
    made.add_argument("--features", nargs="+", type=int, metavar="F")
    made.add_argument(
        "--dtype", choices=["float32", "float16", "bfloat16"], help="on the wire; bfloat16 is kept widened"
    )
    made.add_argument(
        "--prepend-bos", action="store_true", help="the beginning-of-sequence token in front of each text"
    )
    made.add_argument("--literal-specials", action="store_true", help="spellings of special tokens are ordinary text")
    made.add_argument("--truncate", action="store_true", help="of a text that is too long, the first tokens")
    made.add_argument("--skip-bad-inputs", action="store_true", help="go on without them; index.json says why")
    made.add_argument("--shuffle", type=int, metavar="SEED", help="another order of texts and rows")
    made.add_argument("--format", choices=list(FORMATS), default="safetensors", help="default: safetensors")
    made.add_argument("--part", metavar="INDEX/COUNT", help="one range of the shards, 0/8 to 7/8 for instance")
    made.add_argument("--ray", type=int, metavar="N", help="as a Ray pipeline of N workers (hydrophone[ray])")
    made.add_argument("--texts-per-shard", type=int, default=256, metavar="N", help="default: 256")
    made.add_argument(
        "--patience", type=float, default=600.0, metavar="SECONDS", help="without a server (default: 600)"
    )
    made.add_argument("--quiet", action="store_true", help="no progress on standard error")
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    return commands.run("bulk", lambda: _main(options))


def _main(options: argparse.Namespace) -> int:
    done = _bulk(options)
    print(f"{done.path}: {len(done.shards)} shards, {done.rows:,} rows of {done.texts:,} texts, {size(done.bytes)}")
    if done.skipped:
        print(f"hydrophone.bulk: {len(done.skipped)} texts were skipped; index.json says why", file=sys.stderr)
    return 0


def _bulk(options: argparse.Namespace) -> Bulk:
    part = Part.parse(options.part) if options.part is not None else None
    asked: dict[str, Any] = {
        "layers": options.layers,
        "positions": commands.number_or_text(options.positions) if options.positions else None,
        "heads": options.heads,
        "features": options.features,
        "dtype": options.dtype,
        "prepend_bos": options.prepend_bos,
        "literal_specials": options.literal_specials,
        "truncate": options.truncate,
        "skip_bad_inputs": options.skip_bad_inputs,
        "shuffle": options.shuffle,
        "format": options.format,
        "texts_per_shard": options.texts_per_shard,
        "part": (part.index, part.count) if part is not None else None,
        "patience": options.patience,
        "progress": not options.quiet,
    }
    what = (options.corpus, options.hooks, options.out)
    if options.ray is not None:
        connect = commands.connection(options)
        return bulk_on_ray(options.server, *what, workers=options.ray, connect=connect, **asked)
    with commands.connect(options) as client:
        return bulk(client, *what, **asked)


if __name__ == "__main__":
    sys.exit(main())
