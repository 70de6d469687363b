"""Contenders in turn, round by round, so that drift of the machine hits all alike; medians and the spread."""

import dataclasses
import statistics
import sys
import time

LEAST_SECONDS = 0.3  # that a contender runs in a round; short ones run more than once
MOST_RUNS = 20


@dataclasses.dataclass
class Samples:
    """One figure of one contender, a value a round."""

    values: list

    @property
    def median(self):
        return statistics.median(self.values)

    @property
    def low(self):
        return min(self.values)

    @property
    def high(self):
        return max(self.values)

    def map(self, function):
        return Samples([function(value) for value in self.values])


class Progress:
    """One line a step on stderr, with the seconds since the start."""

    def __init__(self):
        self._begun = time.monotonic()

    def say(self, text):
        print(f"[{time.monotonic() - self._begun:5.0f}s] {text}", file=sys.stderr, flush=True)


def seconds_of(work):
    """A contender out of a function that does the work: {"seconds": its wall time}."""

    def run():
        begun = time.perf_counter()
        work()
        return {"seconds": time.perf_counter() - begun}

    return run


def _one_round(contender):
    """The median of each figure over as many runs as fill LEAST_SECONDS."""
    runs, begun = [], time.perf_counter()
    while True:
        runs.append(contender())
        if time.perf_counter() - begun >= LEAST_SECONDS or len(runs) == MOST_RUNS:
            return {figure: statistics.median(run[figure] for run in runs) for figure in runs[0]}


def in_turn(contenders, rounds, progress, what, warm_ups=None):
    """Runs {name: function that gives {figure: value}}; gives {name: {figure: Samples}}.

    Each warms up once, unmeasured: by warm_ups[name] where given, else as it will run.
    """
    names = list(contenders)
    rows = {name: [] for name in names}
    for name in names:
        progress.say(f"{what}: warming up {name}")
        (warm_ups or contenders)[name]()
    for number in range(rounds):
        progress.say(f"{what}: round {number + 1} of {rounds}")
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:
            rows[name].append(_one_round(contenders[name]))
    return {name: {figure: Samples([row[figure] for row in rows[name]]) for figure in rows[name][0]} for name in names}
