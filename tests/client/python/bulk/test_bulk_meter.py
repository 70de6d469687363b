"""Progress of a bulk job."""

import io

import pytest
import python_client  # noqa: F401

from hydrophone.bulk import meter


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_line_has_speed_bytes_and_the_time_left():
    clock = Clock()
    made = meter.Meter(4096, 1024, shown=False, clock=clock)
    clock.now += 10
    made.add(1024, 128_000, 1_500_000_000)
    assert made.line() == "2,048 of 4,096 texts, 12,800 tokens/s, 1.5 GB, 0:20 left"


def test_nothing_is_known_before_the_first_shard():
    assert meter.Meter(10, 0, shown=False, clock=Clock()).line() == "0 of 10 texts, 0 tokens/s, 0 B, 0:00 left"


@pytest.mark.parametrize("out, written", [(io.StringIO(), 3), (Terminal(), 5)])
def test_lines_come_now_and_then_and_at_the_end(out, written):
    clock = Clock()
    made = meter.Meter(6, 0, out=out, clock=clock)
    for seconds in (0.1, 31, 1, 31, 1, 0.1):
        clock.now += seconds
        made.add(1, 1, 1)
    lines = [line for line in out.getvalue().replace("\r", "\n").split("\n") if line]
    assert len(lines) == written and lines[-1].startswith("6 of 6 texts"), lines
    assert out.getvalue().endswith("\n")


def test_none_come_where_they_are_not_wanted(capsys):
    made = meter.Meter(1, 0, shown=False)
    made.add(1, 1, 1)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("count, said", [(999, "999 B"), (1536, "1.54 kB"), (2e13, "20 TB")])
def test_sizes(count, said):
    assert meter.size(count) == said


def test_hours():
    clock = Clock()
    made = meter.Meter(3, 0, shown=False, clock=clock)
    clock.now += 3661
    made.add(1, 1, 1)
    assert made.line().endswith("2:02:02 left")
