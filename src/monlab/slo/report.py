"""A month's report: what was promised, what was kept, when the budget went and on what, and what to do about it.

`month` makes it as data from counts, `review` the agenda of the meeting that reads it; `printing.py` writes it as a page and as a PDF.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd

from monlab.problem import LabProblem
from monlab.slo.backtest import Events
from monlab.slo.budget import availability, spent
from monlab.slo.forecast import straight
from monlab.slo.numbers import moment, rounded
from monlab.slo.records import SLO

POINTS = 240  # of a curve
SHOWN = 0.0005  # of the budget: who spent less is not named
REST = "everything else"


@dataclass(frozen=True)
class Incident:
    """Something known that went wrong, to be held against the budget."""

    name: str
    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        for field in ("start", "end"):
            object.__setattr__(self, field, moment(getattr(self, field), f"The {field} of {self.name}"))
        if not self.start < self.end:
            raise LabProblem(f"The incident {self.name} ends at {self.end}, before it begins at {self.start}. Swap them.")


@dataclass(frozen=True)
class Line:
    """One SLO's month."""

    slo: SLO
    availability: float | None
    left: float  # part of the budget, below 0 when the objective is missed
    times: pd.DatetimeIndex
    left_over_time: np.ndarray
    spenders: Mapping[str, float]  # incident, or "everything else" -> part of the budget
    days: Mapping[str, float | None]  # day -> availability
    weeks: Mapping[str, float | None]
    forecast: str = ""  # a sentence, while the window is not over

    @property
    def kept(self) -> bool:
        """Whether the objective was kept; without any traffic nothing was promised and nothing kept."""
        return self.availability is not None and self.left >= 0

    @property
    def advice(self) -> str:
        """One sentence: what to do next."""
        if self.availability is None:
            return "No data: find out why before anything else is decided."
        worst = max(self.spenders, key=lambda name: self.spenders[name], default="")
        most = f"{worst} ({parts(self.spenders[worst], 0)})" if worst else ""
        if self.left < 0:
            if worst == REST:
                return f"Missed, and most went on no known incident ({parts(self.spenders[worst], 0)}): find what the worst days share."
            return f"Missed. Most of the budget went on the {most}: mend its cause before new features."
        if self.left < 0.5:
            kept = f"Kept, with {parts(self.left, 0)} of the budget left."
            if worst == REST:
                return f"{kept} Most went on no known incident: find what the worst days share."
            return f"{kept} Mend what caused the {most}."
        if self.left > 0.9:
            return "Kept with ease. Release more often, or ask users whether the objective should be higher."
        return "Kept. Go on as agreed."


def month(counted: Sequence[tuple[SLO, Events]], incidents: Sequence[Incident], ends: datetime | None = None) -> list[Line]:
    """A line an SLO. Incidents that overlap are each held against the minutes that no earlier one has.

    `ends` is the window's end when that is still to come: each line then holds a forecast.
    """
    until = None if ends is None else moment(ends, "The window's end")
    return [_line(slo, events, incidents, until) for slo, events in counted]


def _line(slo: SLO, events: Events, incidents: Sequence[Incident], ends: datetime | None) -> Line:
    whole = events.counts()
    share_of_window = _so_far(events, ends) if ends else 1.0
    expected = whole.total / share_of_window  # with the traffic that is still to come
    burned = events.burned(slo.objective) * share_of_window
    every = max(1, len(burned) // POINTS)
    spenders: dict[str, float] = {}
    until = events.index[0].to_pydatetime()
    for one in sorted(incidents, key=lambda incident: incident.start):
        start = max(one.start, until)
        if start < one.end:
            part = spent(events.counts(start, one.end), slo.objective, expected=expected)
            spenders[one.name] = spenders.get(one.name, 0.0) + part
            until = one.end
    rest = spent(whole, slo.objective, expected) - sum(spenders.values())
    spenders[REST] = spenders.get(REST, 0.0) + rest
    return Line(
        slo=slo,
        availability=availability(whole),
        left=1 - spent(whole, slo.objective, expected),
        times=events.index[::every],
        left_over_time=1 - burned[::every],
        spenders={name: part for name, part in spenders.items() if part >= SHOWN},
        days=_by(events, "D", "%d %b"),
        weeks=_by(events, "W-SUN", "week to %d %b"),
        forecast=_forecast(events, slo, ends) if ends else "",
    )


def _so_far(events: Events, ends: datetime) -> float:
    """The part of the window that is over, since the first row; all of it when nothing of it is to come, or nothing was seen."""
    first, now = (events.index[place].to_pydatetime() for place in (0, -1))
    return (now - first) / (ends - first) if first < now < ends else 1.0


def _forecast(events: Events, slo: SLO, ends: datetime) -> str:
    """What happens when the budget goes on going as fast as it did since the first row; traffic is taken to stay as it was.

    Empty without data: nobody knows the speed.
    """
    if availability(events.counts()) is None:
        return ""
    if not slo.budget:
        return "There is no budget, so no speed at which it goes."
    first, now = (events.index[place].to_pydatetime() for place in (0, -1))
    found = straight(spent(events.counts(), slo.objective) * _so_far(events, ends), first, now, ends)
    if found.empty_at is None:
        return f"At this speed {parts(found.spent_at_end, 0)} of the budget will be spent on {ends:%d %B}."
    return f"At this speed the budget is empty on {found.empty_at:%d %B at %H:%M}."


def _by(events: Events, unit: str, words: str) -> dict[str, float | None]:
    """Availability by day, or by week that ends on Sunday."""
    first, last = events.index[0], events.index[-1]
    if unit == "D":
        edges = pd.date_range(first.normalize(), last.normalize() + pd.Timedelta(days=1), freq="D")
        shown = edges[:-1]
    else:
        monday = first.normalize() - pd.Timedelta(days=first.weekday())
        edges = pd.date_range(monday, last.normalize() + pd.Timedelta(days=7), freq="7D")
        ends = max(first, last - pd.Timedelta(seconds=1)).normalize()  # the last week may be short; midnight ends a day
        shown = pd.DatetimeIndex([min(day, ends) for day in edges[1:] - pd.Timedelta(days=1)])
    return {
        moment.strftime(words): availability(events.counts(start.to_pydatetime() if start > first else None, end.to_pydatetime()))
        for start, end, moment in zip(edges[:-1], edges[1:], shown, strict=True)
        if start < last or start <= first
    }


def percent(value: float | None, objective: float = 1) -> str:
    """A share in percent. One that just misses the objective is not printed as the objective."""
    return "no data" if value is None else f"{rounded(value * 100, 3, never=(100, round(objective * 100, 3)))} %"


def parts(value: float, digits: int = 1) -> str:
    """A part of a budget in percent; above 100 and below 0 as it is."""
    return f"{rounded(value * 100, digits)} %" if np.isfinite(value) else "more than there is"


def reached(line: Line) -> str:
    """The availability, beside which the objective may stand."""
    return percent(line.availability, float(line.slo.objective))


def remaining(line: Line) -> str:
    """The part of the budget that is left; without data nobody knows it."""
    return parts(line.left) if line.availability is not None else "unknown"


def _cell(text: str) -> str:
    """A text in one cell of a table in Markdown."""
    return " ".join(text.split()).replace("|", r"\|")


def review(lines: Sequence[Line]) -> str:
    """The agenda of the operations review, in Markdown, with the month's numbers filled in."""
    rows = "\n".join(f"| {_cell(one.slo.id)} | {reached(one)} | {remaining(one)} | {_cell(one.advice)} |" for one in lines)
    return (
        "# Operations review\n\n| SLO | availability | budget left | proposal |\n|---|---|---|---|\n"
        f"{rows}\n\n1. Which incident spent most, and is its cause mended?\n2. Which alert came too late, which for nothing?\n"
        "3. Is an objective too strict or too lax for what users say?\n4. Which exceptions end before the next review?\n"
        "5. Decisions, each with a name and a date.\n"
    )
