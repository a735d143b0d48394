"""PromQL over the archived month."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from monlab.grading import asking
from monlab.grading.check import Rejects, fenced, pairs
from monlab.grading.instants import Instants
from monlab.grading.query import QueryCheck
from monlab.grading.results import TOLERANCE

__all__ = ["promql"]


@dataclass(frozen=True, kw_only=True)
class PromQLCheck(QueryCheck):
    """A question that a PromQL query answers."""

    archive: ClassVar[asking.Archive] = asking.metrics
    wants: ClassVar[str] = "a PromQL query, as a text"


def promql(
    id: str,
    *,
    reference: str,
    at: Instants,
    accepts: Iterable[str],
    rejects: Rejects,
    hints: Iterable[str],
    solution: str = "",
    tolerance: float = TOLERANCE,
) -> PromQLCheck:
    """A question that a PromQL query answers. `solution` defaults to the reference."""
    return PromQLCheck(
        id=id,
        reference=reference,
        at=at,
        accepts=tuple(accepts),
        rejects=pairs(rejects),
        hints=tuple(hints),
        solution=solution or fenced(reference, "promql"),
        tolerance=tolerance,
    )
