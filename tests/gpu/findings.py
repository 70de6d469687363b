"""What a part of the kit found: rows of the table, and whether it is as it must be."""

import dataclasses

WIDTHS = (13, 48, 22)  # of the table's first columns; the last takes what is left


@dataclasses.dataclass
class Row:
    what: str
    value: str
    beside: str = ""  # what is allowed, or what a peer has
    passed: bool | None = None  # None: a figure, which nothing is asked of


class Findings:
    def __init__(self):
        self.rows, self.details = [], {}

    def figure(self, what, value, beside=""):
        self.rows.append(Row(what, value, beside))

    def check(self, what, value, passed, beside=""):
        self.rows.append(Row(what, value, beside, bool(passed)))

    def at_most(self, what, value, allowed):
        """Passed when the value is a number no larger than what is allowed."""
        self.check(what, f"{value:.2e}", value <= allowed, f"allowed {allowed:g}")

    def detail(self, name, values):
        """For the JSON alone."""
        self.details[name] = values

    def as_json(self):
        return {"rows": [dataclasses.asdict(row) for row in self.rows], "details": self.details}


def _line(*cells):
    return "  ".join(f"{cell:{width}}" for cell, width in zip(cells, WIDTHS, strict=False)) + "  " + cells[-1]


def _mark(row):
    return {None: "", True: "ok", False: "FAILED"}[row["passed"]]


def table(parts):
    """The parts' rows, of the JSON's form, as text."""
    lines = [_line("part", "what", "measured", "beside")]
    for name, part in parts.items():
        if part["status"] != "done":
            lines.append(_line(name, part["status"].upper(), f"after {part['seconds']:.0f} s", part["reason"]))
        for row in part["rows"]:
            end = "  ".join(filter(None, (row["beside"], _mark(row))))
            lines.append(_line(name, row["what"], row["value"], end).rstrip())
    return "\n".join(lines)
