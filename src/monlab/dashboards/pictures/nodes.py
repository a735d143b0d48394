"""A service map: callers to the left of what they call."""

import math

from monlab.dashboards.pictures.canvas import DIM, SMALL, Box, Canvas, short, wide_of
from monlab.dashboards.shown import Shown

MOST_NODES = 40


def nodes(canvas: Canvas, shown: Shown, box: Box) -> None:
    edges = [edge for one in shown.asked for edge in one.answer.edges]
    names = sorted({name for caller, called, _ in edges for name in (caller, called)})[:MOST_NODES]
    edges = [edge for edge in edges if edge[0] in names and edge[1] in names]
    depth = _depths(names, edges)
    columns: dict[int, list[str]] = {}
    for name in names:
        columns.setdefault(depth[name], []).append(name)
    axes = canvas.blank(box)
    width = box[2] / len(columns)
    place = {
        name: ((number + 0.5) * width, box[3] * (index + 1) / (len(found) + 1))
        for number, (_, found) in enumerate(sorted(columns.items()))
        for index, name in enumerate(found)
    }
    for caller, called, calls in edges:
        if caller == called:
            continue
        (x0, y0), (x1, y1) = place[caller], place[called]
        near = depth[called] - depth[caller] == 1
        rise = 0.0 if near else min(0.3, (box[3] / 2 - 0.35) / max(math.hypot(x1 - x0, y1 - y0) / 2, 0.1))
        gap = [_gap(name, x1 - x0, y1 - y0) for name in (caller, called)]
        style = {
            "arrowstyle": "-|>",
            "color": "#8a8a8a",
            "shrinkA": gap[0],
            "shrinkB": gap[1],
            "connectionstyle": f"arc3,rad={-rise:.3f}",
        }
        axes.annotate("", place[called], place[caller], arrowprops=style)
        y = (
            (y0 + y1) / 2 + rise * math.hypot(x1 - x0, y1 - y0) / 2 + (0.14 if not rise else 0.0)
        )  # a straight arrow is seen whole
        axes.text(
            (x0 + x1) / 2,
            y,
            f"{calls:,} calls",
            fontsize=SMALL,
            ha="center",
            va="center",
            color=DIM,
            bbox={"fc": "white", "ec": "none", "pad": 1.5},
        )
    for name, (x, y) in place.items():
        own = sum(calls for caller, called, calls in edges if caller == called == name)
        words = short(name, width - 0.3, 9) + (f" ({own:,} to itself)" if own else "")
        axes.text(
            x,
            y,
            words,
            ha="center",
            va="center",
            fontsize=9,
            bbox={"boxstyle": "round,pad=0.45", "fc": "#eaf2ff", "ec": "#3274d9"},
        )


def _gap(name: str, across: float, up: float) -> float:
    """Points from the middle of a service's box to its edge, on the way of an arrow: none begins or ends under the name."""
    wide, tall = wide_of(name, 9) / 2 + 0.16, 0.17
    length = math.hypot(across, up) or 1.0
    sides = [half * length / abs(part) for half, part in ((wide, across), (tall, up)) if part]
    return 72 * (min(sides, default=wide) + 0.03)


def _depths(names: list[str], edges: list[tuple[str, str, int]]) -> dict[str, int]:
    """How many calls away from the first caller each one is; services that call each other in a circle end the count."""
    depth = dict.fromkeys(names, 0)
    for _ in names:
        for caller, called, _calls in edges:
            if caller != called and depth[caller] + 1 < len(names):
                depth[called] = max(depth[called], depth[caller] + 1)
    return depth
