"""Pictures of frames (matplotlib)."""

import textwrap

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.dates import ConciseDateFormatter

MAX_LEGEND = 10
TITLE_WIDTH, TITLE_LINES = 100, 3  # letters and lines of a query that fit above a panel


def lines(frames: list[pd.DataFrame], titles: list[str], unit: str = "", title: str = "") -> None:
    """One panel a frame, one line a column, time (UTC) along the shared axis, `unit` along the other.

    A frame without columns becomes a panel that says so: an empty answer is an answer.
    """
    figure, axes = plt.subplots(
        len(frames), 1, figsize=(9, 1.0 + 2.1 * len(frames)), sharex=True, squeeze=False, layout="constrained"
    )
    for axis, frame, name in zip(axes[:, 0], frames, titles, strict=True):
        axis.set_title(fitted(name), loc="left", fontsize=9, family="monospace")
        axis.set_ylabel(unit or "value")
        axis.grid(alpha=0.3)
        if frame.empty:
            axis.text(0.5, 0.5, "no series", ha="center", va="center", transform=axis.transAxes, color="grey")
            continue
        for column in frame.columns:
            axis.plot(frame.index, frame[column], label=str(column), linewidth=1.3)
        axis.set_ylim(bottom=min(0.0, float(frame.min().min())))
        if len(frame.columns) > 1:
            shown = min(len(frame.columns), MAX_LEGEND)
            heading = None if shown == len(frame.columns) else f"{shown} of {len(frame.columns)} series"
            axis.legend(
                axis.get_lines()[:shown],
                list(map(str, frame.columns[:shown])),
                title=heading,
                fontsize=7,
                loc="upper left",
                bbox_to_anchor=(1.0, 1.0),
            )
    last = axes[-1, 0]
    last.set_xlabel("time (UTC)")
    last.xaxis.set_major_formatter(ConciseDateFormatter(last.xaxis.get_major_locator()))
    if title:
        figure.suptitle(title)
    plt.show()


def fitted(title: str) -> str:
    """A title on as many short lines as fit; a picture must not become small because a query is long."""
    return "\n".join(textwrap.wrap(title, TITLE_WIDTH, max_lines=TITLE_LINES, placeholder=" …"))
