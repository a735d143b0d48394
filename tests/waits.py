"""Polling for what takes its time."""

import json
import math
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
