"""Times of a panel's own: `now-5d/d`, and a panel's "relative time" and "time shift".

https://grafana.com/docs/grafana/latest/panels-visualizations/query-transform-data/#query-options
"""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from monlab.dashboards.window import Window
from monlab.problem import LabProblem

STEP = re.compile(r"([+-])(\d{1,6})([smhdwMQy])|/f?([smhdwMQyY])")
FIXED = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
PART = {"s": {"microsecond": 0}, "m": {"second": 0}, "h": {"minute": 0}, "d": {"hour": 0}, "M": {"day": 1}, "y": {"month": 1}}


def moment(text: str, now: float, upward: bool = False) -> float:
    """Seconds since 1970 of `now`, `now-5d`, `now/d`, `now-5d/d`; `/d` goes to the day's first instant, upward to its last one (UTC).

    Weeks begin on Monday. Raises LabProblem for anything else.
    """
    body = text.strip().removeprefix("now")
    found = list(STEP.finditer(body))
    if "".join(one[0] for one in found) != body:
        raise LabProblem(f'"{text}" is no relative time. Write it as Grafana does: now-1h, now/d, now-5d/d.')
    when = datetime.fromtimestamp(now, UTC)
    try:
        for sign, count, unit, rounded in (one.groups() for one in found):
            when = _rounded(when, rounded, upward) if rounded else _moved(when, int(count) * (-1 if sign == "-" else 1), unit)
    except (OverflowError, ValueError):
        raise LabProblem(f'"{text}" leads out of the calendar.') from None
    return when.timestamp()


def _moved(when: datetime, count: int, unit: str) -> datetime:
    if unit in FIXED:
        return when + timedelta(**{FIXED[unit]: count})
    month = when.year * 12 + when.month - 1 + count * {"y": 12, "Q": 3}.get(unit, 1)
    for day in (when.day, 30, 29, 28):  # the 31st of a shorter month is its last day
        try:
            return when.replace(year=month // 12, month=month % 12 + 1, day=day)
        except ValueError:
            continue
    raise OverflowError


def _rounded(when: datetime, unit: str, upward: bool) -> datetime:
    unit = "y" if unit == "Y" else unit
    down = when.replace(microsecond=0)
    for part in {"w": "smhd", "Q": "smhdM"}.get(unit, "smhdMy"):
        down = down.replace(**PART[part])  # type: ignore[arg-type]
        if part == unit:
            break
    if unit == "w":
        down -= timedelta(days=down.weekday())
    if unit == "Q":
        down = down.replace(month=(down.month - 1) // 3 * 3 + 1)
    return _moved(down, 1, unit) - timedelta(milliseconds=1) if upward else down


def overridden(window: Window, relative: str, shift: str) -> tuple[Window, str]:
    """The window of a panel with a time of its own, and a sentence about it.

    Grafana: "Panel time overrides have no effect when the dashboard's time range is absolute", and the archive's is.
    """
    if not relative and not shift:
        return window, ""
    said = " ".join(part for part in (relative and f"relative time {relative}", shift and f"time shift {shift}") if part)
    if window.archived:
        return window, f"Its {said} has no effect: the range is absolute."
    first, last = window.start, window.end
    if relative:
        first = moment(relative if relative.startswith("now") else f"now-{relative}", window.end)
    if shift:
        first, last = moment(f"-{shift}", first), moment(f"-{shift}", last, upward=True)
    if last <= first:
        raise LabProblem(f"Its {said} leaves no time to look at.")
    return replace(window, start=first, end=last), f"With a {said}: {replace(window, start=first, end=last).said()}."
