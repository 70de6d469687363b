"""Every hook point against Hugging Face on the same device in float32, and against float64 on the CPU."""

import collections

import hugging_face
import numpy as np
import points as parity  # tests/parity/points.py
import torch
from setting import DEFAULT

LENGTHS, SHORT_LENGTHS = (1, 19, 160), (1, 19)


class Worst:
    """The largest difference of each kind of point, as a share of the tensor's largest value."""

    def __init__(self):
        self.by_kind = collections.defaultdict(float)

    def see(self, ours, theirs):
        for name, array in ours.items():
            kind = parity.kind_of(name)
            self.by_kind[kind] = max(self.by_kind[kind], hugging_face.relative_difference(array, theirs[name]))

    def report(self, findings, what, checked=True):
        over = [kind for kind, value in self.by_kind.items() if not value <= parity.allowed_of(kind)]
        kind = max(self.by_kind, key=lambda kind: self.by_kind[kind] / parity.allowed_of(kind))
        value, beside = f"{self.by_kind[kind]:.2e}", f"{kind}, allowed {parity.allowed_of(kind):g}"
        if checked:
            findings.check(what, value, not over, beside)
        else:
            findings.figure(what, value, kind)
        findings.detail(what, dict(self.by_kind))


def compare(setting, findings, name):
    client = setting.client(setting.server(name, parity.ROOM))
    theirs = setting.hugging_face(name, device=setting.device)
    exact = setting.hugging_face(name, dtype=torch.float64)
    same_device, ours_exact, theirs_exact = Worst(), Worst(), Worst()
    random, points = np.random.default_rng(0), 0
    for length in SHORT_LENGTHS if setting.short else LENGTHS:
        ids = random.integers(0, 50257, size=length).tolist()
        expected, reference = parity.expected_values(theirs, ids), parity.expected_values(exact, ids)
        inputs = [client.pb.Input(token_ids=ids)]
        ours = client.extract(inputs=inputs, hook_points=sorted(expected)).by_run()[0]
        points = len(ours)
        same_device.see(ours, expected)
        ours_exact.see(ours, reference)
        theirs_exact.see(expected, reference)
    same_device.report(findings, f"{name}: {points} points, Hugging Face, {setting.device}")
    ours_exact.report(findings, f"{name}: the same, float64 on the CPU")
    theirs_exact.report(findings, f"{name}: Hugging Face, float64 on the CPU", checked=False)


def run(setting, findings):
    torch.set_float32_matmul_precision("highest")  # no TF32
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    torch.set_num_threads(setting.threads)
    for name in dict.fromkeys((DEFAULT, setting.main_model)):
        compare(setting, findings, name)
