"""Results of a query at fixed instants, as arrays that can be compared. Pure functions of parsed JSON."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from monlab.grading.instants import Instants, Stretch

TOLERANCE = 1e-6  # relative; dividing by the good requests instead of all of them may be off by one percent only
Labels = tuple[tuple[str, str], ...]  # sorted by name
DETAILS = re.compile(r"^\d+:\d+: |\{[^}]*\}|\[[^\]]*\]|\d+")  # places, labels and numbers in a server's message


@dataclass(frozen=True)
class Result:
    """Series of a query: the metric's name is left out, unless only names tell series apart."""

    labels: tuple[Labels, ...]  # sorted
    values: np.ndarray  # series x instants; anything where `present` is False
    present: np.ndarray  # series x instants, bool

    @property
    def empty(self) -> bool:
        return not self.labels

    @property
    def label_names(self) -> tuple[str, ...]:
        return tuple(sorted({name for labels in self.labels for name, _ in labels}))


@dataclass(frozen=True)
class Refusal:
    """A server's refusal of a query."""

    message: str  # what the server said
    sentence: str  # the same for a learner, with the place in the query

    @property
    def kind(self) -> str:
        """The refusal without the names and numbers of one query."""
        return DETAILS.sub("", self.message).strip()


@dataclass(frozen=True)
class Lines:
    """Log lines that a query selects."""

    ids: tuple[str, ...]  # sorted fingerprints of time and text


Outcome = Result | Refusal | Lines


def lines(values: Iterable[list[str]]) -> Lines:
    """Loki's `[time, line]` pairs, whatever stream they came in."""
    return Lines(tuple(sorted(hashlib.sha256(f"{value[0]} {value[1]}".encode()).hexdigest()[:16] for value in values)))


def result(answers: Iterable[list[dict[str, Any]]], instants: Instants) -> Result:
    """Matrix answers, one for each stretch of the instants, as one result."""
    found: dict[Labels, list[tuple[int, Stretch, list[list[Any]]]]] = {}
    offset = 0
    for stretch, series in zip(instants.stretches, answers, strict=True):
        for one in series:
            found.setdefault(tuple(sorted(one["metric"].items())), []).append((offset, stretch, one.get("values", [])))
        offset += stretch.count
    names = [_without_name(labels) for labels in found]
    keys = names if len(set(names)) == len(names) or _one_metric_at_a_time(found, names) else list(found)
    order = sorted(set(keys))
    rows = {labels: row for row, labels in enumerate(order)}
    values, present = np.zeros((len(order), offset)), np.zeros((len(order), offset), bool)
    for key, parts in zip(keys, found.values(), strict=True):
        for first, stretch, points in parts:
            if points:
                columns = first + np.rint((np.array([point[0] for point in points]) - stretch.start) / stretch.step).astype(int)
                values[rows[key], columns] = np.array([point[1] for point in points], float)
                present[rows[key], columns] = True
    return Result(tuple(order), values, present)


def _without_name(labels: Labels) -> Labels:
    return tuple(pair for pair in labels if pair[0] != "__name__")


def _one_metric_at_a_time(found: dict[Labels, list[tuple[int, Stretch, list[list[Any]]]]], names: list[Labels]) -> bool:
    """Whether series that differ by their metric's name alone never stand at the same instant (`a or b`)."""
    seen: set[tuple[Labels, float]] = set()
    for name, parts in zip(names, found.values(), strict=True):
        for _, _, points in parts:
            mine = {(name, point[0]) for point in points}
            if mine & seen:
                return False
            seen |= mine
    return True


def close(mine: np.ndarray, wanted: np.ndarray, tolerance: float) -> np.ndarray:
    """Where two arrays agree: NaN with NaN, infinity with infinity. What is nothing beside the largest value counts as 0."""
    sizes = np.abs(wanted[np.isfinite(wanted)])
    nothing = 1e-12 * (sizes.max() if sizes.size else 0.0)
    return np.isclose(mine, wanted, rtol=tolerance, atol=nothing, equal_nan=True)


def guarded(wanted: Result, mine: Outcome) -> Result:
    """What is wanted, without the NaN that `mine` leaves out: not to divide nothing by nothing (`> 0`) is no mistake."""
    if not isinstance(mine, Result):
        return wanted
    rows = {labels: row for row, labels in enumerate(mine.labels)}
    theirs = np.array([mine.present[rows[one]] if one in rows else np.zeros_like(present) for one, present in _rows(wanted)])
    if not theirs.size:
        return wanted
    present = wanted.present & (theirs | ~np.isnan(wanted.values))
    left = present.any(axis=1) | np.array([one in rows for one in wanted.labels])
    return Result(tuple(one for one, stays in zip(wanted.labels, left, strict=True) if stays), wanted.values[left], present[left])


def _rows(result: Result) -> Iterable[tuple[Labels, np.ndarray]]:
    return zip(result.labels, result.present, strict=True)


def same(mine: Outcome, other: Outcome, tolerance: float = TOLERANCE) -> bool:
    """Whether two queries came to the same. Two refusals are the same when the server complains of the same thing."""
    if isinstance(mine, Refusal) or isinstance(other, Refusal):
        return isinstance(mine, Refusal) and isinstance(other, Refusal) and mine.kind == other.kind
    if isinstance(mine, Lines) or isinstance(other, Lines):
        return mine == other
    if mine.labels != other.labels or not np.array_equal(mine.present, other.present):
        return False
    seen = mine.present
    return bool(close(mine.values[seen], other.values[seen], tolerance).all())
