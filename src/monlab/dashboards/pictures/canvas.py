"""Boxes of a figure in inches, sizes of text, and the clock along a lower edge."""

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from matplotlib.axes import Axes
from matplotlib.dates import date2num
from matplotlib.figure import Figure

MOST_LINES, MOST_TILES = 60, 12
SMALL, TEXT = 7.5, 8.0  # points
NARROW, WIDE = "iljtfI.,:;'|!()[] ", "\u2e80"  # letters; from the second one on they are Chinese, Japanese, pictures
BOLD = 1.12  # how much wider bold letters are
ROW = 0.18  # inches: a line of small text
DIM, GRID = "#6b6b6b", "#e6e7e8"
Box = tuple[float, float, float, float]  # left, bottom, width, height
MINUTE, HOUR, DAY = 60, 3600, 86_400
TICKS_S = (
    1, 2, 5, 10, 15, 30, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR,
    12 * HOUR, DAY, 2 * DAY, 7 * DAY, 14 * DAY, 30 * DAY, 90 * DAY, 365 * DAY,
)  # fmt: skip


@dataclass(frozen=True)
class Canvas:
    figure: Figure
    size: tuple[float, float]

    def axes(self, box: Box) -> Axes:
        left, bottom, wide, tall = box
        axes = self.figure.add_axes(
            (left / self.size[0], bottom / self.size[1], max(wide, 0.05) / self.size[0], max(tall, 0.05) / self.size[1]), zorder=2
        )
        axes.patch.set_alpha(0)
        return axes

    def blank(self, box: Box) -> Axes:
        """Axes without ticks, in inches from the lower left corner."""
        axes = self.axes(box)
        axes.set(xlim=(0, max(box[2], 0.05)), ylim=(0, max(box[3], 0.05)), xticks=[], yticks=[])
        for spine in axes.spines.values():
            spine.set_visible(False)
        return axes


def wide_of(text: str, points: float = SMALL) -> float:
    """Inches that a text takes, about."""
    return sum(0.42 if letter in NARROW else 0.66 if letter < WIDE else 1.0 for letter in text) * points / 72


def short(text: str, inches: float, points: float = SMALL) -> str:
    """The text as far as it fits, without line breaks, and with dollars that matplotlib does not take for formulas."""
    text = " ".join(text[:400].split())
    if wide_of(text, points) > inches:
        while text and wide_of(text, points) + points / 72 > inches:
            text = text[:-1]
        text = text.rstrip() + "…"
    return safe(text)


def safe(text: str) -> str:
    """matplotlib reads dollars as formulas, and some letters have no picture."""
    return "".join(letter if letter.isprintable() or letter == "\n" else "·" for letter in text).replace("$", r"\$")


def times(seconds: np.ndarray) -> np.ndarray:
    return np.asarray(date2num([datetime.fromtimestamp(one, UTC) for one in seconds]))


def clock(axes: Axes, first: float, last: float, wide: float) -> None:
    """Round times along the lower edge, as many as there is room for."""
    most = max(2, int(wide / 0.62))
    step = next((one for one in TICKS_S if (last - first) / one <= most), TICKS_S[-1])
    found = np.arange(np.ceil(first / step) * step, last + 1e-6, step)[:50]
    pattern = "%H:%M:%S" if step < MINUTE else "%H:%M" if step < DAY else "%d %b"
    labels = []
    for one in found:
        when = datetime.fromtimestamp(one, UTC)
        labels.append(when.strftime("%d %b" if step < DAY and last - first > DAY and one % DAY == 0 else pattern))
    axes.set_xticks(times(found), labels)
    axes.set_xlim(*times(np.array([first, last if last > first else first + 1])))
    axes.tick_params(labelsize=SMALL, length=2, color="#bbbbbb", labelcolor="#555555")
