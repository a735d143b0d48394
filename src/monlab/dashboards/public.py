"""What a notebook may ask of a dashboard."""

import warnings
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd

from monlab.archive import month
from monlab.dashboards import asking, checking, drawing, reader
from monlab.dashboards.choices import choices
from monlab.dashboards.layout import laid_out
from monlab.dashboards.model import Dashboard
from monlab.dashboards.running import Shown, moments, run
from monlab.dashboards.window import Window
from monlab.problem import LabProblem, nearest
from monlab.settings import settings
from monlab.telemetry.prometheus import Prometheus, seconds_of

USUAL = "30m"
What = str | Path | dict[str, Any] | Dashboard
Moment = datetime | str | None
MOST = 60  # panels of one picture


def names() -> list[str]:
    """The dashboards of the course."""
    return sorted(path.stem for path in _home().glob("*.json"))


def read(what: What) -> Dashboard:
    """A dashboard by its name, a path in the workspace, JSON text, or parsed JSON. Raises LabProblem when it is none."""
    if isinstance(what, Dashboard):
        return what
    if not isinstance(what, str | Path):
        return reader.of(what)
    text = str(what)
    if isinstance(what, str) and text.lstrip()[:1] in ("{", "["):
        return reader.parse(text)
    path = _path(text)
    try:
        return reader.parse(path.read_text("utf-8"), path.name)
    except (OSError, UnicodeDecodeError) as error:
        raise LabProblem(f"{path.name} cannot be read: {error}") from None


def show(
    what: What, last: str | float = USUAL, start: Moment = None, end: Moment = None, **variables: str | Sequence[str]
) -> None:
    """Runs every panel's query and draws the dashboard in its own grid. With `start` (and `end`) it shows the archived month.

    Further arguments choose values of variables: `job="payments"`, `instance=["a", "b"]`. Raises LabProblem only when there is
    no dashboard to draw; a panel that fails says so itself.
    """
    dashboard, window, shown, said = _run(what, last, start, end, variables)
    found: list[tuple[float, str, str]] = []
    not_drawn: list[str] = []
    if dashboard.annotations:
        found, not_drawn = moments(dashboard.annotations, window, choices(dashboard, window, variables).known)
    drawing.draw(dashboard.title, shown, window, [*said, *not_drawn], found)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph")  # a letter that the font lacks is drawn as a box; that needs no word
        plt.show()


def results(
    what: What, last: str | float = USUAL, start: Moment = None, end: Moment = None, **variables: str | Sequence[str]
) -> pd.DataFrame:
    """A row a query: panel, ref, the query as it was asked, series found, error."""
    _, _, shown, _ = _run(what, last, start, end, variables)
    rows = [
        {
            "panel": one.panel.title,
            "type": one.panel.type,
            "ref": asked.target.ref,
            "query": asked.query,
            "found": len(asked.answer.series) + len(asked.answer.lines) + len(asked.answer.edges) + len(asked.answer.rows),
            "error": asked.error,
        }
        for one in shown
        for asked in one.asked
    ]
    return pd.DataFrame(rows, columns=["panel", "type", "ref", "query", "found", "error"])


def check(
    what: What, last: str | float = USUAL, start: Moment = None, end: Moment = None, **variables: str | Sequence[str]
) -> pd.DataFrame:
    """What is wrong, a row a finding: panel, finding, and a sentence. No row means that nothing was found."""
    dashboard, window, shown, _ = _run(what, last, start, end, variables)
    found = checking.findings(dashboard, shown, window)
    return pd.DataFrame([vars(one) for one in found], columns=["panel", "finding", "sentence"])


def _run(
    what: What, last: str | float, start: Moment, end: Moment, variables: dict[str, str | Sequence[str]]
) -> tuple[Dashboard, Window, list[Shown], list[str]]:
    dashboard = read(what)
    window = _window(last, start, end)
    chosen = choices(dashboard, window, variables)
    if chosen.odd:
        raise LabProblem(chosen.odd[0])
    panels = laid_out(dashboard.panels, chosen.known)
    said = [*dashboard.notes, *chosen.notes, *dashboard.problems[:3]]
    if len(dashboard.problems) > 3:
        said.append(f"{len(dashboard.problems) - 3} more values are of a wrong type; dashboard.check names them.")
    if exemplars := sum(target.exemplar for panel in panels for target in panel.targets):
        said.append(f"Exemplars are not drawn; {exemplars} of its queries ask for them.")
    walls = [panel for panel in panels if panel.type != "row"]
    if len(walls) > MOST:
        said.append(f"{MOST} of {len(walls)} panels are drawn, the first ones.")
        kept = walls[MOST - 1]
        panels = panels[: panels.index(kept) + 1]
    return dashboard, window, [run(panel, window, chosen.known) for panel in panels], said


def _window(last: str | float, start: Moment, end: Moment) -> Window:
    if start is not None and end is not None and last != USUAL:
        raise LabProblem("Give `start` and `end`, or `last` with one of them: three ends make no window.")
    if start is None and end is None:
        try:
            now = Prometheus(asking.server_of("prometheus", False))._now()
        except LabProblem:
            now = pd.Timestamp.now("UTC").timestamp()  # the panels say that the server is away
        return Window(now - seconds_of(last), now)
    first = _moment(start) if start is not None else _moment(end) - seconds_of(last)
    final = _moment(end) if end is not None else first + seconds_of(last)
    if final <= first:
        raise LabProblem("The window ends before it begins. Give `start`, then a later `end`.")
    if not (month.START.timestamp() <= first and final <= month.END.timestamp()):
        raise LabProblem("`start` and `end` choose from the archived month, June 2026 (UTC). For the live lab give `last` alone.")
    return Window(first, final, archived=True)


def _moment(moment: Moment) -> float:
    try:
        stamp = pd.Timestamp(moment or "")
        return float((stamp.tz_localize("UTC") if stamp.tzinfo is None else stamp).timestamp())
    except (ValueError, TypeError):
        raise LabProblem(f'{moment!r} is no time. Write it as "2026-06-15 09:30", or archive.at(15, "09:30").') from None


def _home() -> Path:
    return settings().repo / "stack" / "grafana" / "dashboards"


def _path(text: str) -> Path:
    for path in (Path(text), settings().workspace / text, _home() / f"{text}.json"):
        try:
            if path.suffix == ".json" and path.is_file():
                return path
        except OSError:
            break
    if text.endswith(".json"):
        raise LabProblem(f"There is no file {text!r}.{_near(text)}")
    raise LabProblem(f"There is no dashboard {text!r}.{nearest(text, names())} The course has: {', '.join(names())}.")


def _near(text: str) -> str:
    """The file of the workspace's folder that resembles the wanted one, and what else lies beside it."""
    folder = (settings().workspace / text).parent
    there = sorted(str(Path(text).parent / path.name) for path in folder.glob("*.json"))[:MOST]
    return f"{nearest(text, there)} The folder has: {', '.join(Path(one).name for one in there)}." if there else ""
