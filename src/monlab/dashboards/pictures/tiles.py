"""One number for a series: stat, gauge."""

import math

import numpy as np
from matplotlib.patches import Wedge

from monlab.dashboards.looks import Look, color_of, looks
from monlab.dashboards.pictures.canvas import DIM, MOST_LINES, MOST_TILES, SMALL, Box, Canvas, safe, short, wide_of
from monlab.dashboards.reducers import reduce
from monlab.dashboards.shown import Line, Shown

Number = tuple[Look, float, Line]
PLAIN = "#222222"
NARROW, LOW, LOW_NAMED = 1.1, 0.16, 0.3  # inches: the least width of a tile, and height, without a name and with one


def numbers(shown: Shown) -> list[Number]:
    reducer = shown.panel.reducers[0]
    return [
        (look, reduce(line.series.values, reducer), line)
        for line, look in zip(shown.lines, looks(shown.panel, shown.lines), strict=True)
        if not look.panel.hidden
    ][:MOST_LINES]


def _boxes(box: Box, count: int, least: float = 0.01) -> list[Box]:
    """Tiles side by side, or one below the other in a narrow panel as long as they are `least` inches tall."""
    left, bottom, wide, tall = box
    columns = count if wide > tall * 1.2 else 1
    columns = max(columns, math.ceil(count / max(1, int(tall / least))))
    columns = min(columns, max(1, int(wide / NARROW)))
    rows = math.ceil(count / columns)
    columns = math.ceil(count / rows)
    return [
        (
            left + (number % columns) * wide / columns,
            bottom + tall - (number // columns + 1) * tall / rows,
            wide / columns,
            tall / rows,
        )
        for number in range(count)
    ]


def _words(look: Look, value: float, line: Line, shown: Shown) -> tuple[str, str]:
    """What stands large, and what small above it."""
    field = shown.panel.value_field.strip("/^$")
    text = line.series.labels.get(field) or f"{shown.panel.prefix}{look.text(value)}{shown.panel.postfix}"
    mode = shown.panel.text_mode
    if mode == "name":
        return look.name, ""
    if mode == "none":
        return "", look.name if len(shown.lines) > 1 else ""
    return text, look.name if mode == "value_and_name" or (len(shown.lines) > 1 and mode == "auto") else ""


def stat(canvas: Canvas, shown: Shown, box: Box) -> None:
    every = numbers(shown)[:MOST_TILES]
    least = LOW_NAMED if any(_words(*one, shown)[1] for one in every) else LOW
    room = max(2, max(1, int(box[2] / NARROW)) * int(box[3] / least))
    found = every if len(every) <= room else every[: room - 1]
    tiles = _boxes(box, min(len(every), room), least)
    if len(found) < len(every):
        axes, tile = canvas.blank(tiles[-1]), tiles.pop()
        axes.text(
            tile[2] / 2, tile[3] / 2, f"… {len(every) - len(found)} more", ha="center", va="center", fontsize=SMALL, color=DIM
        )
    for (look, value, line), tile in zip(found, tiles, strict=True):
        axes = canvas.blank(tile)
        color = look.shade(value)
        there = line.series.values[np.isfinite(line.series.values)]
        if shown.panel.sparkline and len(there) > 2 and there.max() > there.min():
            x = np.linspace(0.04, tile[2] - 0.04, len(there))
            y = 0.04 + (there - there.min()) / (there.max() - there.min()) * tile[3] * 0.25
            axes.fill_between(x, 0, y, color=color, alpha=0.18, linewidth=0)
            axes.plot(x, y, color=color, alpha=0.6, linewidth=0.8)
        large, small = _words(look, value, line, shown)
        tall = tile[3] - 0.18 if small else tile[3]
        points = max(min(tile[3] * 21, tall * 55, (tile[2] - 0.2) / max(wide_of(large, 1.15), 0.01), 30), 6)
        axes.text(
            tile[2] / 2,
            min(tile[3] * 0.52, tall / 2 + 0.01),
            short(large, tile[2], points),
            ha="center",
            va="center",
            fontsize=points,
            color=color if shown.panel.colored else PLAIN,
            weight="bold",
        )
        if small:
            axes.text(
                tile[2] / 2, tile[3] - 0.1, short(small, tile[2] - 0.1), ha="center", va="center", fontsize=SMALL, color="#555555"
            )


def bounds(look: Look, values: list[float]) -> tuple[float, float]:
    """The ends of a gauge: those of the panel, 100 % for shares, or the largest value."""
    there = [one for one in values if math.isfinite(one)]
    low = look.panel.least if look.panel.least is not None else min([0.0, *there])
    usual = {"percentunit": 1.0, "percent": 100.0}.get(look.panel.unit)
    high = look.panel.most if look.panel.most is not None else usual if usual is not None else max(there, default=1.0)
    return low, high if high > low else low + 1


def gauge(canvas: Canvas, shown: Shown, box: Box) -> None:
    found = numbers(shown)[:MOST_TILES]
    for (look, value, _), tile in zip(found, _boxes(box, len(found)), strict=True):
        axes = canvas.blank(tile)
        low, high = bounds(look, [value])
        radius = min(tile[2] * 0.42, tile[3] * 0.66)
        middle = (tile[2] / 2, tile[3] * 0.24)
        share = min(max((value - low) / (high - low), 0.0), 1.0) if math.isfinite(value) else 0.0
        axes.add_patch(Wedge(middle, radius, 0, 180, width=radius * 0.25, color="#e4e5e6"))
        axes.add_patch(Wedge(middle, radius, 180 - 180 * share, 180, width=radius * 0.25, color=look.shade(value)))
        for step in look.panel.thresholds:
            edge = step.value
            if edge is not None and look.panel.percentage_thresholds:
                edge = low + edge / 100 * (high - low)
            edge = low if edge is None else edge
            if low <= edge < high:
                axes.add_patch(
                    Wedge(
                        middle,
                        radius * 1.08,
                        0,
                        180 - 180 * (edge - low) / (high - low),
                        width=radius * 0.05,
                        color=color_of(step.color),
                    )
                )
        axes.set_aspect("equal", adjustable="box", anchor="C")
        text = safe(look.text(value))
        points = min(radius * 22, radius * 1.3 / max(wide_of(text, 1.0), 0.01), 22)
        axes.text(*middle, text, ha="center", va="bottom", fontsize=max(points, 6), color=look.shade(value), weight="bold")
        if len(found) > 1:
            axes.text(tile[2] / 2, tile[3] * 0.1, short(look.name, tile[2]), ha="center", va="center", fontsize=SMALL, color=DIM)
