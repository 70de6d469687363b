"""The loop of a peer's process: a line of JSON in, a line of JSON out."""

import json
import os
import sys
import time


def device():
    """What every contender computes on, as torch names it. What is delivered is in the host's memory."""
    return os.environ["HYDROPHONE_BENCH_DEVICE"]


def serve(operations, ready=None):
    """Answers {"do": NAME, ...} with what operations[NAME](...) gives, until the input ends. Says `ready` first."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print must not come between the answers

    def answer(value):
        answers.write(json.dumps(value) + "\n")
        answers.flush()

    answer(ready or {})
    for line in sys.stdin:
        question = json.loads(line)
        answer(operations[question.pop("do")](**question))


def timed(work):
    """{"seconds": wall time of work()}. Its result is freed outside of it."""
    begun = time.perf_counter()
    result = work()
    seconds = time.perf_counter() - begun
    del result
    return {"seconds": seconds}
