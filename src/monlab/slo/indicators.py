"""SLIs from numbers: buckets, minutes, freshness, correctness; and what few requests do to all of them."""

import math
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise

import pandas as pd

from monlab.problem import LabProblem
from monlab.slo.budget import Counts, Share
from monlab.slo.numbers import at_least, plain, whole
from monlab.slo.records import share


def bucket(bounds: Iterable[str], threshold_seconds: float | str) -> str:
    """The bound of a classic histogram as its series spell it, to be written after `le=`. `bounds` are all values of `le`.

    A text is compared as Prometheus does, letter by letter; a number finds its bucket however it is spelled. Raises LabProblem when
    a query with it would find nothing, or a part only.
    """
    spelled = _spelled(bounds)
    if isinstance(threshold_seconds, str):
        if threshold_seconds in spelled.values():
            return threshold_seconds
        wanted = _bound(threshold_seconds)
        if wanted in spelled:
            raise LabProblem(
                f'le="{threshold_seconds}" finds nothing: labels are compared as text, and this bucket is le="{spelled[wanted]}".'
            )
    elif isinstance(threshold_seconds, float) and threshold_seconds == math.inf:
        wanted = math.inf
    else:
        wanted = float(plain(threshold_seconds, "The threshold"))
    if wanted in spelled:
        return spelled[wanted]
    if not wanted > 0:
        raise LabProblem(f"A threshold of {wanted:g} s divides nothing. Write seconds above zero, as in 0.25.")
    below = max((bound for bound in spelled if bound < wanted), default=0.0)
    above = min(bound for bound in spelled if bound > wanted)
    raise LabProblem(
        f"No bucket ends at {wanted:g} s: the nearest end at {below:g} and {above:g}. Choose one of these as the "
        "threshold, give the service's histogram that bound, or have it keep a native histogram, which takes any threshold."
    )


def _spelled(bounds: Iterable[str]) -> dict[float, str]:
    """Bound -> its spelling."""
    found: dict[float, str] = {}
    for text in dict.fromkeys(bounds):
        value = _bound(text)
        if value in found:
            raise LabProblem(
                f'The bound {value:g} is spelled twice, le="{found[value]}" and le="{text}": Prometheus 3 writes 1.0 where Prometheus 2 '
                f'kept 1. A query with one of them counts a part only. Match both: le=~"{found[value]}|{text}".'
            )
        found[value] = text
    if math.inf not in found:
        raise LabProblem('The buckets lack le="+Inf", which counts all requests. Ask for every bucket of the histogram.')
    return found


def _bound(text: str) -> float:
    try:
        value = float(text)
    except (TypeError, ValueError):
        value = math.nan
    if math.isnan(value):
        raise LabProblem(f"{text!r} is no bound of a bucket. Bounds are numbers of seconds, and the last one is +Inf.")
    return value


def within(buckets: Mapping[str, float], threshold_seconds: float | str) -> Counts:
    """Slow requests among all, from a classic histogram: `le` -> cumulative count.

    The threshold must be a bound: between two bounds nobody knows. Raises LabProblem, with the bounds around it.
    """
    bound = float(bucket(buckets, threshold_seconds))
    counts = _cumulative(buckets)
    return Counts.of_good(counts[bound], counts[math.inf])


def _cumulative(buckets: Mapping[str, float]) -> dict[float, float]:
    """Bound -> count, the lowest first."""
    bounds = {bound: plain(buckets[text], f"The count of le={text}") for bound, text in sorted(_spelled(buckets).items())}
    if any(later < earlier for earlier, later in pairwise(bounds.values())):
        raise LabProblem(
            "A later bucket counts less than an earlier one. Buckets are cumulative: sum them by (le) and nothing else."
        )
    return bounds


def interpolated(buckets: Mapping[str, float], threshold_seconds: float) -> Counts:
    """The same for any threshold, with requests spread evenly between two bounds: an estimate, as histogram_fraction() makes it."""
    counts = _cumulative(buckets)
    threshold_seconds = at_least(0, threshold_seconds, "The threshold", "Write seconds, as in 0.25.")
    before, counted = 0.0, 0.0
    for bound, count in counts.items():
        if threshold_seconds == bound:
            return Counts.of_good(count, counts[math.inf])
        if threshold_seconds < bound:
            part = 0.0 if bound == math.inf else (threshold_seconds - before) / (bound - before)
            return Counts.of_good(counted + (count - counted) * part, counts[math.inf])
        before, counted = bound, count
    raise LabProblem(f"A threshold of {threshold_seconds} s is no number of seconds.")


def good_minutes(minutes: Sequence[Counts], objective: Share) -> Counts:
    """Time-based: bad minutes among minutes with traffic. A minute is bad when its own share of good events misses the objective."""
    limit = 1 - share(objective)
    asked = [one for one in minutes if one.total]
    bad = sum(1 for one in asked if Fraction(one.bad) / Fraction(one.total) > limit)
    return Counts(bad, len(asked))


def all_events(minutes: Sequence[Counts]) -> Counts:
    """Request-based, of the same minutes: a busy minute weighs more."""
    return Counts(sum(one.bad for one in minutes), sum(one.total for one in minutes))


def freshness(ages_seconds: Sequence[float], limit_seconds: float) -> Counts:
    """Looks at which the data was older than the limit, among all looks. NaN is a look that saw nothing: it counts as too old."""
    at_least(0, limit_seconds, "The limit of the age", "Write seconds, as in 300.")
    if not len(ages_seconds):
        raise LabProblem("Nobody looked at the data's age. Record it as a gauge, then count the moments at which it is too old.")
    ages = [math.inf if age is None or age is pd.NA or age != age else plain(age, "An age") for age in ages_seconds]
    return Counts(sum(1 for age in ages if age > limit_seconds), len(ages))


def correctness(checked: int, wrong: int) -> Counts:
    """Wrong answers among those that a probe with a known answer checked."""
    return Counts(wrong, checked)


def page_worthy(total_per_hour: float, objective: Share, period_hours: int, budget_share: Share = "0.02") -> int:
    """How many failures in a row spend a part of the period's budget: with few requests, one is enough."""
    period_hours = whole(period_hours, "The period in hours", "A month of 30 days has 720.")
    events = Fraction(
        str(at_least(0, total_per_hour, "The number of total events an hour", "Use increase(), which knows resets."))
    )
    allowed = (1 - share(objective)) * events * period_hours
    return max(1, math.ceil(allowed * share(budget_share, "The part of the budget")))


def one_failure(total: float, objective: Share) -> float:
    """The part of the budget that a single bad event spends, of a window with `total` events."""
    allowed = (1 - share(objective)) * Fraction(Counts(0, total).total)
    return float(1 / allowed) if allowed else math.inf


def smoothed(counts: Counts, objective: Share, worth: float) -> float:
    """An error ratio that few requests cannot throw: as if `worth` further requests had kept the objective exactly."""
    worth = at_least(0, worth, "The number of further requests", "Write how many requests your trust is worth, as in 100.")
    together = Fraction(counts.total) + Fraction(worth)
    if not together:
        raise LabProblem("There is no request, and no trust to stand in for it. Set `worth` above zero.")
    return float((Fraction(counts.bad) + (1 - share(objective)) * Fraction(worth)) / together)


def interval(counts: Counts, z: float = 1.96) -> tuple[float, float]:
    """Wilson's interval of the true error ratio; z = 1.96 holds 95 % of the time. The whole of 0-1 without traffic."""
    z = float(at_least(0, z, "z", "1.96 holds 95 % of the time, 2.58 holds 99 %."))
    if not counts.total:
        return 0.0, 1.0
    ratio, total = counts.bad / counts.total, counts.total
    middle = (ratio + z * z / (2 * total)) / (1 + z * z / total)
    reach = z / (1 + z * z / total) * math.sqrt(ratio * (1 - ratio) / total + z * z / (4 * total * total))
    return max(0.0, middle - reach), min(1.0, middle + reach)
