"""A dashboard that a stranger wrote, looked at: what its panels show in each situation, and what is wrong with the file as such."""

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from monlab.dashboards import checking, reader
from monlab.dashboards.choices import choices
from monlab.dashboards.model import Dashboard, Panel, Transformation, Variable
from monlab.dashboards.running import Shown, run
from monlab.dashboards.variables import ALL, Value
from monlab.dashboards.window import ARCHIVE_SCRAPE_MS
from monlab.grading import asking
from monlab.grading.panel_numbers import Numbers, Situation, asked, numbers
from monlab.grading.results import Refusal
from monlab.grading.yaml_answers import Unreadable
from monlab.problem import LabProblem
from monlab.telemetry.prometheus import seconds_of

MOST_PANELS, MOST_QUERIES, MOST_VARIABLES = 40, 80, 20
MOST_SECONDS = 20.0
RANGE = re.compile(r"\[\s*((?:\d+(?:ms|[smhdw]))+)\s*\]")
RATE_INTERVAL = re.compile(r"\$__rate_interval\b|\$\{__rate_interval\}")
LONG_ENOUGH_S = (4 * ARCHIVE_SCRAPE_MS / 1000, 15 * ARCHIVE_SCRAPE_MS / 1000)  # literal windows that do for $__rate_interval
HARMLESS = ("organize", "sortBy", "renameByRegex", "labelsToFields", "merge")  # transformations that leave the numbers alone
INNER_REPEAT = re.compile(r"\)\s*[*+{]")
REPEAT = re.compile(r"(?<!\\)[*+]|\{\d+,\d*\}")
MOST_REPEATS = 4
SKIPPED = ("row", "text")
MARK = 0xE000  # letters of nobody


def _harmless(one: Transformation) -> bool:
    """Whether the numbers are all still there after it."""
    out = one.options.get("excludeByName")
    return one.id in HARMLESS and not any(
        gone and name.startswith("Value") for name, gone in (out if isinstance(out, dict) else {}).items()
    )


class TooMuch(Exception):
    """Judging the answer takes longer than a learner should wait. The message is a sentence."""


@dataclass(eq=False)
class Seen:
    """One panel, with what it shows in each situation."""

    panel: Panel
    shown: list[list[Shown]] = field(default_factory=list)
    numbers: list[Numbers] = field(default_factory=list)
    trouble: str = ""  # why there are no numbers: a refused query, a query that is missing
    refused: str = ""  # the same without places and names, when a server refused it
    elsewhere: bool = False  # it asks a data source that is not up


def board_of(model: dict[str, Any]) -> Dashboard:
    """The dashboard in parsed JSON. Raises Unreadable when it is none, or holds more than anybody would look at."""
    try:
        found = reader.of(model, "Your answer")
    except LabProblem as problem:
        raise Unreadable(str(problem)) from None
    queries = sum(len(panel.targets) for panel in found.panels)
    for many, most, what in (
        (len(found.panels), MOST_PANELS, "panels"),
        (queries, MOST_QUERIES, "queries"),
        (len(found.variables), MOST_VARIABLES, "variables"),
    ):
        if many > most:
            raise Unreadable(f"Your answer has {many:,} {what}, and {most} are more than any here needs. It was not looked at.")
    raw = _raw(model)
    if len(raw) == len(found.panels):
        found = replace(found, panels=tuple(_timed(*both) for both in zip(found.panels, raw, strict=True)))
    slow = next((text for text in _patterns(found) if INNER_REPEAT.search(text) or len(REPEAT.findall(text)) > MOST_REPEATS), "")
    if slow:
        raise Unreadable(f"The regular expression {slow[:60]!r} repeats too much to be tried here. Write a plainer one.")
    return found


def _inside(model: dict[str, Any]) -> dict[str, Any]:
    """The dashboard without what the API or Kubernetes wraps it in, as the reader takes it."""
    for key in ("dashboard", "spec"):
        if isinstance(model.get(key), dict) and "panels" not in model:
            return dict(model[key])
    return model


def _raw(model: dict[str, Any]) -> list[dict[str, Any]]:
    """The panels as they are written, in the reader's order."""
    inside = _inside(model)
    found = []
    for one in _objects(inside.get("panels")):
        found.append(one)
        if one.get("type") == "row":
            found += _objects(one.get("panels"))
    return found + [one for row in _objects(inside.get("rows")) for one in _objects(row.get("panels"))]


def _objects(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _timed(panel: Panel, raw: dict[str, Any]) -> Panel:
    """A panel with a time of its own shows other moments than its neighbours, so it is not judged."""
    key = next((key for key in ("timeShift", "timeFrom") if raw.get(key)), "")
    said = f"It has a time of its own (`{key}`), and shows other moments than the screen says."
    return replace(panel, unsupported=said) if key and not panel.unsupported else panel


def hidden(model: dict[str, Any]) -> set[str]:
    """Names of variables that nobody sees, and so nobody can choose."""
    inside = _inside(model).get("templating")
    return {
        str(one.get("name")) for one in _objects(inside.get("list") if isinstance(inside, dict) else None) if one.get("hide") == 2
    }


def _patterns(board: Dashboard) -> list[str]:
    """Regular expressions that would be tried on this machine; those in queries are the server's."""
    found = [variable.regex for variable in board.variables]
    found += [one.query for one in board.variables if one.query.strip().startswith("metrics(")]
    return found + [rule.option for panel in board.panels for rule in panel.overrides if rule.matcher == "byRegexp"]


def literal(panel: Panel) -> str:
    """The one window that all of the panel's queries spell out, when it is long enough for this month's scrapes; else empty."""
    texts = [target.expr for target in panel.targets]
    found = {seconds_of(window) for text in texts for window in RANGE.findall(text)}
    if len(found) != 1 or any(RATE_INTERVAL.search(text) for text in texts):
        return ""
    [seconds] = found
    return f"{seconds:g}s" if LONG_ENOUGH_S[0] <= seconds <= LONG_ENOUGH_S[1] else ""


def spelled(panel: Panel, window: str) -> Panel:
    """The panel with `$__rate_interval` replaced by a window."""
    if not window:
        return panel
    return replace(panel, targets=tuple(replace(one, expr=RATE_INTERVAL.sub(window, one.expr)) for one in panel.targets))


class Look:
    """A dashboard in all situations of a check. Panels are asked when they are looked at, and once."""

    def __init__(self, board: Dashboard, situations: Sequence[Situation], window: str = "") -> None:
        self.board = board
        self.situations = situations
        self.window = window
        self._known: dict[int, dict[str, Value]] = {}
        self.notes: list[str] = []  # about variables that could not be filled
        self._began = time.monotonic()
        self.seen = [Seen(panel) for panel in board.panels if panel.type not in SKIPPED]
        self._asked: set[int] = set()

    def numbers(self, seen: Seen) -> list[Numbers]:
        """The panel's numbers, one for each situation; none when `seen.trouble` says why. Raises LabProblem when the archive is away."""
        if id(seen) not in self._asked:
            self._asked.add(id(seen))
            self._ask(seen)
        return seen.numbers

    def _ask(self, seen: Seen) -> None:
        panel = spelled(seen.panel, self.window)
        strange = [one.id for one in panel.transformations if not _harmless(one)]
        if panel.unsupported or strange:
            seen.trouble = (
                panel.unsupported or f"The transformation {strange[0]!r} is not run here. Write what it does into the query."
            )
            return
        if not panel.targets:
            seen.trouble = "The panel has no query."
            return
        found = []
        for place, situation in enumerate(self.situations):
            self._in_time()
            shown = asked(panel, situation, self.known(place))
            seen.shown.append(shown)
            if any(one.error for one in shown):
                _note(seen, shown)
                return
            try:
                found.append(numbers(shown))
            except ValueError as problem:
                seen.trouble = str(problem)
                return
        seen.numbers = found

    def known(self, place: int) -> dict[str, Value]:
        """Values of all variables in a situation."""
        if place not in self._known:
            there = {one.name for one in self.board.variables}
            situation = self.situations[place]
            wanted = {name: value for name, value in situation.choices.items() if name in there}
            found = choices(self.board, situation.window, wanted)
            self.notes += [note for note in found.notes if note not in self.notes]
            self._known[place] = found.known
        return self._known[place]

    def offered(self, variable: Variable, place: int) -> list[str]:
        """What can be chosen for a variable in a situation, sorted."""
        self._in_time()
        opened = replace(variable, include_all=True, all_value="", current=(ALL,))
        board = replace(self.board, variables=tuple(opened if one is variable else one for one in self.board.variables))
        situation = self.situations[place]
        there = {one.name for one in board.variables}
        wanted = {name: value for name, value in situation.choices.items() if name in there} | {variable.name: ALL}
        return sorted(set(choices(board, situation.window, wanted).known[variable.name].values))

    def findings(self, panels: Sequence[Seen]) -> list[tuple[Seen, str]]:
        """What `dashboard.check` says of panels in the first situation, their own least step included."""
        shown = [self._plain(one, place) for place, one in enumerate(panels)]
        found = checking.findings(replace(self.board, notes=(), problems=()), shown, self.situations[0].window)
        return [(panels[ord(one.panel[-1]) - MARK], one.finding) for one in found]

    def _plain(self, seen: Seen, place: int) -> Shown:
        """The panel as it was run, marked with its place: titles and ids of an answer may be there twice."""
        self.numbers(seen)
        panel = replace(seen.panel, id=place + 1, title=f"{seen.panel.title}{chr(MARK + place)}")
        if panel.interval or any(one.interval for one in panel.targets) or not seen.shown:
            self._in_time()
            return run(panel, self.situations[0].window, self.known(0))
        return replace(seen.shown[0][0], panel=panel)

    def _in_time(self) -> None:
        if time.monotonic() - self._began > MOST_SECONDS:
            raise TooMuch(f"The queries of your dashboard take longer than {MOST_SECONDS:.0f} seconds. Ask for fewer series.")


def _note(seen: Seen, shown: list[Shown]) -> None:
    """Why a query has no answer. Raises LabProblem when the archive is the reason."""
    failed = [one for copy in shown for one in copy.asked if one.error]
    seen.trouble = failed[0].error
    if failed[0].refused:
        seen.refused = Refusal(seen.trouble, "").kind
    elif failed[0].query:
        asking.metrics.type_of("1")
        seen.elsewhere = True
