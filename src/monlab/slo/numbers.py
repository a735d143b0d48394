"""Numbers and moments as people hand them in: plain ones come out, anything else is refused with the way out."""

import math
import numbers
import reprlib
from collections.abc import Collection
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

import pandas as pd

from monlab.problem import LabProblem

_repr = reprlib.Repr()
_repr.maxlevel, _repr.maxlist, _repr.maxdict, _repr.maxstring, _repr.maxother = 2, 3, 3, 60, 60

NOISE = 1e-9  # sums of the same numbers in another order may differ by as little
MISSING = "data is missing. Find out why the query has no answer; missing data is not 100 %."


def shown(value: Any) -> str:
    """A value in a sentence, however large it is: a YAML file of a page may stand for a billion words."""
    return " ".join(_repr.repr(value).split())


def rounded(percent: float, digits: int, never: Collection[float] = (0,)) -> str:
    """A percentage with `digits` behind the point; with more when it would else be printed as one of `never` that it is not."""
    while digits < 12 and round(percent, digits) in never and percent not in never:
        digits += 1
    return f"{percent:.{digits}f}"


def plain(value: Any, what: str) -> float:
    """A finite number as Python's own, a fraction as it is. Raises LabProblem for missing data, text, a truth value, a whole series."""
    if value is None or value is pd.NA:
        raise LabProblem(f"{what} is missing: {MISSING}")
    if isinstance(value, str | bytes):
        raise LabProblem(f"{what} is the text {shown(value)}. Hand in a number, without quotes: float(...) reads one.")
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise LabProblem(f"{what} is {shown(value)}, which is no number. Hand in one number, as in 42.")
    if not math.isfinite(value):
        raise LabProblem(f"{what} is {float(value)}: {MISSING}")
    if isinstance(value, Fraction):
        return value  # type: ignore[return-value]  # exact, and it behaves as a float
    return int(value) if isinstance(value, numbers.Integral) else float(value)


def at_least(least: float, value: Any, what: str, hint: str) -> float:
    """The same, not below `least`; `hint` is a sentence with the way out."""
    found = plain(value, what)
    if found < least:
        raise LabProblem(f"{what} is {float(found):.15g}, below {least:g}. {hint}")
    return found


def whole(value: Any, what: str, hint: str, least: int = 1) -> int:
    """A whole number, not below `least`."""
    found = at_least(least, value, what, hint)
    if found != int(found):
        raise LabProblem(f"{what} is {float(found):.15g}, which is not whole. {hint}")
    return int(found)


def moment(value: Any, what: str) -> datetime:
    """A moment in UTC; one that names no zone is taken to be in UTC. Raises LabProblem for anything else."""
    stamp = None
    if isinstance(value, datetime | str) and value is not pd.NaT:
        stamp = pd.to_datetime(value, errors="coerce")
    if stamp is None or pd.isna(stamp):
        raise LabProblem(
            f'{what} is {shown(value)}, which is no moment. Write it as archive.at(15, "09:30"), or "2026-06-15 09:30".'
        )
    aware = stamp.tz_localize(UTC) if stamp.tzinfo is None else stamp.tz_convert(UTC)
    found: datetime = aware.to_pydatetime()
    return found
