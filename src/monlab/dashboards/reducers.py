"""One number for a series, as Grafana computes it. Values are floats; NaN stands for null and is left out, as Grafana does by default."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np

Reducer = Callable[[np.ndarray], float]  # of all values, then of those that are there
NOTHING = float("nan")
EMPTY = {"sum": 0.0, "count": 0.0, "allIsNull": 1.0}  # of a series without samples
NO_VALUE = {**EMPTY, **dict.fromkeys(("delta", "diffperc", "variance", "stdDev", "changeCount", "distinctCount"), 0.0)}


def reduce(values: np.ndarray, reducer: str) -> float:
    """The value of a reducer id, NaN when there is none. An unknown reducer is read as the last value."""
    known = REDUCERS.get(reducer, REDUCERS["lastNotNull"])
    there = values[~np.isnan(values)]
    if reducer == "countAll":
        return float(len(values))
    if reducer in ("first", "last"):
        return float(values[0 if reducer == "first" else -1]) if len(values) else NOTHING
    if not len(there):
        return (NO_VALUE if len(values) else EMPTY).get(reducer, NOTHING)
    return known(there)


def _delta(values: np.ndarray) -> float:
    """What a counter grew by: a fall is a reset, and the first rise after it does not count."""
    total, rising = 0.0, True
    for before, now in pairwise(values):
        if before > now:
            rising = False
            continue
        total += float(now - before) if rising else 0.0
        rising = True
    return total


def _step(values: np.ndarray) -> float:
    return float(np.diff(values).min()) if len(values) > 1 else NOTHING


def _diffperc(values: np.ndarray) -> float:
    if values[0] == 0:
        return NOTHING if values[-1] == 0 else float(np.sign(values[-1]) * np.inf)
    return float((values[-1] - values[0]) / values[0] * 100)


def _percentile(share: float) -> Reducer:
    """The sample at the rounded place (halves upward), not a value between two samples."""
    return lambda values: float(np.sort(values)[int(np.floor((len(values) - 1) * share + 0.5))])


def _above_zero(values: np.ndarray) -> float:
    above = values[values > 0]
    return float(above.min()) if len(above) else float(np.finfo(float).max)


REDUCERS: dict[str, Reducer] = {
    "lastNotNull": lambda values: float(values[-1]),
    "firstNotNull": lambda values: float(values[0]),
    "first": lambda values: float(values[0]),
    "last": lambda values: float(values[-1]),
    "min": lambda values: float(values.min()),
    "max": lambda values: float(values.max()),
    "mean": lambda values: float(values.sum() / len(values)),
    "median": lambda values: float(np.median(values)),
    "variance": lambda values: float(values.var()),
    "stdDev": lambda values: float(values.std()),
    "sum": lambda values: float(values.sum()),
    "count": lambda values: float(len(values)),
    "countAll": lambda values: float(len(values)),
    "range": lambda values: float(values.max() - values.min()),
    "delta": _delta,
    "step": _step,
    "diff": lambda values: float(values[-1] - values[0]),
    "diffperc": _diffperc,
    "logmin": _above_zero,
    "allIsZero": lambda values: float(not values.any()),
    "allIsNull": lambda values: 0.0,
    "changeCount": lambda values: float(np.count_nonzero(np.diff(values))),
    "distinctCount": lambda values: float(len(np.unique(values))),
    **{f"p{number}": _percentile(number / 100) for number in range(1, 100)},
}
