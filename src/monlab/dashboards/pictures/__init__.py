"""What a panel holds, drawn by its type into a box given in inches: a module for each kind of picture."""

from collections.abc import Callable

from matplotlib.figure import Figure

from monlab.dashboards.pictures import bars, cells, states, tiles
from monlab.dashboards.pictures.canvas import MOST_LINES, MOST_TILES, Box, Canvas
from monlab.dashboards.pictures.heatmap import heatmap
from monlab.dashboards.pictures.nodes import nodes
from monlab.dashboards.pictures.timeseries import Moments, timeseries
from monlab.dashboards.shown import Shown
from monlab.dashboards.window import Window

PICTURES: dict[str, Callable[[Canvas, Shown, Box], None]] = {
    "stat": tiles.stat,
    "gauge": tiles.gauge,
    "bargauge": bars.bargauge,
    "piechart": bars.pie,
    "table": cells.table,
    "text": cells.text,
}


def draw(figure: Figure, shown: Shown, window: Window, box: Box, size: tuple[float, float], moments: Moments) -> None:
    canvas = Canvas(figure, size)
    window = shown.window or window
    answers = [one.answer for one in shown.asked]
    kind = shown.panel.type
    if any(one.lines for one in answers):
        cells.logs(canvas, shown, box)
    elif any(one.edges for one in answers):
        nodes(canvas, shown, box)
    elif any(one.rows for one in answers):
        cells.answered_rows(canvas, shown, box)
    elif kind == "heatmap":
        heatmap(canvas, shown, window, box)
    elif kind in ("state-timeline", "status-history"):
        states.states(canvas, shown, window, box)
    elif kind == "barchart" and all(len(line.series.times) < 2 for line in shown.lines):
        bars.bargauge(canvas, shown, box)
    elif kind in PICTURES:
        PICTURES[kind](canvas, shown, box)
    else:
        timeseries(canvas, shown, window, box, moments)


def notes(shown: Shown) -> list[str]:
    """Sentences that belong under a picture: what failed beside what worked, what is not shown."""
    panel = shown.panel
    found = [] if shown.empty else [one.error for one in shown.asked if one.error]
    count = len(shown.lines)
    most = MOST_TILES if panel.type in ("stat", "gauge") else MOST_LINES
    if count > most and panel.type not in ("table", "heatmap"):
        found.append(f"{most} of {count} series are drawn.")
    if shown.left_out:
        found.append(f"Not applied here: the transformations {', '.join(shown.left_out)}.")
    return [*found, *shown.notes]
