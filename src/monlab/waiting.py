"""Waiting for something to become true, by asking again and again until a deadline."""

import inspect
import time
from collections.abc import Callable
from typing import Any

from monlab.problem import LabProblem

PAUSE_SECONDS = 0.25


def wait_until(condition: Callable[[], Any], seconds: float = 30, what: str = "") -> str:
    """Asks `condition()` until it is true; returns a line that says how long that took.

    A LabProblem raised by the condition counts as "not yet". Raises LabProblem at the deadline, naming the condition and
    the last problem it met.
    """
    start = time.monotonic()
    problem: LabProblem | None = None
    while (waited := time.monotonic() - start) < seconds:
        try:
            if _true(condition()):
                return f"after {waited:.1f} s"
            problem = None
        except LabProblem as error:
            problem = error
        time.sleep(PAUSE_SECONDS)
    reason = f" The last answer was: {problem}" if problem else ""
    raise LabProblem(f"Not true after {seconds:.0f} s: {what or _source(condition)}.{reason}")


def poll(condition: Callable[[], Any], seconds: float) -> Any:
    """The first true answer of `condition()`, or its last one when the time is over."""
    deadline = time.monotonic() + seconds
    while not (answer := condition()) and time.monotonic() < deadline:
        time.sleep(PAUSE_SECONDS)
    return answer


def _true(answer: Any) -> bool:
    """Truth of a number, a frame (not empty) or a numpy boolean."""
    return not answer.empty if hasattr(answer, "empty") else bool(answer)


def _source(condition: Callable[[], Any]) -> str:
    try:
        text = inspect.getsource(condition).strip()
    except (OSError, TypeError):
        return "the condition"
    return " ".join(text.partition("lambda:")[2].split()) or text
