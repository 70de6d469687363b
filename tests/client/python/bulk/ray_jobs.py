"""Bulk jobs as Ray pipelines on a cluster of this machine's.

Usage: ray_jobs.py < JSON, a list of bulk_on_ray's keyword arguments; writes for each what was made, or the error, as
JSON. The corpus is a list, or the path of a file of lines.
"""

import json
import pathlib
import sys

import ray

import hydrophone as hp


def carry_out(arguments):
    if isinstance(arguments["corpus"], str):
        arguments["corpus"] = pathlib.Path(arguments["corpus"])
    try:
        done = hp.bulk_on_ray(**arguments, progress=False)
    except hp.HydrophoneError as error:
        return {"error": type(error).__name__, "argument": getattr(error, "argument", ""), "said": str(error)}
    return {"shards": len(done.shards), "texts": done.texts, "rows": done.rows}


def main():
    jobs = json.load(sys.stdin)
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, object_store_memory=100 << 20)
    json.dump([carry_out(arguments) for arguments in jobs], sys.stdout)


if __name__ == "__main__":
    main()
