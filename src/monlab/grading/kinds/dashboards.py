"""Dashboards over the archived month: each panel must show what the reference's panel shows, and hold what was asked beside.

A panel is found by what it shows, so titles, ids, places and the order of panels are the learner's.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any, ClassVar

from monlab.archive.month import END, START
from monlab.dashboards.model import Dashboard
from monlab.dashboards.window import Window
from monlab.grading import asking, cache, json_answers, panel_asks
from monlab.grading.check import Check, Rejects, fenced, pairs
from monlab.grading.dashboard_answers import Look, TooMuch, board_of, hidden
from monlab.grading.dashboard_judging import Judge
from monlab.grading.instants import between
from monlab.grading.panel_differences import Failure, failure_from_kept
from monlab.grading.panel_numbers import Numbers, Situation, from_kept
from monlab.grading.results import TOLERANCE
from monlab.grading.verdict import Verdict
from monlab.grading.yaml_answers import MOST_CHARACTERS, Unreadable
from monlab.settings import settings

__all__ = ["dashboard", "over"]

POINTS = 48
FINDINGS = (
    "query error", "empty", "wrong unit", "rate over a gauge", "averaged percentile", "missing by (le)", "hard-coded window",
    "no description", "no query", "unknown variable", "old", "not supported",
)  # fmt: skip
PROPERTIES = (*panel_asks.ASKS, "choices", "zoom")


def over(start: str, end: str, *, points: int = POINTS, **chosen: str | tuple[str, ...]) -> Situation:
    """A stretch of June in which a dashboard is looked at, with values for its variables (`job="payments"`, `job=("a", "b")`,
    `job="$__all"`). A stretch that is longer has a longer step, and so a longer `$__rate_interval`."""
    window = between(start, end)
    if not START.timestamp() <= window.start < window.end <= END.timestamp():
        raise ValueError(f"{start} to {end} is no stretch of June.")
    values = tuple((name, (value,) if isinstance(value, str) else tuple(value)) for name, value in chosen.items())
    return Situation(Window(window.start, window.end, archived=True), points, values)


@dataclass(frozen=True, kw_only=True)
class DashboardCheck(Check):
    """A question whose answer is a dashboard."""

    reference: str  # JSON
    seen: tuple[Situation, ...]
    findings: tuple[str, ...]  # kinds of `dashboard.check` that must be gone
    asks: tuple[str, ...]
    tolerance: float

    wants: ClassVar[str] = (
        "a dashboard: its JSON as a text, a dict, or the name of a file in the workspace such as files/m03/mine.json"
    )
    types: ClassVar[tuple[type, ...]] = (str, dict, Path)
    most_characters: ClassVar[int] = MOST_CHARACTERS

    def unfit(self, answer: Any) -> str:
        """A text is looked at by its own reader, which knows what a dashboard's may be."""
        return super().unfit(str(answer) if isinstance(answer, Path) else answer)

    def kept(self, answer: Any) -> Any:
        """What is remembered of an answer: what a file held, rather than its name."""
        try:
            return json_answers.text_of(answer) if isinstance(answer, str | Path) else answer
        except Unreadable:
            return str(answer)

    def judge(self, answer: Any) -> Verdict:
        try:
            model = json_answers.read(answer)
            failure, window = self._failure(model)
        except (Unreadable, TooMuch) as problem:
            return self.wrong(str(problem))
        if failure is None:
            return self.right(f"Each panel shows what was asked, in {len(self.seen)} stretches of June.")
        return self.wrong(failure.sentence, mistake=self._mistake(failure, window))

    def _mistake(self, failure: Failure, window: str) -> str:
        """The message of the rejected answer that fails in the same way; empty when there is none."""
        for example, message in self.rejects:
            known = self._known(example, window)
            if known and failure.like(known, self.tolerance):
                return message
        return ""

    def _known(self, example: Any, window: str) -> Failure | None:
        """How a known mistake fails, kept. With a window, as if it spelled that instead of `$__rate_interval`."""
        text = example if isinstance(example, str) else json.dumps(example)

        def ask() -> Any:
            try:
                found, _ = self._failure(json_answers.read(text), window)
            except (Unreadable, TooMuch):
                return None
            return found.kept() if found else None

        kept = cache.said(f"{self._basis} {window} {text}", ask)
        return failure_from_kept(kept) if kept else None

    def wanted(self, window: str = "") -> list[list[Numbers]]:
        """What each panel of the reference shows in each situation. Raises ValueError for a panel that shows nothing at all."""

        def ask() -> Any:
            look = Look(self._board, self.seen, window)
            return [[one.kept() for one in look.numbers(seen)] for seen in look.seen]

        found = [[from_kept(one) for one in panel] for panel in cache.said(f"{self._basis} {window} wanted", ask)]
        for seen, panel in zip(self._titles, found, strict=True):
            if not any(one.rows for one in panel):
                raise ValueError(f"{self.id}: the panel {seen!r} of the reference shows nothing.")
        return found

    def offered(self, name: str, place: int) -> list[str]:
        """What the reference's variable offers in a situation."""

        def ask() -> Any:
            look = Look(self._board, self.seen)
            return look.offered(next(one for one in look.board.variables if one.name == name), place)

        return list(cache.said(f"{self._basis} offered {name} {place}", ask))

    @property
    def _board(self) -> Dashboard:
        return board_of(json.loads(self.reference))

    @property
    def _titles(self) -> list[str]:
        return [one.panel.title for one in Look(self._board, self.seen).seen]

    @property
    def _basis(self) -> str:
        """All that numbers depend on beside the answer, for the cache."""
        return f"{self.id} {asking.metrics.fingerprint()} {_code()} {self.reference} {self.seen} {self.findings} {self.asks}"

    def _failure(self, model: dict[str, Any], window: str = "") -> tuple[Failure | None, str]:
        """The first condition that fails, and the window that the panel in question spells out."""
        asking.metrics.fingerprint()  # raises LabProblem when the archive is not up
        look = Look(board_of(model), self.seen, window)
        judge = Judge(self, look, Look(self._board, self.seen), hidden(model))
        return judge.failure(), judge.window


@lru_cache(maxsize=1)
def _code() -> str:
    """A fingerprint of what reads, fills and asks dashboards: kept numbers of another version are not used."""
    files = sorted((settings().repo / "src" / "monlab" / "dashboards").glob("*.py"))
    files += sorted((settings().repo / "src" / "monlab" / "grading").glob("*.py"))
    return sha256(b"".join(path.read_bytes() for path in [*files, Path(__file__)])).hexdigest()[:16]


def dashboard(
    id: str,
    *,
    reference: str | Mapping[str, Any],
    seen: Iterable[Situation],
    accepts: Iterable[Any],
    rejects: Rejects,
    hints: Iterable[str],
    findings: Iterable[str] = (),
    asks: Iterable[str] = (),
    solution: str = "",
    tolerance: float = TOLERANCE,
) -> DashboardCheck:
    """A question that a dashboard answers. Each panel of the reference must be there by what it shows, `seen` in several stretches
    and with several choices; more panels may. A number counts with its unit: 95 `percent` is 0.95 `percentunit`.

    `findings`: kinds of `dashboard.check` that must be gone. `asks`: what must be as in the reference beside: `type`, `thresholds`,
    `scale` (min and max), `description` (three words at least), `choices` (what its variables offer), `zoom` (no window spelled out
    where the reference has `$__rate_interval`; else any of 4 to 15 minutes does). A variable that a situation chooses must be there
    and work; several values or `$__all` must be possible where one chooses them. `findings=FINDINGS` asks for all.
    """
    text = reference if isinstance(reference, str) else json.dumps(reference, ensure_ascii=False, indent=1)
    unknown = {*findings} - {*FINDINGS} | ({*asks} - {*PROPERTIES})
    if unknown:
        raise ValueError(f"{id}: unknown findings or properties {sorted(unknown)}.")
    return DashboardCheck(
        id=id,
        reference=text,
        seen=tuple(seen),
        findings=tuple(findings),
        asks=tuple(asks),
        tolerance=tolerance,
        accepts=tuple(accepts),
        rejects=pairs(rejects),
        hints=tuple(hints),
        solution=solution or fenced(text, "json"),
    )
