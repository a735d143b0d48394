"""Where a budget is going: by its speed so far, and over a year of incidents that nobody knows yet."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from monlab.problem import LabProblem
from monlab.slo.budget import Share
from monlab.slo.durations import Length, length
from monlab.slo.numbers import NOISE, at_least, moment, whole
from monlab.slo.records import share

DRAWS = 10_000
YEAR_SECONDS = 31_536_000
MOST_INCIDENTS = 20_000_000


@dataclass(frozen=True)
class Forecast:
    """What happens when things go on as they did."""

    empty_at: datetime | None  # when the budget is gone; None: not within the window
    spent_at_end: float  # the part of the budget that is gone then


def straight(spent: float, start: datetime, now: datetime, end: datetime) -> Forecast:
    """The speed since the window began, carried on. Raises LabProblem before anything was seen."""
    start, now, end = (moment(one, what) for one, what in ((start, "The start"), (now, "Now"), (end, "The end")))
    if not start < now <= end:
        raise LabProblem("A forecast needs some of the window behind it. Ask again when it has begun, and before it ends.")
    spent = float(at_least(0, spent, "The part that is spent", "Missing data is no forecast of calm: find out what is wrong."))
    at_end = spent * ((end - start) / (now - start))
    return Forecast(min(start + (now - start) / spent, end) if at_end >= 1 else None, at_end)


@dataclass(frozen=True)
class Kind:
    """A kind of incident: how often, how long, how bad."""

    name: str
    a_year: float  # on average
    typical: timedelta  # the middle length: half are shorter
    spread: float  # of the logarithm of the length; 0: all as long as the typical one
    error_ratio: float  # while it lasts

    def __post_init__(self) -> None:
        at_least(0, self.a_year, f"How often a year {self.name} comes", "Count those of last year.")
        at_least(0, self.spread, f"The spread of {self.name}", "0 makes all as long as the typical one.")
        object.__setattr__(self, "typical", length(self.typical))
        object.__setattr__(self, "error_ratio", float(share(self.error_ratio, f"The error ratio of {self.name}")))


@dataclass(frozen=True)
class Year:
    """Many years, drawn. Each interval is (5 %, middle, 95 %)."""

    availability: tuple[float, float, float]
    spent: tuple[float, float, float]
    kept: float  # the share of years that keep the objective
    kept_error: float  # its sampling error, one standard deviation


def simulate(kinds: list[Kind], objective: Share, seed: int, draws: int = DRAWS, period: Length = "365d") -> Year:
    """Draws years: a Poisson number of incidents of each kind, log-normal lengths. The same seed draws the same years.

    Traffic is even, and incidents do not overlap; a year cannot be down longer than it lasts.
    """
    draws = whole(draws, "The number of years", "Fewer say little about rare ones: draw at least 100.", least=100)
    random = np.random.Generator(np.random.PCG64(whole(seed, "The seed", "Any whole number will do, as in 7.", least=0)))
    seconds = length(period).total_seconds()
    for kind in kinds:
        if kind.a_year * seconds / YEAR_SECONDS * draws > MOST_INCIDENTS:
            raise LabProblem(
                f"{kind.name} comes {kind.a_year:.15g} times a year, and {draws:,} years of that are more than memory holds. "
                "Draw fewer, or take what comes so often for an error ratio that is always there."
            )
    bad, down = np.zeros(draws), np.zeros(draws)
    for kind in kinds:
        counts = random.poisson(kind.a_year * seconds / YEAR_SECONDS, draws)
        lengths = kind.typical.total_seconds() * np.exp(kind.spread * random.standard_normal(int(counts.sum())))
        owner = np.repeat(np.arange(draws), counts)
        lasted = np.bincount(owner, lengths, draws)
        down += lasted
        bad += lasted * kind.error_ratio
    ratio = bad / np.maximum(down, seconds)
    budget = float(1 - share(objective))
    spent = ratio / budget if budget else np.where(ratio > 0, np.inf, 0.0)
    kept = float(np.mean(spent <= 1 + NOISE))  # spent to the last second is kept
    return Year(_interval(1 - ratio), _interval(spent), kept, float(np.sqrt(kept * (1 - kept) / draws)))


def _interval(values: np.ndarray) -> tuple[float, float, float]:
    low, middle, high = np.quantile(values, (0.05, 0.5, 0.95), method="inverted_cdf")
    return float(low), float(middle), float(high)
