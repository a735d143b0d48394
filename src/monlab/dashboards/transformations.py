"""Transformations of a panel: the common ones are applied, and the others are named.

https://grafana.com/docs/grafana/latest/panels-visualizations/query-transform-data/transform-data/
"""

import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from monlab.dashboards.model import Transformation
from monlab.dashboards.overrides import matched
from monlab.dashboards.reducers import REDUCERS, reduce
from monlab.dashboards.shown import Line
from monlab.dashboards.tables import Cell, Column, Table

Options = dict[str, Any]
NAMES = {
    "lastNotNull": "Last *",
    "last": "Last",
    "max": "Max",
    "min": "Min",
    "mean": "Mean",
    "sum": "Total",
    "count": "Count",
    "firstNotNull": "First *",
}
SIGNS: dict[str, Callable[[float, float], float]] = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": np.divide}
JUNK = (
    KeyError,
    TypeError,
    ValueError,
    AttributeError,
    IndexError,
    OverflowError,
    re.error,
)  # what options of a wrong shape lead to


def of_table(table: Table, lines: Sequence[Line], wanted: tuple[Transformation, ...]) -> tuple[Table, list[str]]:
    """The table transformed, and the ids of what was not applied."""
    left_out = []
    for number, one in enumerate(wanted):
        try:
            table = _reduced(lines, one.options) if one.id == "reduce" and number == 0 else TABLES[one.id](table, one.options)
        except JUNK:
            if one.id not in (*TABLES, "reduce") or (table.rows and not one.options.get("saved")):
                left_out.append(
                    one.id
                )  # a column that an empty answer lacks is no reason, nor one that a file was saved sorted by
    return table, left_out


def of_lines(lines: list[Line], wanted: tuple[Transformation, ...]) -> tuple[list[Line], list[str]]:
    """The series transformed, and the ids of what was not applied."""
    left_out = []
    for one in wanted:
        try:
            lines = LINES[one.id](lines, one.options)
        except JUNK:
            left_out.append(one.id)
    return lines, left_out


def _same(table: Any, _options: Options) -> Any:
    return table


def _organized(table: Table, options: Options) -> Table:
    """Columns left out, renamed and put in order."""
    out, names, order = ((options.get(key) or {}) for key in ("excludeByName", "renameByName", "indexByName"))
    only = options.get("includeByName") or {}
    kept = [one for one in table.columns if not out.get(one.name) and (not only or only.get(one.name))]
    kept.sort(key=lambda one: float(order.get(one.name, len(order))))
    return Table([replace(one, name=str(names.get(one.name) or one.name)) for one in kept], table.rows)


def _filtered(table: Table, options: Options) -> Table:
    return Table([one for one in table.columns if _wanted(one.name, options)], table.rows)


def _wanted(name: str, options: Options) -> bool:
    """https://grafana.com/docs/grafana/latest/panels-visualizations/query-transform-data/transform-data/#filter-fields-by-name"""

    def among(part: Any) -> bool:
        return name in (part.get("names") or []) or bool(part.get("pattern") and matched(part["pattern"], name))

    include, exclude = options.get("include") or {}, options.get("exclude") or {}
    return (not include or among(include)) and not (exclude and among(exclude))


def _renamed(name: str, options: Options) -> str:
    """`$1` of the pattern is a group of the regular expression."""
    pattern = re.sub(r"\\?\$(\d)", r"\\g<\1>", str(options["renamePattern"]).replace("\\", r"\\"))
    body = re.fullmatch(r"/(.*)/\w*", options["regex"])
    return re.sub(body[1] if body else options["regex"], pattern, name, count=1)


def _sorted(table: Table, options: Options) -> Table:
    found = list(table.rows)
    for one in reversed(options["sort"]):
        column = table.column(one["field"])
        found.sort(key=lambda row: _rank(row.get(column.key, "")), reverse=bool(one.get("desc")))
    return Table(table.columns, found)


def _rank(value: Cell) -> tuple[bool, float, str]:
    return (True, 0.0, value) if isinstance(value, str) else (False, -np.inf if value != value else value, "")


def _joined(table: Table, options: Options) -> Table:
    """Rows with the same value of a column made one. Joined over time, a table of one moment stays as it is."""
    wanted = options.get("byField") or "Time"
    if wanted == "Time":
        return table
    key = table.column(wanted).key
    rows: dict[Cell, dict[str, Cell]] = {}
    for row in table.rows:
        rows[row.get(key, "")] = {**row, **rows.get(row.get(key, ""), {})}
    return Table(table.columns, list(rows.values()))


def _grouped(table: Table, options: Options) -> Table:
    """Rows grouped by columns; of the other columns a number for each reducer."""
    fields = options["fields"]
    groups = [one for one in table.columns if (fields.get(one.name) or {}).get("operation") == "groupby"]
    found = [
        (one, name)
        for one in table.columns
        if (fields.get(one.name) or {}).get("operation") == "aggregate"
        for name in fields[one.name].get("aggregations") or []
    ]
    rows: dict[tuple[Cell, ...], list[dict[str, Cell]]] = {}
    for row in table.rows:
        rows.setdefault(tuple(row.get(one.key, "") for one in groups), []).append(row)
    made = [Column(f"{one.key} ({name})", f"{one.name} ({name})", one.ref, True) for one, name in found]
    return Table(
        [*groups, *made],
        [
            {**{one.key: members[0].get(one.key, "") for one in groups}, **_numbers(members, found, made)}
            for members in rows.values()
        ],
    )


def _numbers(members: list[dict[str, Cell]], found: list[tuple[Column, str]], made: list[Column]) -> dict[str, Cell]:
    numbers: dict[str, Cell] = {}
    for (one, name), column in zip(found, made, strict=True):
        cells = [row.get(one.key, np.nan) for row in members]
        texts = [cell for cell in cells if isinstance(cell, str)]
        if texts and name not in ("count", "countAll"):
            numbers[column.key] = texts[0 if name.startswith("first") else -1]
        else:
            numbers[column.key] = float(len(cells)) if texts else reduce(np.array(cells, float), name)
    return numbers


def _calculated(table: Table, options: Options) -> Table:
    if options.get("mode") == "binary":
        parts, sign = options["binary"], SIGNS[options["binary"]["operator"]]
        sides = [_side(table, parts[side]) for side in ("left", "right")]
        name = options.get("alias") or f"{parts['left']} {parts['operator']} {parts['right']}"
        with np.errstate(all="ignore"):
            made = [float(sign(np.float64(sides[0](row)), sides[1](row))) for row in table.rows]
    else:
        part = options["reduce"]
        columns = [one for one in table.columns if one.number and (not part.get("include") or one.name in part["include"])]
        name = options.get("alias") or NAMES.get(part["reducer"], str(part["reducer"]))
        made = [reduce(np.array([_float(row.get(one.key)) for one in columns]), part["reducer"]) for row in table.rows]
    rows = [{**row, str(name): value} for row, value in zip(table.rows, made, strict=True)]
    kept = [] if options.get("replaceFields") else table.columns
    return Table([*kept, Column(str(name), str(name), "", True)], rows)


def _side(table: Table, written: Any) -> Callable[[dict[str, Cell]], float]:
    """A column, or a number, as files of each age write it."""
    if isinstance(written, dict):
        written = (written.get("matcher") or {}).get("options") or written.get("fixed")
    try:
        column = table.column(str(written))
    except KeyError:
        number = float(written)
        return lambda _row: number
    return lambda row: _float(row.get(column.key))


def _float(cell: Cell | None) -> float:
    return np.nan if cell is None or isinstance(cell, str) else cell


def _reduced(lines: Sequence[Line], options: Options) -> Table:
    """A row a series, a column a reducer."""
    if options.get("mode") not in (None, "seriesToRows"):
        raise KeyError(options["mode"])
    names = [one for one in options.get("reducers") or ["lastNotNull"] if one in REDUCERS]
    labels = sorted({key for one in lines for key in one.series.labels}) if options.get("labelsToFields") else []
    made = [Column(NAMES.get(name, name), NAMES.get(name, name), "", True) for name in names]
    rows: list[dict[str, Cell]] = [
        {
            **{key: one.series.labels.get(key, "") for key in labels},
            "Field": one.name,
            **{column.key: reduce(one.series.values, name) for column, name in zip(made, names, strict=True)},
        }
        for one in lines
    ]
    return Table([Column("Field", "Field"), *(Column(key, key) for key in labels), *made], rows)


TABLES: dict[str, Callable[[Table, Options], Table]] = {
    **dict.fromkeys(("merge", "labelsToFields", "prepareTimeSeries", "seriesToRows"), _same),
    **dict.fromkeys(("joinByField", "seriesToColumns"), _joined),
    "organize": _organized,
    "filterFieldsByName": _filtered,
    "renameByRegex": lambda table, options: Table(
        [replace(one, name=_renamed(one.name, options)) for one in table.columns], table.rows
    ),
    "sortBy": _sorted,
    "limit": lambda table, options: Table(table.columns, table.rows[: max(int(options["limitField"]), 0)]),
    "groupBy": _grouped,
    "calculateField": _calculated,
    "filterByRefId": lambda table, options: Table(
        [one for one in table.columns if not one.ref or matched(f"^({options['include']})$", one.ref)], table.rows
    ),
}
LINES: dict[str, Callable[[list[Line], Options], list[Line]]] = {
    **dict.fromkeys(("merge", "joinByField", "seriesToColumns", "prepareTimeSeries"), _same),
    "renameByRegex": lambda lines, options: [replace(one, name=_renamed(one.name, options)) for one in lines],
    "filterFieldsByName": lambda lines, options: [one for one in lines if _wanted(one.name, options)],
    "filterByRefId": lambda lines, options: [one for one in lines if matched(f"^({options['include']})$", one.ref)],
    "organize": lambda lines, options: [
        replace(one, name=str((options.get("renameByName") or {}).get(one.name) or one.name))
        for one in lines
        if not (options.get("excludeByName") or {}).get(one.name)
    ],
}
