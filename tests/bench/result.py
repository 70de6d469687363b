"""What a benchmark found: figures, verdicts against the targets, a chart."""

import dataclasses

from measure import Samples


@dataclasses.dataclass
class Figure:
    """One bar of a chart, or one point of a line."""

    case: str
    contender: str
    value: float  # median over the rounds
    low: float
    high: float
    unit: str
    samples: list


@dataclasses.dataclass
class Verdict:
    """A ratio beside its target."""

    what: str
    ratio: float
    target: float
    at_least: bool  # else: at most

    @property
    def met(self):
        return self.ratio >= self.target if self.at_least else self.ratio <= self.target


@dataclasses.dataclass
class Result:
    name: str
    title: str
    chart: str  # "bars": a group a case, a bar a contender; "lines": cases along x, a line a contender
    x_label: str = ""
    figures: list = dataclasses.field(default_factory=list)
    verdicts: list = dataclasses.field(default_factory=list)
    notes: list = dataclasses.field(default_factory=list)
    uncharted: set = dataclasses.field(default_factory=set)  # units that the chart leaves out

    def add(self, case, contender, samples: Samples, unit):
        self.figures.append(
            Figure(str(case), contender, samples.median, samples.low, samples.high, unit, samples.values)
        )

    def at_least(self, what, ratio, target):
        self.verdicts.append(Verdict(what, ratio, target, True))

    def at_most(self, what, ratio, target):
        self.verdicts.append(Verdict(what, ratio, target, False))

    def to_json(self, machine):
        return {
            "name": self.name,
            "title": self.title,
            "chart": self.chart,
            "x_label": self.x_label,
            "uncharted": sorted(self.uncharted),
            "figures": [dataclasses.asdict(figure) for figure in self.figures],
            "verdicts": [{**dataclasses.asdict(verdict), "met": verdict.met} for verdict in self.verdicts],
            "notes": self.notes,
            "machine": machine,
        }


def from_json(data):
    """A result that was written before."""
    result = Result(data["name"], data["title"], data["chart"], data["x_label"])
    result.uncharted = set(data["uncharted"])
    result.figures = [Figure(**figure) for figure in data["figures"]]
    result.verdicts = [
        Verdict(**{key: value for key, value in verdict.items() if key != "met"}) for verdict in data["verdicts"]
    ]
    result.notes = data["notes"]
    return result
