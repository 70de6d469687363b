"""The bits that the numeric contract (server/model/kernels/cpu/README.md) gives on the default model, by digests.

They are the same on every CPU with fused multiply-add. A change that gives other bits raises kNumericContract and
writes contract.json again, with HYDROPHONE_TEST_WRITE_CONTRACT=1; a change that does not mean to has a fault.
"""

import collections
import hashlib
import json
import os
import pathlib

import numpy as np
import points
import pytest
from capture_digest import requests

CONTRACT = pathlib.Path(__file__).with_name("contract.json")


def bits(extraction):
    """{kind of point: digest} of all captured bytes, and of the scores' numbers."""
    digests = collections.defaultdict(hashlib.sha256)
    for info, array in sorted(extraction.tensors, key=lambda tensor: (tensor[0].name, list(tensor[0].runs))):
        digests[points.kind_of(info.name)].update(array.tobytes())
    for score in extraction.scores():
        digests["scores"].update(np.array([score.value, score.logprob], "<f4").tobytes())
    for values in extraction.values:
        for part in ("comparison", "summary"):
            digests[part].update(getattr(values, part).SerializeToString(deterministic=True))
    return {kind: sha.hexdigest()[:16] for kind, sha in sorted(digests.items())}


def test_the_contract_gives_the_bits_that_it_gave(server, api):
    with api.connect(server.address) as client:
        numerics = client.model().compute.numerics
        if "rounded" in numerics or "contract" not in numerics:
            pytest.skip(f"{numerics}: bits of its own")
        found = {part: bits(client.extract(**fields)) for part, fields in requests(client)}
    if os.environ.get("HYDROPHONE_TEST_WRITE_CONTRACT"):
        CONTRACT.write_text(json.dumps({"numerics": numerics, "digests": found}, indent=1) + "\n")
    contract = json.loads(CONTRACT.read_text())
    assert numerics == contract["numerics"], "the bits of another contract are on record"
    changed = [
        f"{part}: {kind}"
        for part, kinds in contract["digests"].items()
        for kind, digest in kinds.items()
        if found[part].get(kind) != digest
    ]
    assert changed == [], "other bits than the contract's"
    unrecorded = {part: kinds.keys() - contract["digests"][part].keys() for part, kinds in found.items()}
    assert not any(unrecorded.values()), f"not on record: {unrecorded}"
