"""Where panels stand: rows and panels that repeat for each value of a variable, and what follows moves down."""

from dataclasses import replace

from monlab.dashboards.model import COLUMNS, Panel
from monlab.dashboards.variables import Value, filled, one, written

MOST_COPIES = 50


def laid_out(panels: tuple[Panel, ...], known: dict[str, Value]) -> list[Panel]:
    """The panels as drawn, from top to bottom, copies of repeated ones included, titles filled in. Collapsed rows are opened."""
    placed: list[Panel] = []
    down = 0
    bottom = 0  # of what stands so far
    for group in _groups(panels):
        height = max((panel.y + panel.h for panel in group), default=0)
        top = min((panel.y for panel in group), default=0)
        down = max(down, bottom - top)  # a collapsed row's panels carry places of their own
        row = group[0] if group[0].type == "row" else None
        values = _values(row.repeat, known) if row and row.repeat else [None]
        for number, value in enumerate(values):
            own = () if value is None or row is None else ((row.repeat, value),)
            moved = [replace(panel, y=panel.y + down + number * (height - top), own=own) for panel in group]
            spread, extra = _spread(moved, known)
            placed += spread
            down += extra
        down += (len(values) - 1) * (height - top)
        bottom = max((panel.y + panel.h for panel in placed), default=0)
    found = [
        replace(panel, title=_filled(panel, panel.title, known), content=_filled(panel, panel.content, known)) for panel in placed
    ]
    return _compact(sorted(found, key=lambda panel: (panel.y, panel.x)))


def _compact(panels: list[Panel]) -> list[Panel]:
    """Each panel moved up until it meets another one, as Grafana's grid does; so a gap in a file is none on the screen."""
    filled_to = [0] * COLUMNS
    found = []
    for panel in panels:
        x, wide = (0, COLUMNS) if panel.type == "row" else (panel.x, panel.w)
        top = max(filled_to[x : x + wide], default=0)
        tall = 1 if panel.type == "row" else panel.h
        filled_to[x : x + wide] = [top + tall] * wide
        found.append(replace(panel, x=x, w=wide, y=top, h=tall))
    return found


def _groups(panels: tuple[Panel, ...]) -> list[list[Panel]]:
    """A row with what stands below it, up to the next row."""
    ordered: list[list[Panel]] = []
    for panel in panels:
        if panel.type == "row" or not ordered:
            ordered.append([])
        ordered[-1].append(panel)
    return [_below(group) for group in ordered]


def _below(group: list[Panel]) -> list[Panel]:
    """Panels of a collapsed row have kept the places of another day, far above or below it."""
    if group[0].type != "row":
        return group
    lift = group[0].y + 1 - min((panel.y for panel in group[1:]), default=group[0].y + 1)
    return [group[0], *(replace(panel, y=panel.y + lift) for panel in group[1:])]


def _values(name: str, known: dict[str, Value]) -> list[str | None]:
    found = known.get(name)
    return list(found.values[:MOST_COPIES]) if found and found.values else [None]


def _spread(group: list[Panel], known: dict[str, Value]) -> tuple[list[Panel], int]:
    """The group with its repeated panels copied, and how many lines it became taller."""
    found: list[Panel] = []
    extra = 0
    for panel in sorted(group, key=lambda panel: (panel.y, panel.x)):
        here = replace(panel, y=panel.y + extra)
        values = _values(panel.repeat, known) if panel.repeat and panel.type != "row" else []
        if not values or values == [None]:
            found.append(here)
            continue
        columns = 1 if panel.repeat_downwards else min(len(values), panel.max_per_row)
        wide = panel.w if panel.repeat_downwards else COLUMNS // columns
        for number, value in enumerate(values):
            line, column = divmod(number, columns)
            x = panel.x if panel.repeat_downwards else column * wide
            own = (*panel.own, (panel.repeat, str(value)))
            found.append(replace(here, x=x, y=here.y + line * panel.h, w=wide, own=own))
        extra += ((len(values) - 1) // columns) * panel.h
    return found, extra


def _filled(panel: Panel, text: str, known: dict[str, Value]) -> str:
    """Titles are for reading: a variable stands there with its text, not as a regular expression."""
    own = {**known, **{name: one(value) for name, value in panel.own}}
    return filled(text, {name: one(written(value, "text")) for name, value in own.items()}).replace("\\\\", "\\")
