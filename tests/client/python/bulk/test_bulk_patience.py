"""A server that is gone for a while."""

import pytest
from python_client import hp

from hydrophone.bulk.patience import Patience


class Time:
    """A clock that only sleeping moves."""

    def __init__(self):
        self.now, self.slept = 0.0, []

    def sleep(self, seconds):
        self.now += seconds
        self.slept.append(seconds)


def ask(patience, time, answers):
    """Asks for answers, exceptions among them, one after the other."""
    left = iter(answers)

    def operation():
        answer = next(left)
        if isinstance(answer, Exception):
            raise answer
        return answer
        yield

    asking = Patience(patience, clock=lambda: time.now, sleep=time.sleep).ask(operation)
    with pytest.raises(StopIteration) as ended:
        next(asking)
    return ended.value.value


@pytest.mark.parametrize("kind", [hp.Unavailable, hp.Busy, hp.DeadlineExceeded, hp.DamagedStream])
def test_a_server_that_comes_back_is_asked_again(kind):
    time = Time()
    assert ask(60, time, [kind("gone")] * 10 + ["answer"]) == "answer"
    assert time.slept[:3] == [0.1, 0.2, 0.4] and max(time.slept) == 2.0


def test_patience_has_an_end():
    time = Time()
    with pytest.raises(hp.Unavailable, match="no answer, tried for 60 s: gone"):
        ask(60, time, [hp.Unavailable("gone")] * 1000)
    assert 58 < time.now <= 60


def test_what_will_not_be_otherwise_is_not_asked_again():
    time = Time()
    for error in (hp.InvalidArgument("bad"), hp.Cancelled("cancelled"), hp.AccessDenied("no")):
        with pytest.raises(type(error)):
            ask(60, time, [error, "answer"])
    assert time.slept == []
