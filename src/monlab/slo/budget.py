"""Error budgets: how much may fail, how much did, how fast it goes. Exact: fractions inside, floats at the edge.

Formulas as in "Alerting on SLOs" of Google's SRE workbook and in the availability table of its SRE book.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction

from monlab.problem import LabProblem
from monlab.slo.durations import Length, length
from monlab.slo.numbers import at_least, plain
from monlab.slo.records import share

# The columns of the SRE book's table: a month is 30 days there, a quarter 90, a year 365.
PERIODS = {
    "year": timedelta(days=365),
    "quarter": timedelta(days=90),
    "month": timedelta(days=30),
    "week": timedelta(days=7),
    "day": timedelta(days=1),
    "hour": timedelta(hours=1),
}
LEVELS = ("0.9", "0.95", "0.99", "0.995", "0.999", "0.9995", "0.9999", "0.99999")
Share = float | str | Fraction


def seconds(span: Length) -> Fraction:
    return Fraction(length(span) // timedelta(microseconds=1), 1_000_000)


def burnable(objective: Share) -> Fraction:
    """The budget, for alerts on its burning. Raises LabProblem when there is none."""
    budget = 1 - share(objective)
    if not budget:
        raise LabProblem("The objective is 1 and leaves no budget: there is nothing to burn. Choose one below 1, as in 0.999.")
    return budget


def allowed_seconds(objective: Share, period: Length) -> float:
    """How long a service may be down whole within a period."""
    return float((1 - share(objective)) * seconds(period))


def availability_table(levels: Sequence[Share] = LEVELS) -> dict[str, dict[str, float]]:
    """Level -> period -> seconds of allowed unavailability."""
    return {str(level): {name: allowed_seconds(level, span) for name, span in PERIODS.items()} for level in levels}


@dataclass(frozen=True)
class Counts:
    """Bad events among all of a stretch of time. Raises LabProblem when they cannot be."""

    bad: float
    total: float

    def __post_init__(self) -> None:
        for name in ("bad", "total"):
            value = plain(getattr(self, name), f"The number of {name} events")
            if value < 0:
                raise LabProblem(
                    f"The number of {name} events is {value}, below zero. Use increase(), which knows resets, not delta()."
                )
            object.__setattr__(self, name, value)
        if self.bad > self.total:
            raise LabProblem(
                f"{float(self.bad):.15g} bad events of {float(self.total):.15g}: more than all. The two may be swapped: the bad ones come first. "
                "Else let both queries select the same requests, the bad ones with one matcher more."
            )

    @classmethod
    def of_good(cls, good: float, total: float) -> "Counts":
        """From good events. Raises LabProblem when there are more of them than events."""
        good, total = plain(good, "The number of good events"), plain(total, "The number of total events")
        if good > total:
            raise LabProblem(
                f"{float(good):.15g} good events of {float(total):.15g}: more than all. The two may be swapped: the good ones come first. "
                "Else let both queries select the same requests, the good ones with one matcher more."
            )
        return cls(total - good, total)

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(self.bad + other.bad, self.total + other.total)


def total_of(stretches: Iterable[Counts]) -> Counts:
    """All of several stretches that do not overlap: events add up, ratios do not."""
    bad, total = Fraction(0), Fraction(0)
    for one in stretches:
        bad, total = bad + Fraction(one.bad), total + Fraction(one.total)
    return Counts(float(bad), float(total))


def availability(counts: Counts) -> float | None:
    """The share of good events, None where nothing was asked: no traffic is neither 100 % nor 0 %."""
    return float(1 - Fraction(counts.bad) / Fraction(counts.total)) if counts.total else None


def error_ratio(counts: Counts) -> float | None:
    return float(Fraction(counts.bad) / Fraction(counts.total)) if counts.total else None


def allowed_events(objective: Share, total: float) -> float:
    """How many of `total` events may be bad."""
    return float((1 - share(objective)) * Fraction(Counts(0, total).total))


def spent(counts: Counts, objective: Share, expected: float | None = None) -> float:
    """The part of the budget that is spent: 1 is all of it, 1.3 means 30 % too much.

    `expected` is the whole window's number of events; without it, that of `counts`. An objective of 1 has no budget: the first
    bad event spends infinitely much.
    """
    events = Fraction(counts.total if expected is None else Counts(0, expected).total)
    allowed = (1 - share(objective)) * events
    if not counts.bad:
        return 0.0
    return float(Fraction(counts.bad) / allowed) if allowed else math.inf


def left(counts: Counts, objective: Share, expected: float | None = None) -> float:
    """The part of the budget that is left. Below zero when the objective is missed: nothing is cut off at 0."""
    return 1 - spent(counts, objective, expected)


def burn_rate(ratio: float | Fraction, objective: Share) -> float:
    """How many times faster than allowed the budget goes, at an error ratio."""
    found = share(ratio, "The error ratio")
    allowed = 1 - share(objective)
    if not allowed:
        return math.inf if found else 0.0
    return float(found / allowed)


def spent_by_burning(rate: float, lasting: Length, period: Length) -> float:
    """The part of the period's budget that a burn rate spends in `lasting`, with even traffic."""
    return float(Fraction(str(_rate(rate))) * seconds(lasting) / seconds(period))


def _rate(rate: float) -> float:
    return at_least(0, rate, "The burn rate", "An error ratio divided by the budget is never negative.")


def exhaustion_seconds(rate: float, period: Length, remaining: float = 1.0) -> float:
    """How long the remaining part of a budget lasts at a burn rate; infinite when nothing burns."""
    rate, remaining = _rate(rate), plain(remaining, "The part of the budget that is left")
    if remaining <= 0:
        return 0.0
    if rate == 0:
        return math.inf
    return float(seconds(period) * Fraction(str(remaining)) / Fraction(str(rate)))


def factor(budget_share: Share, window: Length, period: Length) -> float:
    """The burn rate that spends a part of the period's budget within a window: 2 % in 1 h of 30 days is 14.4."""
    return float(share(budget_share, "The part of the budget") * seconds(period) / seconds(window))


def highest_burn_rate(objective: Share) -> float:
    """That of a whole outage. An alert with a factor above it never fires: with 0.9, 14.4 cannot be reached."""
    return burn_rate(Fraction(1), objective)
