"""What is read line by line: tables, log lines, texts."""

import html
import re
import textwrap
from datetime import UTC, datetime

import numpy as np
from matplotlib.axes import Axes

from monlab.dashboards.looks import color_of
from monlab.dashboards.pictures.canvas import DIM, ROW, SMALL, TEXT, Box, Canvas, safe, short, wide_of
from monlab.dashboards.shown import Shown
from monlab.dashboards.tables import Words, table_of, written
from monlab.dashboards.transformations import of_table

TAG = re.compile(r"</?[a-zA-Z!][^<>]*>")
LEVELS = {
    "error": "#e02f44",
    "critical": "#e02f44",
    "warn": "#ff780a",
    "warning": "#ff780a",
    "info": "#56a64b",
    "debug": "#5794f2",
}


def table(canvas: Canvas, shown: Shown, box: Box) -> None:
    """A row for each set of labels, the panel's transformations applied."""
    found, _ = of_table(table_of(shown), shown.lines, shown.panel.transformations)
    _cells(canvas, box, written(found, shown.panel))


def answered_rows(canvas: Canvas, shown: Shown, box: Box) -> None:
    """Rows as a server answered them: traces."""
    rows = [dict(row) for one in shown.asked for row in one.answer.rows]
    keys = tuple(rows[0])
    numbers = tuple(key in ("duration", "spans", "errors") for key in keys)
    _cells(canvas, box, Words(keys, numbers, tuple(tuple((row.get(key, ""), "") for key in keys) for row in rows)))


def _cells(canvas: Canvas, box: Box, words: Words) -> None:
    axes = canvas.blank(box)
    if not words.heads:
        axes.text(box[2] / 2, box[3] / 2, "No columns are left to show", ha="center", fontsize=TEXT, color=DIM)
        return
    tall = ROW * 1.15
    room = max(1, int((box[3] - tall * 1.3) / tall))
    more = len(words.rows) > room
    rows = words.rows[: max(room - more, 1)]
    places, ends = _columns(words, rows, box[2])
    y = box[3] - tall * 0.55
    for head, place, end, number in zip(words.heads, places, ends, words.numbers, strict=True):
        _cell(axes, head, "#3274d9", (place, end, y), number, "bold")
    for count, row in enumerate(rows):
        y = box[3] - tall * (count + 1.6)
        axes.plot([0.1, box[2] - 0.1], [y + tall / 2, y + tall / 2], color="#eeeeee", linewidth=0.7)
        for (text, color), place, end, number in zip(row, places, ends, words.numbers, strict=True):
            _cell(axes, text, color_of(color) if color else "#222222", (place, end, y), number)
    if more:
        axes.text(
            box[2] - 0.1,
            tall * 0.4,
            f"{len(words.rows) - len(rows)} more rows",
            fontsize=SMALL,
            ha="right",
            va="center",
            color=DIM,
        )


def _columns(words: Words, rows: tuple[tuple[tuple[str, str], ...], ...], wide: float) -> tuple[np.ndarray, np.ndarray]:
    """Where columns begin and end: as wide as what stands in them, what is left shared out, too wide ones cut."""
    wanted = np.array(
        [
            min(max(wide_of(head, TEXT), *(wide_of(row[place][0]) for row in rows), 0.3), 3.5) + 0.3
            for place, head in enumerate(words.heads)
        ]
        if rows
        else [wide_of(head, TEXT) + 0.3 for head in words.heads]
    )
    room = wide - 0.2
    widths = wanted * room / wanted.sum() if wanted.sum() > room else wanted + (room - wanted.sum()) / len(wanted)
    ends = np.cumsum(widths) + 0.1
    return ends - widths, ends


def _cell(axes: Axes, text: str, color: str, place: tuple[float, float, float], number: bool, weight: str = "normal") -> None:
    """A text at the left of its column, a number at the right."""
    start, end, y = place
    x, side = (end - 0.15, "right") if number else (start, "left")
    axes.text(x, y, short(text, end - start - 0.12), ha=side, va="center", fontsize=SMALL, color=color, weight=weight)


def logs(canvas: Canvas, shown: Shown, box: Box) -> None:
    axes = canvas.blank(box)
    lines = [line for one in shown.asked for line in one.answer.lines]
    room = max(1, int((box[3] - 0.25) / ROW))
    letters = int((box[2] - 1.35) / (0.602 * SMALL / 72))
    for number, (when, level, text) in enumerate(lines[:room]):
        y = box[3] - ROW * (number + 0.6)
        color = LEVELS.get(level.lower(), "#888888")
        line = " ".join(text.split())
        line = line if len(line) <= letters else line[: letters - 1] + "…"
        axes.plot([0.09, 0.09], [y - 0.07, y + 0.07], color=color, linewidth=3, solid_capstyle="butt")
        axes.text(0.17, y, f"{datetime.fromtimestamp(when, UTC):%d %b %H:%M:%S}", fontsize=SMALL, va="center", color=DIM)
        axes.text(1.25, y, safe(line), fontsize=SMALL, family="monospace", va="center")
    if len(lines) > room:
        axes.text(box[2] - 0.1, ROW * 0.4, f"{len(lines) - room} more lines", fontsize=SMALL, ha="right", color=DIM)


def text(canvas: Canvas, shown: Shown, box: Box) -> None:
    axes = canvas.blank(box)
    content = html.unescape(TAG.sub("", shown.panel.content[:20_000]))
    plain = [line.strip("#* ").replace("**", "") for line in content.splitlines()]
    letters = max(int((box[2] - 0.2) / (0.56 * TEXT / 72)), 8)
    room = max(1, int((box[3] - 0.1) / 0.17))
    wrapped: list[str] = []
    for line in plain:
        wrapped += textwrap.wrap(line, letters) or [""]
        if len(wrapped) > room:
            wrapped = [*wrapped[: room - 1], "…"]
            break
    axes.text(0.1, box[3] - 0.06, safe("\n".join(wrapped)), fontsize=TEXT, va="top")
