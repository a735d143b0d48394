"""Numbers, with units if the learner likes. Slips between units are recognised, whatever the question."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import partial
from numbers import Real
from typing import Any, ClassVar

import numpy as np

from monlab.grading import asking
from monlab.grading.check import Check, Rejects, pairs
from monlab.grading.instants import Instants, moment
from monlab.grading.results import Result
from monlab.grading.units import dimension_of, quantity
from monlab.grading.verdict import Verdict

__all__ = ["measured", "number"]


@dataclass(frozen=True)
class Measured:
    """A number that the archive tells: a query with one series, at one instant, times a factor."""

    query: str
    at: Instants
    times: float = 1.0

    def value(self) -> float:
        found = asking.metrics.kept(self.query, self.at)
        if not isinstance(found, Result) or found.present.shape != (1, 1) or not found.present[0, 0]:
            raise ValueError(f"One value was wanted: {self.query}")
        return float(found.values[0, 0]) * self.times


def measured(query: str, *, at: str, times: float = 1.0) -> Measured:
    """What `query` gives at a time of the month (`2026-06-16 00:00`), times a factor: 100 for a share in percent."""
    return Measured(query, moment(at), times)


Expected = float | Measured | Callable[[], float]
# How many times too large an answer is -> the slip behind it. The first that fits counts; exact steps come before near ones.
# A unit of one dimension has the slips of that dimension only; what counts (requests, times) may have each.
SHARE_SLIPS = (
    (100, "yours is 100 times too large: a percentage where a share was asked"),
    (0.01, "yours is 100 times too small: a share where a percentage was asked"),
)
TIME_SLIPS = (
    (60, "yours is 60 times too large: seconds where minutes were asked, or minutes where hours were"),
    (1 / 60, "yours is 60 times too small: minutes where seconds were asked, or hours where minutes were"),
    (3600, "yours is 3,600 times too large: seconds where hours were asked"),
    (1 / 3600, "yours is 3,600 times too small: hours where seconds were asked"),
    (86400, "yours is 86,400 times too large: seconds where days were asked, or per day where per second was"),
    (1 / 86400, "yours is 86,400 times too small: days where seconds were asked, or per second where per day was"),
    (24, "yours is 24 times too large: hours where days were asked"),
    (1 / 24, "yours is 24 times too small: days where hours were asked"),
)
STEP_SLIPS = (
    (1000, "yours is 1,000 times too large: milliseconds where seconds were asked, or a step of kilo, mega, giga"),
    (0.001, "yours is 1,000 times too small: seconds where milliseconds were asked, or a step of kilo, mega, giga"),
)
MONTH_SLIPS = (
    (28 / 30, "yours fits a month of 28 days; the month here has 30"),
    (31 / 30, "yours fits a month of 31 days; the month here has 30"),
)
SIGN_SLIPS = ((-1, "yours has the wrong sign"),)
MONEY_SLIPS = (
    (100, "yours is 100 times too large: cents where euros were asked"),
    (0.01, "yours is 100 times too small: euros where cents were asked"),
)
DATA_SLIPS = (
    (8, "yours is 8 times too large: bits where bytes were asked"),
    (0.125, "yours is 8 times too small: bytes where bits were asked"),
    (1024, "yours is 1,024 times too large: a step of KiB, MiB, GiB"),
    (1 / 1024, "yours is 1,024 times too small: a step of KiB, MiB, GiB"),
    (1.024**3, "yours is GB (powers of 1,000) where GiB (powers of 1,024) were asked"),
    (1.024**-3, "yours is GiB (powers of 1,024) where GB (powers of 1,000) were asked"),
    (1.024**2, "yours is MB (powers of 1,000) where MiB (powers of 1,024) were asked"),
    (1.024**-2, "yours is MiB (powers of 1,024) where MB (powers of 1,000) were asked"),
    (1.024, "yours is kB (powers of 1,000) where KiB (powers of 1,024) were asked"),
    (1 / 1.024, "yours is KiB (powers of 1,024) where kB (powers of 1,000) were asked"),
)
OF_DIMENSION = {
    "a share": SHARE_SLIPS,
    "a time": TIME_SLIPS + STEP_SLIPS,
    "a rate": TIME_SLIPS + STEP_SLIPS,
    "an amount of data": STEP_SLIPS + DATA_SLIPS,
    "an amount of money": MONEY_SLIPS,
    "": SHARE_SLIPS + TIME_SLIPS + STEP_SLIPS,
}
SLIP_TOLERANCE = 0.002  # 28 and 31 days are 3 % and more off, kB and KiB 2.4 %


@dataclass(frozen=True, kw_only=True)
class NumberCheck(Check):
    """A question whose answer is a number in `unit`."""

    expected: Expected
    unit: str
    tolerance: float  # relative
    monthly: bool  # whether it grows with the days of a month

    wants: ClassVar[str] = "a number, or a text with a number and its unit"
    types: ClassVar[tuple[type, ...]] = (Real, Decimal, timedelta, str)  # numpy's numbers are real, too
    most_characters: ClassVar[int] = 100

    def kept(self, answer: Any) -> Any:
        """A fraction as a float, and a length of time in seconds, as JSON can hold them."""
        if isinstance(answer, timedelta):
            return f"{answer.total_seconds()} s"
        return answer if isinstance(answer, str | int | float | np.number) else _float(answer)

    def judge(self, answer: Any) -> Verdict:
        read = self.read(answer)
        if isinstance(read, str):
            return self.wrong(read)
        right = self._right()
        if _near(read, right, self.tolerance):
            return self.right(f"{read:.6g} {self.unit}".strip() + " is right.")
        for example, message in self.rejects:
            known = self.read(self.plain(example))
            if isinstance(known, float) and _near(read, known, self.tolerance):
                return self.wrong(message, mistake=message)
        return self.wrong(self._slip(read, right))

    def plain(self, example: Any) -> Any:
        return example.value() if isinstance(example, Measured) else example

    def read(self, answer: Any) -> float | str:
        """The answer in the check's unit, or a sentence about why it cannot be read so."""
        unit = self.unit or "a number"
        if isinstance(answer, timedelta):
            answer = f"{answer.total_seconds():f} s"
        if not isinstance(answer, str):
            value = _float(answer)
            return value if math.isfinite(value) else f"{value} is no number that can be compared. The answer is in {unit}."
        found = quantity(answer)
        if found is None:
            return f"{answer.strip()!r} cannot be read as a number with a unit. Write it like 12.5, `43.2 min`, `99.9 %` or `3 h 20 min`."
        dimension, factor = dimension_of(self.unit)
        if not found.dimension:
            if found.unit and dimension:
                return f"{found.unit!r} is no unit of {dimension} that is known here. The question asks for {self.unit}."
            return found.value
        if found.dimension != dimension:
            asked = f"{dimension} in {self.unit}" if dimension else f"a number{' of ' + self.unit if self.unit else ''}"
            return f"Your answer is {found.dimension}; the question asks for {asked}."
        return found.value / factor

    def _right(self) -> float:
        if isinstance(self.expected, Measured):
            return self.expected.value()
        return float(self.expected() if callable(self.expected) else self.expected)

    def _slip(self, mine: float, right: float) -> str:
        slack = max(SLIP_TOLERANCE, min(self.tolerance, 0.01))
        dimension, factor = dimension_of(self.unit)
        for times, words in OF_DIMENSION[dimension] + (MONTH_SLIPS if self.monthly else ()) + SIGN_SLIPS:
            if right and _near(mine, right * times, slack):
                return f"Look at the units: {words}."
        whole = 1 / factor if dimension == "a share" else 1  # 100 for percentages
        if right and _near(mine, whole * whole / right, slack) and not _near(mine, right, 2 * slack):
            return "Yours is 1 divided by the right number: the ratio stands upside down."
        if 0 < right < whole and _near(mine, whole - right, slack):
            return f"Yours is {whole:g} minus the right number: the share of the others."
        side = "large" if mine > right else "small"
        near = " but not far off: mind rounding, and the ends of the window" if right and 0.9 < mine / right < 1.1 else ""
        return f"{mine:.6g} {self.unit}".strip() + f" is too {side}{near}."


def _float(answer: Any) -> float:
    try:
        return float(answer)
    except OverflowError:
        return math.inf
    except (ValueError, TypeError):  # a signalling NaN
        return math.nan


def _near(mine: float, other: float, tolerance: float) -> bool:
    return math.isclose(mine, other, rel_tol=tolerance, abs_tol=1e-12)


def number(
    id: str,
    *,
    expected: Expected,
    accepts: Iterable[Any],
    rejects: Rejects,
    hints: Iterable[str],
    solution: str,
    unit: str = "",
    tolerance: float = 0.005,
    monthly: bool = False,
) -> NumberCheck:
    """A question that a number answers. A plain number counts as `unit`; a text may bring a unit of the same kind.

    An answer for a month of 28 or 31 days is told so where the question is `monthly`. `expected`, accepted and rejected answers
    may be `measured(...)`: what the archive says.
    """
    return NumberCheck(
        id=id,
        expected=expected if isinstance(expected, float | int | Measured) else partial(expected),
        unit=unit,
        tolerance=tolerance,
        monthly=monthly,
        accepts=tuple(accepts),
        rejects=pairs(rejects),
        hints=tuple(hints),
        solution=solution,
    )
