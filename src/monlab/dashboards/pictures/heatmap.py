"""A heatmap: time to the right, a row a bucket, darker where more fell into it."""

import math

import numpy as np

from monlab.dashboards.pictures.canvas import DIM, SMALL, Box, Canvas, clock, times
from monlab.dashboards.pictures.timeseries import tidy, timeseries
from monlab.dashboards.shown import Shown
from monlab.dashboards.units import formatted
from monlab.dashboards.window import Window

MOST_LABELS = 9


def heatmap(canvas: Canvas, shown: Shown, window: Window, box: Box) -> None:
    """A row a bucket. Cumulative buckets (label `le`, format heatmap) are taken apart, as Grafana does."""
    lines = [line for line in shown.lines if len(line.series.times)]
    bounds = [line.series.labels.get("le", line.name) for line in lines]
    order = sorted(range(len(lines)), key=lambda index: _edge(bounds[index]))
    if len(set(bounds)) < len(bounds) or len({len(line.series.times) for line in lines}) != 1:
        timeseries(canvas, shown, window, box, [])
        return
    cumulative = any(one.target.format == "heatmap" for one in shown.asked) or all("le" in line.series.labels for line in lines)
    cells = np.nan_to_num(np.array([lines[index].series.values for index in order]), posinf=0, neginf=0)
    if cumulative:
        cells = np.diff(cells, axis=0, prepend=np.zeros((1, cells.shape[1]))).clip(0)
    seconds = lines[0].series.times
    if len(seconds) == 1:
        cells, seconds = np.repeat(cells, 2, axis=1), np.array([seconds[0] - 60, seconds[0]])
    axes = canvas.axes((box[0] + 0.85, box[1] + 0.27, box[2] - 1.07, box[3] - 0.35))
    axes.pcolormesh(
        times(seconds),
        np.arange(len(order)) + 0.5,
        np.ma.masked_equal(cells, 0),
        cmap="YlOrRd",
        shading="nearest",
        vmin=min(cells.min(initial=0), 0),
    )
    _bounds(axes, [bounds[index] for index in order], shown.panel.unit, cumulative, box[3])
    axes.set_ylim(0, len(order))
    clock(axes, window.start, window.end, box[2] - 1.0)
    axes.tick_params(axis="y", labelsize=SMALL, length=2, labelcolor="#555555", color="#bbbbbb")
    for spine in axes.spines.values():
        spine.set_color("#dddddd")
    top = cells.max(initial=0)
    axes.text(
        1,
        1.01,
        f"darkest: {tidy(formatted(float(top)))}",
        transform=axes.transAxes,
        ha="right",
        va="bottom",
        fontsize=6.5,
        color=DIM,
    )


def _bounds(axes, bounds: list[str], unit: str, edges: bool, tall: float) -> None:  # type: ignore[no-untyped-def]
    """The upper bound at the upper edge of its row; a name beside the middle of its row."""
    every = max(1, math.ceil(len(bounds) / min(MOST_LABELS, max(2, int(tall / 0.2)))))
    places = list(range(len(bounds)))[::-1][::every] if edges else list(range(len(bounds)))[::every]
    labels = []
    for place in places:
        number = _edge(bounds[place])
        labels.append(
            "+Inf" if bounds[place] == "+Inf" else tidy(formatted(number, unit)) if math.isfinite(number) else bounds[place][:14]
        )
    axes.set_yticks([place + (1 if edges else 0.5) for place in places], labels)


def _edge(text: str) -> float:
    try:
        return float(text.replace("+Inf", "inf"))
    except ValueError:
        return math.inf
