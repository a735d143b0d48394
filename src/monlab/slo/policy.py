"""What a team has agreed to do when a budget shrinks, as data; and whether a release may go out today.

A policy has levels, the first for a full budget. An exception lets one SLO pass until a date; it names who allowed it and why.
"""

import math
import numbers
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from fractions import Fraction
from typing import Any

import pandas as pd

from monlab.problem import LabProblem, nearest
from monlab.slo.numbers import NOISE, rounded, shown
from monlab.slo.queries import texts
from monlab.slo.records import SLO, Calendar, from_mapping, share

CHANGES = ("feature", "fix", "reliability", "security")  # of what a release is made; a fix of the outage itself is reliability


@dataclass(frozen=True)
class Level:
    """Holds while the part of the budget that is left is above `above`; the first level that holds counts."""

    name: str
    above: Fraction | None  # None: always
    allows: tuple[str, ...]  # kinds of change
    then: str  # what the team does


@dataclass(frozen=True)
class Pass:
    """An exception, with an end."""

    slo: str  # its id
    until: date  # the last day
    by: str
    why: str


STANDARD = (
    Level("normal", Fraction(1, 2), CHANGES, "Release as usual; risk is what the budget is for."),
    Level("careful", Fraction(1, 5), CHANGES, "Release in working hours, one step at a time, with somebody watching."),
    Level(
        "slow",
        Fraction(0),
        ("fix", "reliability", "security"),
        "No features. The next sprint's first item is the largest spender.",
    ),
    Level(
        "stop",
        None,
        ("reliability", "security"),
        "Only what protects customers. A review of every incident that spent 20 % or more.",
    ),
)


@dataclass(frozen=True)
class Agreement:
    """A gate's file: objectives, levels, exceptions."""

    slos: tuple[SLO, ...]
    levels: tuple[Level, ...]
    passes: tuple[Pass, ...]


@dataclass(frozen=True)
class Decision:
    """Whether a release may go out as far as one SLO is concerned, and why."""

    slo: str
    level: str
    left: float | None  # part of the budget; None: unknown
    open: bool
    reason: str


def decide(slo: SLO, ratio: float | None, agreement: Agreement, change: str, today: date, seen: str = "") -> Decision:
    """The decision for an error ratio over the SLO's window; None is missing data, which opens nothing. What was `seen` is said, too."""
    if change not in CHANGES:
        raise LabProblem(f"{change!r} is no kind of change. Choose one of {', '.join(CHANGES)}.{nearest(change, CHANGES)}")
    left: float | None
    if ratio is None or ratio is pd.NA or (isinstance(ratio, float) and math.isnan(ratio)):
        left = None
        then = "Mend the query." if seen else "Find out why the query has no answer."
        level = Level("unknown", None, ("reliability", "security"), then)
        why = seen or "There is no data for the window, and missing data is not 100 %."
    elif isinstance(ratio, float) and not -NOISE <= ratio <= 1 + NOISE:
        left = None
        level = Level("unknown", None, ("reliability", "security"), "Mend the queries.")
        why = f"The error ratio is {ratio:g}, so one query counts events that the other does not: let both select the same requests."
    else:
        exact = _left(slo, share(min(max(ratio, 0.0), 1.0) if isinstance(ratio, float) else ratio, "The error ratio"))
        level = next(one for one in agreement.levels if one.above is None or (exact is not None and exact > one.above))
        left = -math.inf if exact is None else float(exact)
        if slo.budget:
            why = f"{rounded(left * 100, 1)}% of the budget is left: level {level.name}."
        else:
            why = f"There was no budget, and {'something' if ratio else 'nothing'} failed: level {level.name}."
        why = f"{why} {seen}".rstrip()
    if change in level.allows:
        return Decision(slo.id, level.name, left, True, f"{why} {level.then}".rstrip())
    valid = [one for one in agreement.passes if one.slo == slo.id and one.until >= today]
    if valid:
        one = valid[0]
        return Decision(slo.id, level.name, left, True, f"{why} {one.by} allowed it until {one.until}: {one.why}")
    over = [one for one in agreement.passes if one.slo == slo.id]
    late = f" The exception of {over[0].by} ended on {over[0].until}." if over else ""
    return Decision(slo.id, level.name, left, False, f"{why} A {change} must wait. {level.then}{late}".rstrip())


def _left(slo: SLO, ratio: Fraction) -> Fraction | None:
    """The part of the budget that is left; None: there was none, and something failed."""
    if slo.budget:
        return 1 - ratio / slo.budget
    return None if ratio else Fraction(1)


def agreement(body: Any) -> Agreement:
    """A gate's file, read: `slos`, and if wanted `levels` and `exceptions`. Raises LabProblem for what cannot be meant."""
    known = {"slos", "levels", "exceptions"}
    _fields(body, known, "A gate's file")
    slos = tuple(from_mapping(one) for one in _list(body, "slos"))
    if not slos:
        raise LabProblem("The gate's file has no `slos`. Name at least one objective, else the gate is always open.")
    twice = [one.id for at, one in enumerate(slos) if one.id in {other.id for other in slos[:at]}]
    if twice:
        raise LabProblem(f"The objective {twice[0]} stands twice in the gate's file. Give each a name of its own.")
    levels = tuple(_level(one) for one in _list(body, "levels")) or STANDARD
    limits = [one.above for one in levels[:-1]]
    if levels[-1].above is not None or any(one is None for one in limits) or limits != sorted(set(limits), reverse=True):  # type: ignore[type-var]
        raise LabProblem(
            "Levels go from a full budget to an empty one: `above` falls from level to level, and the last has none."
        )
    passes = tuple(_pass(one) for one in _list(body, "exceptions"))
    for one in passes:
        if one.slo not in {slo.id for slo in slos}:
            raise LabProblem(
                f"The exception for {one.slo!r} is for none of the file's SLOs.{nearest(one.slo, [slo.id for slo in slos])}"
            )
    return Agreement(slos, levels, passes)


def _list(body: Mapping[str, Any], key: str) -> list[Any]:
    found = body.get(key) or []
    if not isinstance(found, list):
        raise LabProblem(f"`{key}` is {shown(found)}. Write a list: one entry a line, each after a dash.")
    return found


def _fields(body: Any, known: set[str], what: str) -> None:
    if not isinstance(body, Mapping):
        raise LabProblem(f"{what} is {shown(body)}, not a list of fields. It has {', '.join(sorted(known))}.")
    for key in body:
        if key not in known:
            raise LabProblem(f"{what} has no field {shown(key)}. It has {', '.join(sorted(known))}.{nearest(str(key), known)}")


def _level(body: Any) -> Level:
    _fields(body, {"name", "above", "allows", "then"}, "A level")
    allows = tuple(str(one) for one in _list(body, "allows"))
    name = texts(body.get("name"), "A level's name")
    if not name:
        raise LabProblem("A level has no name. Give it one: the gate's answer is read by it.")
    unknown = [one for one in allows if one not in CHANGES]
    if unknown:
        raise LabProblem(f"A level allows {shown(unknown[0])}, which is no kind of change. Kinds are {', '.join(CHANGES)}.")
    above = body.get("above")
    return Level(
        name,
        None if above is None else share(above, "A level's `above`"),
        allows,
        texts(body.get("then"), "What a level has the team do"),
    )


def _pass(body: Any) -> Pass:
    _fields(body, {"slo", "until", "by", "why"}, "An exception")
    until = body.get("until")
    if isinstance(until, datetime) or not isinstance(until, date):
        raise LabProblem(
            f"The exception for {shown(body.get('slo'))} ends {shown(until)}. Every exception ends: write until: 2026-07-02."
        )
    if not body.get("by") or not body.get("why"):
        raise LabProblem(
            f"The exception for {shown(body.get('slo'))} lacks `by` or `why`. Write who allowed it, and for what reason."
        )
    return Pass(str(body.get("slo", "")), until, str(body["by"]), str(body["why"]))


def gate(
    ratios: Mapping[str, float | None],
    of: Agreement,
    change: str = "feature",
    now: datetime | None = None,
    seen: Mapping[str, str] | None = None,
) -> list[Decision]:
    """A decision for each SLO of the agreement, by its id, from error ratios over its window, as far as that has come; one that was
    not measured counts as unknown.

    `seen` holds a sentence for those whose measurement wants one.
    """
    now = now or datetime.now(UTC)
    return [
        decide(slo, _of_whole_window(slo, ratios.get(slo.id), now), of, change, now.date(), (seen or {}).get(slo.id, ""))
        for slo in of.slos
    ]


def _of_whole_window(slo: SLO, ratio: float | None, now: datetime) -> float | None:
    """What failed so far, of all events of the window: the rest of a calendar's part is to come, and taken to be as busy."""
    if (
        not isinstance(slo.window, Calendar)
        or isinstance(ratio, bool)
        or not isinstance(ratio, numbers.Real)
        or not -NOISE <= ratio <= 1 + NOISE
    ):
        return ratio
    start, end = slo.window.bounds(now)
    return min(max(float(ratio), 0.0), 1.0) * ((now - start) / (end - start))


def is_open(decisions: Sequence[Decision]) -> bool:
    return bool(decisions) and all(one.open for one in decisions)
