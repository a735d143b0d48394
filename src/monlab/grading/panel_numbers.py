"""What a panel shows a reader in June, as numbers in the base of their unit, and whether two panels show the same.

Names of series, colours, places and the way a query is written are left out. What is empty at an instant is a gap, and so is NaN,
which Grafana draws as one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from monlab.dashboards.layout import laid_out
from monlab.dashboards.model import Panel
from monlab.dashboards.reducers import reduce
from monlab.dashboards.running import Shown, run
from monlab.dashboards.variables import Value
from monlab.dashboards.window import Window
from monlab.grading.panel_units import Meaning, meaning
from monlab.grading.results import Labels, close

COURSE, NUMBER = "a course over time", "one number a series"
FAMILIES = {
    **dict.fromkeys(("timeseries", "barchart"), COURSE),
    **dict.fromkeys(("stat", "gauge", "bargauge", "piechart", "table"), NUMBER),
    "heatmap": "a heatmap",
}
MOST_COPIES = 10
MOST_SERIES = 300


@dataclass(frozen=True)
class Situation:
    """A stretch of June, and values chosen for variables, in which a dashboard is looked at."""

    window: Window
    points: int  # of each series: decides the step, and with it $__rate_interval
    chosen: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @property
    def choices(self) -> dict[str, list[str] | str]:
        return {name: values[0] if len(values) == 1 else list(values) for name, values in self.chosen}

    def __str__(self) -> str:
        words = [f"{name} = {' and '.join('All' if one == '$__all' else one for one in values)}" for name, values in self.chosen]
        return f"{self.window.said()} UTC" + (f", with {', '.join(words)}" if words else "")


@dataclass(frozen=True)
class Row:
    """A series, or the one number that stands for it."""

    labels: Labels
    values: np.ndarray  # in the unit's base, NaN where there is nothing
    factor: float  # by which they were multiplied


@dataclass(frozen=True)
class Numbers:
    """What one panel shows in one situation."""

    family: str
    dimension: str
    rows: tuple[Row, ...]

    @property
    def bare(self) -> "Numbers":
        """Without the unit: the numbers as the query gives them."""
        return Numbers(self.family, "", tuple(Row(row.labels, row.values / row.factor, 1.0) for row in self.rows))

    def kept(self) -> dict[str, Any]:
        rows = [[list(map(list, row.labels)), row.values.tolist(), row.factor] for row in self.rows]
        return {"family": self.family, "dimension": self.dimension, "rows": rows}


def from_kept(found: Mapping[str, Any]) -> Numbers:
    rows = tuple(
        Row(tuple((name, value) for name, value in labels), np.array(values, float), factor)
        for labels, values, factor in found["rows"]
    )
    return Numbers(found["family"], found["dimension"], rows)


def asked(panel: Panel, situation: Situation, known: Mapping[str, Value]) -> list[Shown]:
    """The panel's queries, run: one of it, or one for each copy that `repeat` makes. The step is the situation's, whatever the width."""
    copies = laid_out((panel,), dict(known))[:MOST_COPIES]
    return [replace(run(_steady(one, situation), situation.window, known), panel=one) for one in copies]


def numbers(shown: list[Shown]) -> Numbers:
    """What was found, as a reader sees it. Raises ValueError for more series than anybody could see."""
    from monlab.dashboards.looks import looks  # loads matplotlib, which few checks need

    rows: list[Row] = []
    dimensions: set[str] = set()
    for one in shown:
        lines = one.lines
        if len(lines) + len(rows) > MOST_SERIES:
            raise ValueError(f"It shows more than {MOST_SERIES} series, which nobody can read.")
        for line, look in zip(lines, looks(one.panel, lines), strict=True):
            unit: Meaning = meaning(look.panel.unit)
            values = _reduced(one.panel, line.series.values)
            values = np.where(np.isnan(values), np.nan, values) * unit.factor
            if not np.isnan(values).all() and not look.panel.hidden:
                labels = tuple(sorted((name, value) for name, value in line.series.labels.items() if name != "__name__"))
                rows.append(Row(labels, values, unit.factor))
                dimensions.add(unit.dimension)
    panel = shown[0].panel
    family = FAMILIES.get(panel.type, f"a panel of type {panel.type}")
    if panel.type == "table" and any(not (a.target.instant or a.target.format == "table") for one in shown for a in one.asked):
        family = "a row for every minute"
    rows.sort(key=lambda row: row.labels)
    return Numbers(family, " and ".join(sorted(dimensions)), tuple(rows))


def same(mine: Numbers, wanted: Numbers, tolerance: float) -> bool:
    """Whether a reader sees the same numbers. Labels may differ: they are names."""
    if mine.family != wanted.family or len(mine.rows) != len(wanted.rows):
        return False
    left = list(wanted.rows)
    for row in mine.rows:
        found = next((n for n, other in enumerate(left) if _alike(row, other, tolerance)), None)
        if found is None:
            return False
        left.pop(found)
    return True


def _alike(row: Row, other: Row, tolerance: float) -> bool:
    return len(row.values) == len(other.values) and bool(close(row.values, other.values, tolerance).all())


def _reduced(panel: Panel, values: np.ndarray) -> np.ndarray:
    if FAMILIES.get(panel.type) != NUMBER or panel.type == "table":
        return values
    return np.array([reduce(values, panel.reducers[0])])


def _steady(panel: Panel, situation: Situation) -> Panel:
    targets = tuple(replace(one, interval="") for one in panel.targets)
    return replace(panel, targets=targets, interval="", max_points=situation.points)
