"""Reads a server's /metrics, and waits for what they will say."""

import re
import time
import urllib.request

PATIENCE_SECONDS = 60


def read(address):
    """{(name, frozenset of label="value"): number} of a scrape."""
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=30) as page:
        text = page.read().decode()
    series = {}
    for line in text.splitlines():
        if found := re.match(r"(\w+)(?:\{(.*)\})? (\S+)$", line):
            labels = re.findall(r'(\w+="(?:[^"\\]|\\.)*")', found[2] or "")
            series[found[1], frozenset(labels)] = float(found[3])
    return series


class Metrics:
    """The series of one server."""

    def __init__(self, address):
        self._address = address

    def value(self, name, **labels):
        return read(self._address)[name, frozenset(f'{key}="{value}"' for key, value in labels.items())]

    def await_value(self, name, wanted, **labels):
        """Reads until wanted(value); gives the value."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            value = self.value(name, **labels)
            if wanted(value):
                return value
            assert time.monotonic() < deadline, f"{name} stayed at {value}"
