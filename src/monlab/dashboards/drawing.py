"""A dashboard as one picture, panels in the dashboard's own grid (matplotlib). What a panel holds is drawn by `pictures`."""

import textwrap
from datetime import UTC, datetime

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from monlab.dashboards import pictures
from monlab.dashboards.looks import color_of
from monlab.dashboards.model import COLUMNS
from monlab.dashboards.pictures.canvas import BOLD, DIM, safe, short
from monlab.dashboards.pictures.timeseries import Moments
from monlab.dashboards.shown import Shown
from monlab.dashboards.window import Window

WIDTH, LINE = 13.0, 0.34  # inches: the whole, and one line of the grid
MOST_INCHES = 300.0  # a picture taller than that cannot be made
DOTS = 100  # an inch; fewer where the picture would be taller than MOST_DOTS
MOST_DOTS = 12_000
HEAD, GAP = 0.5, 0.05
SENTENCE = 0.19  # inches: a line above the panels
TITLE = 0.27
MOST_SAID, MOST_DEPLOYS = 12, 6
PAGE, PAPER = "#f4f5f5", "#ffffff"


def draw(title: str, shown: list[Shown], window: Window, said: list[str], moments: Moments) -> Figure:
    """The picture of the panels that were run."""
    lines = max((one.panel.y + one.panel.h for one in shown), default=3)
    first = min((one.panel.y for one in shown), default=0)
    said = _wrapped(said)
    head = HEAD + SENTENCE * len(said) + SENTENCE * bool(moments)
    each = min(LINE, MOST_INCHES / max(lines - first, 1))
    height = head + (lines - first) * each + 0.1
    figure = plt.figure(figsize=(WIDTH, height), facecolor=PAGE, dpi=min(DOTS, MOST_DOTS / height))
    when = f"{window.said()} UTC{' · archive' if window.archived else ''}"
    figure.text(0.006, 1 - 0.27 / height, short(title, WIDTH - 4.5, 15 * BOLD), fontsize=15, weight="bold", va="center")
    figure.text(0.994, 1 - 0.27 / height, when, ha="right", va="center", fontsize=9, color="#444444")
    for number, sentence in enumerate(said):
        y = 1 - (HEAD + SENTENCE * (number + 0.4)) / height
        figure.text(0.007, y, safe(sentence), fontsize=8, color="#555555", va="center")
    _moments(figure, moments, 1 - (HEAD + SENTENCE * (len(said) + 0.3)) / height)
    for one in shown:
        panel = one.panel
        left, wide = panel.x / COLUMNS * WIDTH + GAP, panel.w / COLUMNS * WIDTH - 2 * GAP
        top, tall = head + (panel.y - first) * each + GAP, max(panel.h * each - 2 * GAP, 0.1)
        _panel(figure, one, window, (left, height - top - tall, wide, tall), height, moments)
    return figure


def _wrapped(said: list[str]) -> list[str]:
    """Sentences above the panels, in lines that fit."""
    lines = [line for sentence in said for line in textwrap.wrap(sentence[:2000], 190)]
    return lines if len(lines) <= MOST_SAID else [*lines[: MOST_SAID - 1], f"… and {len(lines) - MOST_SAID + 1} more lines."]


def _moments(figure: Figure, moments: Moments, y: float) -> None:
    """What the dotted lines mean: the annotations by time, each once."""
    if not moments:
        return
    texts = list(dict.fromkeys(f"{datetime.fromtimestamp(when, UTC):%d %b %H:%M} {words}" for when, words, _ in moments))
    more = f"  … {len(texts) - MOST_DEPLOYS} more" if len(texts) > MOST_DEPLOYS else ""
    figure.text(0.007, y, "┊", fontsize=9, color=color_of(moments[0][2]), va="center", weight="bold")
    figure.text(
        0.016,
        y,
        short("Annotations: " + ",  ".join(texts[:MOST_DEPLOYS]) + more, WIDTH - 0.5),
        fontsize=7.5,
        color=DIM,
        va="center",
    )


def _panel(
    figure: Figure, shown: Shown, window: Window, box: tuple[float, float, float, float], height: float, moments: Moments
) -> None:
    left, bottom, wide, tall = box
    panel = shown.panel
    place = (left / WIDTH, bottom / height, wide / WIDTH, tall / height)
    if panel.type == "row":
        figure.text(
            place[0],
            place[1] + place[3] / 2,
            f"▾ {short(panel.title, wide - 0.3, 10.5 * BOLD)}",
            fontsize=10.5,
            weight="bold",
            va="center",
        )
        return
    frame = figure.add_axes(place, facecolor=PAPER, zorder=1)
    frame.set(xticks=[], yticks=[], xlim=(0, wide), ylim=(0, tall))
    for spine in frame.spines.values():
        spine.set_color("#d8d9da")
    frame.text(0.1, tall - TITLE / 2 - 0.01, short(panel.title, wide - 0.2, 9.5 * BOLD), fontsize=9.5, weight="bold", va="center")
    foot = _foot(frame, [*panel.notes, *pictures.notes(shown)], wide, tall)
    inside = (left, bottom + foot, wide, max(tall - TITLE * bool(panel.title) - foot, 0.3))
    sentence = _sentence(shown)
    if sentence:
        calm = sentence.startswith("No data") or sentence == panel.no_value or (shown.empty and shown.away)
        _words(frame, sentence, not calm, wide, tall, foot)
        return
    pictures.draw(figure, shown, window, inside, (WIDTH, height), moments)


def _foot(frame: Axes, notes: list[str], wide: float, tall: float) -> float:
    """The panel's notes below its picture, in two lines at most; the height they take."""
    if not notes:
        return 0.0
    lines = textwrap.wrap(" ".join(notes)[:2000], max(int(wide / 0.055), 8))
    room = 1 if tall < 1.2 else 2 if tall < 2.5 else 3
    if len(lines) > room:
        lines = [*lines[: room - 1], lines[room - 1][: max(int(wide / 0.055) - 2, 6)] + " …"]
    for number, line in enumerate(reversed(lines)):
        frame.text(0.1, 0.05 + 0.13 * number, safe(line), fontsize=6.5, color="#777777", va="bottom")
    return 0.13 * len(lines) + 0.06


def _sentence(shown: Shown) -> str:
    """What stands in a panel that has nothing to draw."""
    panel = shown.panel
    if panel.unsupported:
        return panel.unsupported
    if panel.type == "text":
        return ""
    if not shown.asked:
        return "This panel has no query."
    if shown.empty:
        if shown.away:
            return f"No data: {shown.away}, which this panel asks, is not up here."
        return shown.error or panel.no_value or "No data"
    if not shown.lines and any(one.answer.series for one in shown.asked):
        return "No data: its transformations leave no series."
    if panel.type == "timeseries" and all(one.answer.hollow for one in shown.asked):
        return "No data: every value is NaN, such as 0/0."
    return ""


def _words(frame: Axes, sentence: str, red: bool, wide: float, tall: float, foot: float) -> None:
    letters = max(int(wide / 0.075), 8)
    most = max(int((tall - TITLE - foot) / 0.16), 1)
    wrapped = [part for line in sentence[:4000].splitlines() for part in textwrap.wrap(line, letters) or [""]]
    if len(wrapped) > most:
        wrapped = [*wrapped[: most - 1], wrapped[most - 1][: letters - 2] + " …"]
    frame.text(
        wide / 2,
        (tall - TITLE + foot) / 2,
        safe("\n".join(wrapped)),
        ha="center",
        va="center",
        fontsize=7.5,
        color="#b03030" if red else "#888888",
    )
