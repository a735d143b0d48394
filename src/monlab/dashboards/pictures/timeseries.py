"""Lines, areas and bars over time, with a legend below."""

import math
import re
from dataclasses import replace

import numpy as np
from matplotlib import ticker
from matplotlib.axes import Axes

from monlab.dashboards.looks import Look, color_of, looks
from monlab.dashboards.pictures.canvas import DIM, GRID, MOST_LINES, ROW, SMALL, Box, Canvas, clock, short, times, wide_of
from monlab.dashboards.pictures.gaps import filled_gaps
from monlab.dashboards.reducers import reduce
from monlab.dashboards.shown import Line, Shown
from monlab.dashboards.unit_table import BINARY
from monlab.dashboards.units import formatted
from monlab.dashboards.window import Window

Moments = list[tuple[float, str, str]]
Stack = tuple[int, bool, bool]  # how many values, whether they are bars, whether they go down
LARGEST = 1e300  # a number beyond it has no place on an axis
REDUCERS = {"lastNotNull": "last", "firstNotNull": "first"}


def timeseries(canvas: Canvas, shown: Shown, window: Window, box: Box, moments: Moments) -> None:
    panel = shown.panel
    every = looks(panel, shown.lines)
    drawn = [(line, look) for line, look in zip(shown.lines, every, strict=True) if not look.panel.hidden][:MOST_LINES]
    left, bottom, wide, tall = box
    rows = _legend_rows(panel.legend_shown, panel.legend_calcs, drawn, wide - 0.2, tall)
    foot = 0.27 + ROW * len(rows)
    margin = 0.85
    axes = canvas.axes((left + margin, bottom + foot, wide - margin - 0.22, tall - foot - 0.1))
    if panel.log_scale:
        axes.set_yscale("log", nonpositive="mask")
    _series(axes, drawn, window)
    _limits(axes, shown)
    for step in panel.thresholds if panel.draws_thresholds else ():  # after the axis is set: Grafana does not widen it for them
        if step.value is not None and not panel.percentage_thresholds:
            axes.axhline(step.value, color=color_of(step.color), linewidth=1, linestyle="--")
    clock(axes, window.start, window.end, wide - margin)
    for when, _, color in moments:
        axes.axvline(times(np.array([when]))[0], color=color_of(color), linewidth=1, linestyle=":")
    _scale(axes, drawn, shown, tall)
    if panel.axis_label:
        axes.set_ylabel(short(panel.axis_label, tall - foot - 0.1), fontsize=SMALL, color="#555555", labelpad=2)
    _legend(canvas, rows, (left + 0.12, bottom + 0.02, wide - 0.2, ROW * len(rows)))


def _series(axes: Axes, drawn: list[tuple[Line, Look]], window: Window) -> None:
    whole = _whole(drawn)
    lines = [(look, *_values(line, look, whole)) for line, look in drawn if len(line.series.times)]
    there = _there([(look, values) for look, _, values in lines])
    bases: dict[Stack, np.ndarray] = {}
    for look, seconds, values in lines:
        low: np.ndarray | float = 0.0
        if look.panel.stacked:
            stack = _stack(look, values)
            low = bases.get(stack, np.zeros(len(values)))
            bases[stack] = low + np.nan_to_num(values, posinf=0.0, neginf=0.0)
            values = np.where(there[stack], bases[stack], np.nan)
        values = np.where(np.abs(values) < LARGEST, values, np.nan)
        _one(axes, times(seconds), values, low, look, window)


def _values(line: Line, look: Look, whole: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Seconds and values of a series as it is drawn when it stands alone."""
    own = replace(look.panel, span_nulls=False, span_ms=0.0, gap_ms=0.0) if look.panel.stacked else look.panel
    seconds, values = filled_gaps(line.series.times, line.series.values, own)  # stacked series keep their instants in common
    if look.panel.upside_down:
        values = -values
    if look.panel.percent_stacked and len(values) == len(whole):
        values = np.divide(values, whole, out=np.full(len(values), np.nan), where=whole > 0)
    return seconds, values


def _stack(look: Look, values: np.ndarray) -> Stack:
    """What is stacked on each other: lines or bars, above zero or below it (by the first value), as in Grafana."""
    known = values[~np.isnan(values)]
    return len(values), look.panel.bars, bool(len(known) and known[0] < 0)


def _there(lines: list[tuple[Look, np.ndarray]]) -> dict[Stack, np.ndarray]:
    """Where any series of a stack has a value; where none has, there is a gap and not a zero."""
    found: dict[Stack, np.ndarray] = {}
    for look, values in lines:
        if look.panel.stacked:
            stack = _stack(look, values)
            found[stack] = found.get(stack, np.zeros(len(values), bool)) | ~np.isnan(values)
    return found


def _whole(drawn: list[tuple[Line, Look]]) -> np.ndarray:
    """The sum of all series at each instant, of which each is a share when stacked to 100 %."""
    stacked = [line.series.values for line, look in drawn if look.panel.percent_stacked]
    if not stacked or len({len(one) for one in stacked}) > 1:
        return np.zeros(0)
    return np.asarray(np.nansum(stacked, axis=0))


def _one(axes: Axes, when: np.ndarray, values: np.ndarray, low: np.ndarray | float, look: Look, window: Window) -> None:
    own = look.panel
    if own.bars:
        width = (when[1] - when[0]) * 0.8 if len(when) > 1 else (window.seconds / 86_400) * 0.02
        axes.bar(when, values - low, width=width, color=look.color, bottom=low)
        return
    few = np.count_nonzero(~np.isnan(values)) < 3
    alone = own.points or (few and own.line_width > 0)
    axes.plot(
        when,
        values,
        color=look.color,
        linewidth=0 if own.points else own.line_width * 1.2,
        linestyle="--" if own.dashed else "-",
        marker="." if alone else "",
        markersize=4,
    )
    there = ~np.isnan(values)
    single = there & ~np.append(False, there[:-1]) & ~np.append(there[1:], False)
    if single.any() and not alone and own.line_width > 0:  # no line goes through them
        axes.plot(when[single], values[single], color=look.color, linewidth=0, marker=".", markersize=4)
    if own.fill or (own.stacked):
        axes.fill_between(when, low, values, color=look.color, alpha=max(own.fill, 0.15), linewidth=0)


def _limits(axes: Axes, shown: Shown) -> None:
    panel = shown.panel
    low, high = axes.get_ylim()
    if panel.log_scale and not any(np.any(line.series.values > 0) for line in shown.lines):
        axes.set_yscale("linear")
    low, high = min(low, panel.soft_least if panel.soft_least is not None else low), max(high, panel.soft_most or high)
    low = panel.least if panel.least is not None else low
    high = panel.most if panel.most is not None else high
    if panel.most is not None:
        high += (high - low) * 0.015  # a line along an end is seen whole
    if panel.least is not None:
        low -= (high - low) * 0.01
    axes.set_ylim(bottom=None if axes.get_yscale() == "log" and low <= 0 else low, top=high if high > low else low + 1)


def _scale(axes: Axes, drawn: list[tuple[Line, Look]], shown: Shown, tall: float) -> None:
    """Numbers along the left edge, with the unit of the first series."""
    own = drawn[0][1].panel if drawn else shown.panel
    percent = own.percent_stacked
    unit, decimals = ("percentunit", None) if percent else (own.unit, own.decimals if own.decimals else None)
    if not shown.panel.log_scale:
        axes.set_yticks(_round_values(*axes.get_ylim(), 3 if tall < 1.6 else 5, unit))
    axes.yaxis.set_minor_locator(ticker.NullLocator())
    axes.yaxis.set_major_formatter(lambda value, _: short(tidy(formatted(round(value, 12), unit, decimals)), 0.82))
    axes.tick_params(axis="y", labelsize=SMALL, length=0, labelcolor="#555555")
    axes.grid(color=GRID, linewidth=0.7)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color("#bbbbbb")


def _round_values(low: float, high: float, most: int, unit: str) -> list[float]:
    """Round numbers of the unit as it is written: of bytes, round numbers of MiB or GiB."""
    size = max(abs(low), abs(high))
    one = 1024.0 ** min(max(math.floor(math.log(size, 1024)), 0), 6) if unit in BINARY.get(0, {}) and size > 0 else 1.0
    found = np.asarray(ticker.MaxNLocator(most).tick_values(low / one, high / one)) * one
    room = (high - low) * 1e-9
    return [float(value) for value in found if low - room <= value <= high + room]


def tidy(text: str) -> str:
    """`1.50 s` beside `1 s` on one axis is `1.5 s`."""
    return re.sub(r"(\d)\.0+(?=\D|$)|(\.\d*?[1-9])0+(?=\D|$)", lambda found: found[1] or found[2], text, count=1)


def _legend_rows(
    shown: bool, calcs: tuple[str, ...], drawn: list[tuple[Line, Look]], wide: float, tall: float
) -> list[list[tuple[str, str]]]:
    """Entries of the legend in rows that fit, with the values of its calculations: at most two fifths of the panel."""
    if not shown:
        return []
    entries = []
    for line, look in drawn:
        if not look.panel.legend_shown:
            continue
        numbers = "  ".join(f"{REDUCERS.get(name, name)} {look.text(reduce(line.series.values, name))}" for name in calcs[:4])
        entries.append((look.color, f"{look.name}  {numbers}".strip()))
    if not entries:
        return []
    room = max(1, int((tall - 0.35) * 0.42 / ROW))
    longest = min(max(wide_of(text) for _, text in entries) + 0.4, wide)
    columns = max(1, min(len(entries), int(wide / max(longest, 0.5))))
    if len(entries) > room * columns:
        columns = max(columns, min(int(wide / 1.7), math.ceil(len(entries) / room)))
    most = room * columns
    if len(entries) > most:
        entries = [*entries[: most - 1], ("", f"… {len(entries) - most + 1} more")]
    return [entries[start : start + columns] for start in range(0, len(entries), columns)]


def _legend(canvas: Canvas, rows: list[list[tuple[str, str]]], box: Box) -> None:
    if not rows:
        return
    axes = canvas.blank(box)
    longest = max(wide_of(text) for row in rows for _, text in row) + 0.4
    column = min(box[2] / len(rows[0]), longest)
    for number, row in enumerate(rows):
        y = box[3] - (number + 0.5) * ROW
        for place, (color, text) in enumerate(row):
            x = place * column
            if color:
                axes.plot([x, x + 0.13], [y, y], color=color, linewidth=2.5, solid_capstyle="butt")
            axes.text(x + 0.18, y, short(text, column - 0.22), fontsize=SMALL, va="center", color="#333333" if color else DIM)
