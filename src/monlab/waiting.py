"""Waiting for something to become true, by asking again and again until a deadline."""

import inspect
import time
from collections.abc import Callable
from typing import Any

from monlab.problem import LabProblem, NotUp

PAUSE_SECONDS = 0.25
NEXT = "See with `stack.status()`, or `./lab status`, whether all servers are up; then run the section's cells again."


def wait_until(condition: Callable[[], Any], seconds: float = 30, what: str = "") -> str:
    """Asks `condition()` until it is true; returns a line that says how long that took.

    A LabProblem raised by the condition counts as "not yet": a server that starts does not answer at once. A service that is not
    up at all (NotUp) ends the waiting. Raises LabProblem at the deadline, naming the condition and the last problem it met.
    """
    start = time.monotonic()
    problem: LabProblem | None = None
    while (waited := time.monotonic() - start) < seconds:
        try:
            if _true(condition()):
                return f"after {waited:.1f} s"
            problem = None
        except NotUp:
            raise
        except LabProblem as error:
            problem = error
        time.sleep(PAUSE_SECONDS)
    reason = f"The last answer was: {problem}" if problem else NEXT
    raise LabProblem(f"Not true after {seconds:.0f} s: {what or _source(condition)}. {reason}")


def poll(condition: Callable[[], Any], seconds: float, pause: float = PAUSE_SECONDS) -> Any:
    """The first true answer of `condition()`, or its last one when the time is over."""
    deadline = time.monotonic() + seconds
    while not (answer := condition()) and time.monotonic() < deadline:
        time.sleep(pause)
    return answer


def _true(answer: Any) -> bool:
    """Truth of a number, a frame (not empty) or a numpy boolean."""
    return not answer.empty if hasattr(answer, "empty") else bool(answer)


def _source(condition: Callable[[], Any]) -> str:
    """What a lambda computes, as it was written; else the name. The compiler knows where that begins and ends, whatever stands around."""
    code = getattr(condition, "__code__", None)
    name = getattr(condition, "__name__", "")
    if code is None or name != "<lambda>":
        return f"{name}()" if name else "the condition"
    places = [one for one in code.co_positions() if None not in one and one[2] != one[3]]
    try:
        lines = [line.encode() for line in inspect.findsource(code)[0]]  # columns count bytes
        (first, begins), (last, ends) = min((a, c) for a, _b, c, _d in places), max((b, d) for _a, b, _c, d in places)
        text = b"".join(lines[first - 1 : last])
        text = text[begins : len(text) - len(lines[last - 1]) + ends]
        return " ".join(text.decode().split()) or "the condition"
    except (OSError, TypeError, ValueError, IndexError):
        return "the condition"
