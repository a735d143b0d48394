"""What an objective is: a share of events, over a window, and which events are meant. No numbers of a service are in here.

A share is 0-1 everywhere. It is kept as the fraction that was written (0.999 is 999/1000), because in binary 1 - 0.99999 is wrong in
its eleventh digit, and the budget is what is computed with.
"""

import numbers
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

from monlab.problem import LabProblem, nearest
from monlab.slo.durations import length
from monlab.slo.numbers import shown
from monlab.slo.queries import MATCHERS, METRIC, bare, grouping, partners, query, texts

UNITS = ("week", "month", "quarter", "year")
SEVERITIES = ("page", "ticket")
MAX_NAME = 100
OWN_LABELS = ("severity", "slo", "slo_service", "slo_window", "alertname")
OBJECTIVE = "The objective"
ENDLESS = re.compile(r"[eE][+-]?[0-9_]{4,}")  # an exponent of so many digits is a number of more than memory


def share(value: float | str | Fraction, name: str = OBJECTIVE) -> Fraction:
    """A share as the fraction that was written. Raises LabProblem when it is no share of 0 to 1."""
    if isinstance(value, Fraction):
        found = value
    else:
        number = isinstance(value, numbers.Real) and not isinstance(value, bool)
        text = str(value) if number or isinstance(value, str) else shown(value)
        percent = text.strip().endswith("%")
        try:
            found = Fraction(text.strip().removesuffix("%") if len(text) < 100 and not ENDLESS.search(text) else "too long")
        except (ValueError, OverflowError, ZeroDivisionError):
            raise LabProblem(f"{name} is {shown(value)}, which is no number. Write a share, as in 0.999.") from None
        if percent and 0 <= found <= 100:
            raise LabProblem(_percentage(text, found, name))
    if 1 < found < 2:
        raise LabProblem(f"{name} is {shown(value)}. A share is at most 1, which is the whole. Write one of 0-1, as in 0.999.")
    if 2 <= found <= 100:
        raise LabProblem(_percentage(shown(value), found, name))
    if not 0 <= found <= 1:
        raise LabProblem(f"{name} is {shown(value)}, outside 0-1. Write a share of all events, as in 0.999.")
    return found


def _percentage(text: str, percent: Fraction, name: str) -> str:
    if percent == 100 and name == OBJECTIVE:
        return f"{name} is {text}, a percentage, and 100 % leaves no budget. Write a share below 1, as in 0.999 for 99.9 %."
    return f"{name} is {text}, a percentage. A share is 0-1 here: write {float(percent / 100):.12g}."


def labels(value: Any) -> dict[str, str]:
    """Labels as a file has them: name -> text."""
    if value is not None and not isinstance(value, Mapping):
        raise LabProblem(f"The labels are {shown(value)}. Write a name and a value a line, as in `team: shop`.")
    found = {}
    for key, text in (value or {}).items():
        if isinstance(text, bool) or not isinstance(text, str | int):
            raise LabProblem(
                f"The label {shown(key)} is {shown(text)}, which YAML reads as no text. Write its value in quotes, as it should stand."
            )
        found[texts(key, "A label's name")] = str(text)
    return found


def _name(field_name: str, text: Any) -> None:
    text = texts(text, f"The SLO's {field_name}")
    if not text.strip():
        raise LabProblem(f"The SLO has no {field_name}. Give it one: alerts and reports are read by it.")
    if len(text) > MAX_NAME or not text.isprintable():
        raise LabProblem(f"The SLO's {field_name} is {shown(text)}. Write one line of at most {MAX_NAME} letters.")


def _utc(moment: datetime) -> datetime:
    """Between two moments of one zone Python counts as if its clocks never changed."""
    return moment.astimezone(UTC) if moment.tzinfo else moment


@dataclass(frozen=True)
class Rolling:
    """The last `length` up to now: what users still remember. It never starts afresh."""

    length: timedelta

    def __post_init__(self) -> None:
        object.__setattr__(self, "length", length(self.length))

    def bounds(self, now: datetime) -> tuple[datetime, datetime]:
        """First moment (left out) and last moment (kept) of the window that ends now. Raises LabProblem for one before all calendars."""
        try:
            return (_utc(now) - self.length).astimezone(now.tzinfo) if now.tzinfo else now - self.length, now
        except OverflowError:
            raise LabProblem(
                f"A window of {self.length.days} days that ends on {now:%Y-%m-%d} begins before the year 1."
            ) from None


@dataclass(frozen=True)
class Calendar:
    """A week (from Monday), month, quarter or year of the calendar: what a contract counts. On its first day all is forgiven."""

    unit: str

    def __post_init__(self) -> None:
        if self.unit not in UNITS:
            raise LabProblem(
                f"{self.unit!r} is no part of the calendar. Choose one of {', '.join(UNITS)}.{nearest(self.unit, UNITS)}"
            )

    def bounds(self, now: datetime) -> tuple[datetime, datetime]:
        """First moment of the part in which `now` lies, and the first of the next one. Raises LabProblem for one after all calendars."""
        try:
            return self._bounds(now)
        except (OverflowError, ValueError):
            raise LabProblem(f"The {self.unit} of {now:%Y-%m-%d} ends after the year 9999.") from None

    def _bounds(self, now: datetime) -> tuple[datetime, datetime]:
        day = now.replace(hour=0, minute=0, second=0, microsecond=0)
        if self.unit == "week":
            monday = day - timedelta(days=day.weekday())
            return monday, monday + timedelta(days=7)
        months = {"month": 1, "quarter": 3, "year": 12}[self.unit]
        first = (day.month - 1) // months * months + 1
        after = first + months
        start = day.replace(month=first, day=1)
        return start, start.replace(year=start.year + (after > 12), month=(after - 1) % 12 + 1)

    def length_at(self, now: datetime) -> timedelta:
        """February has 28 days or 29, a quarter 90 to 92."""
        start, end = self.bounds(now)
        return _utc(end) - _utc(start)


@dataclass(frozen=True)
class Events:
    """Good or bad events among all of them: counters' selectors, or whole queries with `[{{.window}}]` in them."""

    total: str
    bad: str = ""  # one of the two
    good: str = ""

    def __post_init__(self) -> None:
        for name in ("total", "bad", "good"):
            object.__setattr__(self, name, query(getattr(self, name), name))
        if not self.total:
            raise LabProblem("The SLI has no `total`. Name the counter of all events, good and bad ones.")
        if bool(self.bad) == bool(self.good):
            raise LabProblem(
                "An SLI of events names either `bad` or `good` beside `total`: one of them, not both and not neither."
            )
        some = "bad" if self.bad else "good"
        if getattr(self, some) == self.total:
            raise LabProblem(
                f"`{some}` is the same query as `total`, so all events are {some}, always. Add the matcher that tells them apart."
            )
        mine, whole = grouping(getattr(self, some)), grouping(self.total)
        if not partners(mine, whole):
            raise LabProblem(
                f"`{some}` gives {mine}, and `total` {whole}: none would find its partner, and no failure would count. "
                "Group both alike, or neither."
            )


@dataclass(frozen=True)
class Latency:
    """Requests answered within a threshold, counted by a histogram. A classic one must have the threshold as a bucket; a native one
    takes any, and estimates between its fine buckets.
    """

    histogram: str  # the metric without _bucket or _count
    threshold_seconds: float
    labels: str = ""  # matchers, as in job="gateway"
    native: bool = False

    def __post_init__(self) -> None:
        if self.histogram.endswith(("_bucket", "_count", "_sum")):
            base = self.histogram.rsplit("_", 1)[0]
            raise LabProblem(f"The histogram is named without its ending: write {base}, not {self.histogram}.")
        if not re.fullmatch(METRIC, self.histogram):
            raise LabProblem(
                f"The histogram is {shown(self.histogram)}, which is no metric's name. Write one, as in http_request_duration_seconds."
            )
        if self.labels.strip().startswith("{"):
            raise LabProblem(f'The matchers {shown(self.labels)} are written without braces, as in job="gateway".')
        if self.labels.strip() and not re.fullmatch(MATCHERS, self.labels.strip()):
            raise LabProblem(
                f'The matchers are {shown(self.labels)}. Write a label and a quoted value each, as in job="gateway",code="200".'
            )
        if not self.native and re.search(r"\ble\s*[=!]", bare(self.labels)):
            raise LabProblem(
                f"The matchers {shown(self.labels)} name le. The rules choose le by threshold_seconds: leave it out."
            )
        if not 0 < self.threshold_seconds < float("inf"):
            raise LabProblem(f"A threshold of {self.threshold_seconds} s divides nothing. Write seconds, as in 0.3.")
        if self.threshold_seconds > 3600:
            raise LabProblem(
                f"A threshold of {self.threshold_seconds:g} s is above an hour: these look like milliseconds. "
                f"Durations are seconds here: write {self.threshold_seconds / 1000:g}."
            )

    @property
    def le(self) -> str:
        """The bucket's bound as Prometheus 3 stores it: whole numbers end in .0, else the query finds nothing."""
        return str(float(self.threshold_seconds))


SLI = Events | Latency
Window = Rolling | Calendar


@dataclass(frozen=True)
class SLO:
    """One objective of one service."""

    service: str
    name: str
    objective: Fraction
    sli: SLI
    window: Window = field(default_factory=lambda: Rolling(timedelta(days=30)))
    description: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    alert: str = ""  # the alerts' name; empty: made from service and name
    severities: tuple[str, ...] = SEVERITIES  # which alerts on burn rates are written

    def __post_init__(self) -> None:
        for field_name, text in (("service", self.service), ("name", self.name)):
            _name(field_name, text)
        object.__setattr__(self, "labels", labels(self.labels))
        for key in self.labels:
            if not re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]*", key) or key.startswith("__") or key in OWN_LABELS:
                raise LabProblem(
                    f"The label {shown(key)} cannot be set: names are letters, digits and _, and {', '.join(OWN_LABELS)} are the rules' own."
                )
        wrong = not isinstance(self.severities, list | tuple) or [one for one in self.severities if one not in SEVERITIES]
        if wrong:
            raise LabProblem(f"The severities are {shown(self.severities)}. Write a list of page, ticket, both or neither.")
        object.__setattr__(self, "severities", tuple(one for one in SEVERITIES if one in self.severities))
        object.__setattr__(self, "objective", share(self.objective))
        if not isinstance(self.window, Rolling | Calendar):
            object.__setattr__(self, "window", window(self.window))

    @property
    def id(self) -> str:
        return f"{self.service}-{self.name}"

    @property
    def budget(self) -> Fraction:
        """The share of events that may be bad."""
        return 1 - self.objective


def from_mapping(body: Any) -> SLO:
    """A record from what a YAML file says. Raises LabProblem for a field that is unknown, missing, or of another kind.

    Fields: service, name, objective, window (`30d`, or `calendar month`), total with bad or good, or histogram with
    threshold_seconds, matchers and native (true or false); description, alert, severities (of page and ticket), labels.
    """
    if not isinstance(body, Mapping):
        raise LabProblem("An SLO is a list of fields, as in `objective: 0.999`; this is something else. Write one field a line.")
    known = {
        "service", "name", "objective", "window", "total", "bad", "good", "histogram", "threshold_seconds", "matchers",
        "native", "description", "alert", "severities", "labels",
    }  # fmt: skip
    for key in body:
        if key not in known:
            raise LabProblem(f"An SLO has no field {shown(key)}. It has {', '.join(sorted(known))}.{nearest(str(key), known)}")
    for key in ("service", "name", "objective"):
        if key not in body:
            raise LabProblem(f"The SLO {shown(body.get('name', ''))} lacks the field {key!r}. Add it.")
    return SLO(
        service=body["service"],
        name=body["name"],
        objective=share(body["objective"]),
        sli=_sli(body),
        window=window(body.get("window", "30d")),
        description=texts(body.get("description"), "The description"),
        labels=labels(body.get("labels")),
        alert=texts(body.get("alert"), "The alert's name"),
        severities=body.get("severities", SEVERITIES),
    )


def window(text: str | timedelta) -> Window:
    """`30d` rolls, `calendar month` starts afresh on the first."""
    if isinstance(text, str) and text.startswith("calendar"):
        return Calendar(text.removeprefix("calendar").strip())
    return Rolling(length(text))


def _sli(body: Mapping[str, Any]) -> SLI:
    if "histogram" not in body:
        for key in ("threshold_seconds", "matchers", "native"):
            if key in body:
                raise LabProblem(
                    f"The SLO has {key} and no histogram that it would be of. Name the histogram, or leave {key} out."
                )
        return Events(**{key: texts(body.get(key), f"`{key}`") for key in ("total", "bad", "good")})
    if body.keys() & {"total", "bad", "good"}:
        raise LabProblem("The SLO counts events and times a histogram at once. Write two SLOs, one for each.")
    threshold = body.get("threshold_seconds")
    if isinstance(threshold, bool) or not isinstance(threshold, int | float) or abs(threshold) > 10**300:
        raise LabProblem(
            f"threshold_seconds is {shown(threshold)}. Write a number of seconds without a unit, as in 0.3 for 300 ms."
        )
    native = body.get("native", False)
    if not isinstance(native, bool):
        raise LabProblem(
            f"native is {shown(native)}. Write true for a native histogram, or leave the field out for a classic one."
        )
    histogram, matchers = (texts(body.get(key), f"`{key}`") for key in ("histogram", "matchers"))
    return Latency(histogram, float(threshold), matchers, native)
