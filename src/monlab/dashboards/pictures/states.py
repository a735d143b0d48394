"""States over time: a band for each series, coloured by its mapping or threshold (state timeline, status history)."""

import numpy as np

from monlab.dashboards.looks import Look, looks
from monlab.dashboards.pictures.canvas import SMALL, Box, Canvas, clock, short, times, wide_of
from monlab.dashboards.shown import Line, Shown
from monlab.dashboards.window import Window

MOST_BANDS = 40


def states(canvas: Canvas, shown: Shown, window: Window, box: Box) -> None:
    drawn = [pair for pair in zip(shown.lines, looks(shown.panel, shown.lines), strict=True) if not pair[1].panel.hidden]
    room = max(1, min(MOST_BANDS, int((box[3] - 0.3) / 0.2)))
    drawn = drawn[:room]
    margin = min(max((wide_of(look.name) for _, look in drawn), default=0.5) + 0.2, box[2] * 0.3)
    axes = canvas.axes((box[0] + margin, box[1] + 0.27, box[2] - margin - 0.2, box[3] - 0.33))
    for place, (line, look) in enumerate(drawn):
        for start, end, value in stretches(line, window):
            left, right = times(np.array([start, end]))
            axes.barh(-place, right - left, left=left, height=0.8, color=_color(look, value), linewidth=0)
            text = look.text(value)
            wide = (end - start) / max(window.seconds, 1) * (box[2] - margin)
            if wide_of(text) + 0.1 < wide:
                axes.text((left + right) / 2, -place, short(text, wide), ha="center", va="center", fontsize=SMALL, color="white")
    axes.set_yticks([-place for place in range(len(drawn))], [short(look.name, margin - 0.1) for _, look in drawn])
    axes.set_ylim(0.6 - max(len(drawn), 1), 0.6)
    clock(axes, window.start, window.end, box[2] - margin)
    axes.tick_params(axis="y", length=0, labelsize=SMALL)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)


def _color(look: Look, value: float) -> str:
    return look.shade(value, look.color)


def stretches(line: Line, window: Window) -> list[tuple[float, float, float]]:
    """Begin, end and value of each stretch without a change; null leaves a gap."""
    seconds, values = line.series.times, line.series.values
    if not len(seconds):
        return []
    ends = np.append(seconds[1:], max(window.end, seconds[-1]))
    change = np.flatnonzero(np.append(True, (values[1:] != values[:-1]) & ~(np.isnan(values[1:]) & np.isnan(values[:-1]))))
    last = np.append(change[1:] - 1, len(values) - 1)
    return [
        (float(seconds[first]), float(ends[end]), float(values[first]))
        for first, end in zip(change[:500], last[:500], strict=True)
        if not np.isnan(values[first])
    ]
