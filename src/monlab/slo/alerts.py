"""The six ways to alert that the SRE workbook compares, and when each of them speaks and falls silent.

The model is the workbook's: even traffic, no errors, then a constant error ratio for a while. Over a window W the error ratio rises
evenly, so it passes a limit L after L / ratio x W, and falls below it again W x (1 - L / ratio) after the errors end.
"""

from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction

from monlab.slo.budget import burnable, seconds
from monlab.slo.durations import Length, length
from monlab.slo.records import share
from monlab.slo.windows import Policy

ENDLESS = timedelta(days=3650)


@dataclass(frozen=True)
class Condition:
    """The error ratio over a window is above a burn rate."""

    window: timedelta
    factor: Fraction


@dataclass(frozen=True)
class AlertType:
    """Fires when all conditions of any row hold, for as long as `hold`."""

    name: str
    rows: tuple[tuple[Condition, ...], ...]
    hold: timedelta = timedelta(0)
    severity: str = "page"


def _one(window: Length, factor: float | str = 1) -> tuple[Condition, ...]:
    return (Condition(length(window), Fraction(str(factor))),)


def of_policy(policy: Policy, severity: str, short: bool = True) -> AlertType:
    """A policy's rows as one alert; without the short windows it is the workbook's fifth approach."""
    rows = []
    for row in policy.of(severity):
        exact = row.budget_share * seconds(policy.period) / seconds(row.long)
        spans = (row.long, row.short) if short else (row.long,)
        rows.append(tuple(Condition(span, exact) for span in spans))
    name = "6 several windows and burn rates" if short else "5 several burn rates"
    return AlertType(f"{name}, {severity}", tuple(rows), severity=severity)


def approaches(policy: Policy) -> tuple[AlertType, ...]:
    """The workbook's six, with its own windows for the first four; the last two split into page and ticket."""
    return (
        AlertType("1 error ratio over 10 m", (_one("10m"),)),
        AlertType("2 error ratio over 36 h", (_one("36h"),)),
        AlertType("3 error ratio over 1 m, for 1 h", (_one("1m"),), hold=timedelta(hours=1)),
        AlertType("4 burn rate 36 over 1 h", (_one("1h", 36),)),
        of_policy(policy, "page", short=False),
        of_policy(policy, "ticket", short=False),
        of_policy(policy, "page"),
        of_policy(policy, "ticket"),
    )


Interval = tuple[Fraction, Fraction]  # seconds since the errors began


def firing(
    alert: AlertType, error_ratio: float | str | Fraction, objective: float | str | Fraction, lasting: Length = ENDLESS
) -> list[Interval]:
    """When the alert fires: from, to, in seconds since the errors began. Empty: never. Raises LabProblem for an objective of 1."""
    ratio, budget, end = share(error_ratio, "The error ratio"), burnable(objective), seconds(lasting)
    found = []
    for row in alert.rows:
        spans = [_above(one, ratio, budget, end) for one in row]
        if all(spans):
            start = max(span[0] for span in spans if span) + seconds_or_zero(alert.hold)
            stop = min(span[1] for span in spans if span)
            if start < stop:
                found.append((start, stop))
    return _joined(found)


def seconds_or_zero(span: timedelta) -> Fraction:
    return seconds(span) if span else Fraction(0)


def _above(one: Condition, ratio: Fraction, budget: Fraction, end: Fraction) -> Interval | None:
    limit, window = one.factor * budget, seconds(one.window)
    if ratio <= limit:
        return None  # a ratio that equals the limit reaches it and never passes it
    start = limit / ratio * window
    return (start, end + window * (1 - limit / ratio)) if start < end else None


def _joined(spans: list[Interval]) -> list[Interval]:
    joined: list[Interval] = []
    for start, stop in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(stop, joined[-1][1]))
        else:
            joined.append((start, stop))
    return joined


def detection_seconds(
    alert: AlertType, error_ratio: float | str | Fraction, objective: float | str | Fraction, lasting: Length = ENDLESS
) -> float | None:
    """From the first error to the alert; None when it never comes."""
    found = firing(alert, error_ratio, objective, lasting)
    return float(found[0][0]) if found else None


def reset_seconds(
    alert: AlertType, error_ratio: float | str | Fraction, objective: float | str | Fraction, lasting: Length
) -> float | None:
    """From the last error to the alert's end; None when it never came. Negative: it ended before the errors did."""
    found = firing(alert, error_ratio, objective, lasting)
    return float(found[-1][1] - seconds(lasting)) if found else None


def spent_at_detection(
    alert: AlertType, error_ratio: float | str | Fraction, objective: float | str | Fraction, period: Length
) -> float | None:
    """The part of the period's budget that is gone when the alert comes."""
    found = firing(alert, error_ratio, objective)
    if not found:
        return None
    budget = burnable(objective) * seconds(period)
    return float(found[0][0] * share(error_ratio, "The error ratio") / budget)
