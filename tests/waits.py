"""Polling for what takes its time."""

import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import requests


def wait_for(clone, query: str, seconds: float = 30) -> None:
    """Polls until a query has an answer."""
    until(lambda: clone.query(query), seconds, f"{query} has an answer")


def until(condition: Callable[[], Any], seconds: float = 15, what: object = "") -> Any:
    """Polls until the condition holds, through services that are away for a moment; returns its answer."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            answer = condition()
        except (requests.RequestException, json.JSONDecodeError):
            answer = None
        if answer:
            return answer
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what or condition}"
        time.sleep(0.05)


LOOP_SECONDS = 0.06  # on the machine where the limits of these tests were measured, with nothing else to do
WORK = """
import time
def work():
    start, total = time.monotonic(), 0
    for number in range(1_000_000):
        total += number
    return time.monotonic() - start
print(sorted(work() for _ in range(5))[2])
"""


def slower() -> float:
    """How many times longer this machine takes now for a fixed piece of work than the one where limits were measured; 1 at least.

    Each core does that work at once: what is measured uses them all, and another program may keep one of them.
    """
    command = [sys.executable, "-c", WORK]
    workers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(os.cpu_count() or 1)]
    return max(1.0, *(float(one.communicate()[0]) / LOOP_SECONDS for one in workers))


def in_time(took: float, seconds: float) -> bool:
    """Whether something took less than `seconds`, or than that would be on a machine as slow, or as busy, as this one is now."""
    return took < seconds or took < seconds * slower()


def quickest(once: Callable[[], Any], within: float, before: Callable[[], Any] = lambda: None, tries: int = 3) -> float:
    """How many seconds it takes at best, without what is done `before`; done again where it took longer than `within`, for others
    may use the machine, too."""
    best = math.inf
    for _ in range(tries):
        before()
        start = time.monotonic()
        once()
        best = min(best, time.monotonic() - start)
        if best < within:
            break
    return best
