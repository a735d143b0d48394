"""Bars and slices beside each other: bar gauge, pie."""

import math

from monlab.dashboards.looks import Look
from monlab.dashboards.pictures.canvas import MOST_TILES, ROW, SMALL, Box, Canvas, short, wide_of
from monlab.dashboards.pictures.tiles import bounds, numbers
from monlab.dashboards.shown import Shown


def bargauge(canvas: Canvas, shown: Shown, box: Box) -> None:
    every = numbers(shown)
    room = max(1, int((box[3] - 0.1) / 0.22))
    found = every if len(every) <= room else every[: room - 1]
    axes = canvas.blank(box)
    tall = min(box[3] / (len(found) + (len(found) < len(every))), 0.45)
    texts = [look.text(value) for look, value, _ in found]
    names = min(max(wide_of(look.name) for look, _, _ in found) + 0.15, box[2] * 0.42)
    start, value_room = names + 0.12, max(wide_of(text, 8.5) for text in texts) + 0.2
    long = max(box[2] - start - value_room, 0.2)
    everyone = [value for _, value, _ in found]
    for number, ((look, value, _), text) in enumerate(zip(found, texts, strict=True)):
        low, high = bounds(look, everyone)
        y = box[3] - (number + 0.5) * tall
        share = min(max((value - low) / (high - low), 0.0), 1.0) if math.isfinite(value) else 0.0
        axes.barh(y, long, height=tall * 0.66, left=start, color="#ececed")
        axes.barh(y, long * share, height=tall * 0.66, left=start, color=look.shade(value))
        axes.text(names, y, short(look.name, names - 0.05), ha="right", va="center", fontsize=SMALL)
        axes.text(
            start + long + 0.08, y, short(text, value_room, 8), va="center", fontsize=8, weight="bold", color=look.shade(value)
        )
    if len(found) < len(every):
        axes.text(start, 0.12, f"{len(every) - len(found)} more", fontsize=SMALL, va="center", color="#777777")


def pie(canvas: Canvas, shown: Shown, box: Box) -> None:
    found = [(look, value) for look, value, _ in numbers(shown) if 0 < value < math.inf]
    found.sort(key=lambda one: -one[1])
    if not found:
        axes = canvas.blank(box)
        axes.text(box[2] / 2, box[3] / 2, "No value above zero", ha="center", va="center", fontsize=8, color="#888888")
        return
    side = min(box[2] * 0.5, box[3] - 0.1)
    axes = canvas.axes((box[0] + 0.08, box[1] + 0.05, side, side))
    edges = {"edgecolor": "white", "linewidth": 1}
    axes.pie(
        [value for _, value in found],
        colors=[look.color for look, _ in found],
        startangle=90,
        counterclock=False,
        radius=1.2,
        wedgeprops=edges,
    )
    _slices(canvas, found, (box[0] + side + 0.2, box[1], box[2] - side - 0.25, box[3]))


def _slices(canvas: Canvas, found: list[tuple[Look, float]], box: Box) -> None:
    words = canvas.blank(box)
    total = sum(value for _, value in found)
    room = max(1, min(MOST_TILES, int((box[3] - 0.2) / (ROW * 1.2))))
    for number, (look, value) in enumerate(found[:room]):
        y = box[3] - 0.1 - ROW * 1.2 * (number + 0.5)
        words.plot([0, 0.12], [y, y], color=look.color, linewidth=4, solid_capstyle="butt")
        share = value / total
        percent = f"{share:.0%}" if share >= 0.01 or not share else "<1%"
        words.text(0.2, y, short(f"{look.name}  {look.text(value)}  {percent}", box[2] - 0.25), fontsize=SMALL, va="center")
    if len(found) > room:
        words.text(0.2, 0.08, f"{len(found) - room} more", fontsize=SMALL, va="center", color="#777777")
