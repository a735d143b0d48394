"""LogQL over the archived month: numbers at instants, or the lines of a window."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from monlab.grading import asking
from monlab.grading.check import Rejects, fenced, pairs
from monlab.grading.instants import Instants, Stretch, Window
from monlab.grading.query import QueryCheck
from monlab.grading.results import TOLERANCE

__all__ = ["logql"]


@dataclass(frozen=True, kw_only=True)
class LogQLCheck(QueryCheck):
    """A question that a LogQL query answers."""

    archive: ClassVar[asking.Archive] = asking.logs
    wants: ClassVar[str] = "a LogQL query, as a text"


def logql(
    id: str,
    *,
    reference: str,
    at: Instants | Window,
    accepts: Iterable[str],
    rejects: Rejects,
    hints: Iterable[str],
    solution: str = "",
    tolerance: float = TOLERANCE,
) -> LogQLCheck:
    """A question that a LogQL query answers: `at` instants for numbers (`rate(...)`), or in a window for lines, fewer than 5,000."""
    return LogQLCheck(
        id=id,
        reference=reference,
        at=_whole(at) if isinstance(at, Window) else _aligned(at),
        accepts=tuple(accepts),
        rejects=pairs(rejects),
        hints=tuple(hints),
        solution=solution or fenced(reference, "logql"),
        tolerance=tolerance,
    )


def _whole(window: Window) -> Instants:
    return Instants((Stretch(window.start, window.end, window.end - window.start),))


def _aligned(instants: Instants) -> Instants:
    """Stretches that begin at a multiple of their step since 1970. Loki moves others there, and would say nothing."""
    return Instants(tuple(_moved(one) for one in instants.stretches))


def _moved(stretch: Stretch) -> Stretch:
    start = -(-stretch.start // stretch.step) * stretch.step
    return Stretch(start, max(start, stretch.end // stretch.step * stretch.step), stretch.step)
