"""Panels of a dashboard's JSON -> records. What older Grafanas called things stands in `old_panels.py`."""

import re
from typing import Any

from monlab.dashboards import old_panels as old
from monlab.dashboards import overrides
from monlab.dashboards.fields import Fields
from monlab.dashboards.model import COLUMNS, Override, Panel, Threshold, Transformation
from monlab.dashboards.target_reader import source, targets, ways

DRAWN = (
    "timeseries", "stat", "gauge", "bargauge", "table", "heatmap", "logs", "piechart", "nodeGraph", "text", "row", "barchart",
    "state-timeline", "status-history",
)  # fmt: skip
SPAN = 12  # columns of a row before Grafana 5
WIDE, TALL = 6, 3  # of a panel whose place the file leaves out


def panels(dashboard: Fields) -> tuple[Panel, ...]:
    """All panels in one list: those of collapsed rows stand behind their row."""
    found: list[Panel] = []
    for one in dashboard.each("panels"):
        if one.has("repeatPanelId"):
            continue  # a copy that an old Grafana saved; a repeated panel is copied anew each time
        found.append(_panel(one))
        if one.text("type") == "row":
            found += [_panel(inside) for inside in one.each("panels") if not inside.has("repeatPanelId")]
    rows = [row for row in dashboard.each("rows") if not row.has("repeatRowId")]
    titled = any(row.value.get(key) for row in rows for key in ("collapse", "showTitle", "repeat"))
    top = 0
    for row in rows:
        top = _old_row(row, top, titled, found)
    return tuple(found)


def _old_row(row: Fields, top: int, titled: bool, found: list[Panel]) -> int:
    """A row as it was before Grafana 5: a height in pixels, and panels with a `span` of twelve."""
    if titled:
        found.append(Panel(0, row.text("title"), "row", 0, top, COLUMNS, 1, repeat=row.text("repeat")))
        top += 1
    lines = _lines(row.value.get("height"), 250)
    left = 0
    tallest = 0
    for one in row.each("panels"):
        if one.has("repeatPanelId"):
            continue
        span = one.number("span", SPAN)
        wide = max(int(span * COLUMNS / SPAN), 1) if -SPAN <= span <= SPAN else COLUMNS
        tall = _lines(one.value.get("height"), 0) or lines
        if left + wide > COLUMNS:
            left, top, tallest = 0, top + tallest, 0
        grid = one.value.get("gridPos") or {"x": left, "y": top, "w": wide, "h": tall}
        found.append(_panel(Fields({**one.value, "gridPos": grid}, one.path, one.problems)))
        left, tallest = left + wide, max(tallest, tall)
    return top + tallest


def _lines(height: Any, default_pixels: int) -> int:
    """Lines of the grid for `250`, `"250"` or `"250px"`; 0 for nothing."""
    digits = re.match(r"\d{1,5}", str(height if height is not None else default_pixels))
    pixels = int(digits[0]) if digits else default_pixels
    return max(3, pixels // 38) if pixels else 0


def _panel(fields: Fields) -> Panel:
    kind = fields.text("type")
    drawn = old.TYPES.get(kind, kind)
    notes = []
    if kind in old.REMOVED:
        notes.append(f'"{kind}" is an old panel type that Grafana 12 removed with Angular; drawn as {drawn}.')
    library = fields.inside("libraryPanel")
    unsupported = ""
    if fields.has("libraryPanel") and not kind:
        unsupported = f'Library panel "{library.text("name")}": its content lies in a Grafana, not in this file.'
    elif fields.has("libraryPanel"):
        notes.append("A library panel: drawn from the copy in this file.")
    elif not kind:
        unsupported = "This panel names no type."
    elif drawn not in DRAWN:
        unsupported = f'Panels of type "{kind}" are not drawn here.'
    grid, options = fields.inside("gridPos"), fields.inside("options")
    config = fields.inside("fieldConfig")
    defaults = config.inside("defaults")
    reduce, legend = options.inside("reduceOptions"), options.inside("legend")
    made, left_out = old.series_overrides(fields) if kind == "graph" else ([], [])
    made = [*old.colors_by_name(fields), *made] if kind == "graph" else made
    changed = [*(_override(one) for one in config.each("overrides")), *made]
    notes += [*ways(fields, drawn), *left_out, *overrides.left_out(changed, drawn), *_not_drawn(fields, defaults, drawn, kind)]
    low, high, log = old.axis(fields, kind)
    wide = min(max(grid.whole("w", WIDE), 1), COLUMNS)
    return Panel(
        id=fields.whole("id"),
        title=fields.text("title"),
        type=drawn,
        x=min(max(grid.whole("x"), 0), COLUMNS - wide),
        y=max(grid.whole("y"), 0),
        w=wide,
        h=min(max(grid.whole("h", TALL), 1), 60),
        description=fields.text("description"),
        targets=targets(fields),
        source=source(fields),
        unit=defaults.text("unit") or old.unit(fields, kind),
        decimals=_decimals(fields if kind in old.SINGLE else defaults),
        color=_color(defaults),
        axis_label=defaults.inside("custom").text("axisLabel") or old.label(fields, kind),
        **old.single(fields, kind),
        least=low if low is not None else defaults.maybe("min"),
        most=high if high is not None else defaults.maybe("max"),
        thresholds=_thresholds(defaults, fields, kind),
        percentage_thresholds=defaults.inside("thresholds").text("mode") == "percentage",
        mappings=tuple(
            [*(old.mapping(one) for one in defaults.items("mappings") if isinstance(one, dict)), *old.mappings(fields)]
        ),
        overrides=tuple(changed),
        display_name=defaults.text("displayName"),
        reducers=_reducers(reduce, fields, kind),
        value_field=str(reduce.value.get("fields") or ""),
        text_mode=options.text("textMode", "auto"),
        legend_calcs=tuple(old.REDUCERS.get(one, one) for one in legend.items("calcs") if isinstance(one, str))
        or old.legend_calcs(fields),
        legend_shown=_legend_shown(legend, fields),
        no_value=defaults.text("noValue"),
        interval=fields.text("interval"),
        max_points=_points(fields),
        time_from=fields.text("timeFrom"),
        time_shift=fields.text("timeShift"),
        repeat=fields.text("repeat"),
        repeat_downwards=fields.text("repeatDirection") == "v",
        max_per_row=fields.whole("maxPerRow", 4) or 4,
        draws_thresholds=_draws_thresholds(defaults, kind),
        links=tuple(one.text("url") for one in fields.each("links") if one.text("url")),
        transformations=(*_transformations(fields), *_sorting(options, drawn)),
        content=options.text("content") or fields.text("content"),
        notes=tuple(dict.fromkeys(notes)),
        unsupported=unsupported,
        **_lines_of(defaults.inside("custom"), fields, log),
    )


def _transformations(fields: Fields) -> list[Transformation]:
    listed = [one for one in fields.each("transformations") if not one.flag("disabled")]
    return [Transformation(one.text("id"), one.inside("options").value) for one in listed]


def _sorting(options: Fields, drawn: str) -> list[Transformation]:
    """A table that is saved sorted by a column is sorted last of all."""
    listed = options.each("sortBy") if drawn == "table" and isinstance(options.value.get("sortBy"), list) else []
    found = [{"field": one.text("displayName"), "desc": one.flag("desc")} for one in listed]
    return [Transformation("sortBy", {"sort": found, "saved": True})] if found else []


def _color(defaults: Fields) -> str:
    color = defaults.inside("color")
    return color.text("fixedColor") if color.text("mode") == "fixed" else ""


def _lines_of(custom: Fields, fields: Fields, log: bool) -> dict[str, Any]:
    """How a time series is drawn: https://grafana.com/docs/grafana/latest/panels-visualizations/visualizations/time-series/"""
    stacking = custom.inside("stacking").text("mode", "none")
    spans, gap = custom.value.get("spanNulls"), custom.value.get("insertNulls")
    nulls = fields.value.get("nullPointMode")
    return {
        "stacked": stacking in ("normal", "percent") or _true(fields, "stack"),
        "percent_stacked": stacking == "percent" or (_true(fields, "stack") and _true(fields, "percentage")),
        "span_nulls": spans is True or nulls == "connected",
        "span_ms": _width(spans),
        "gap_ms": _width(gap),
        "nulls_as_zero": nulls == "null as zero",
        "bars": custom.text("drawStyle") == "bars" or _true(fields, "bars"),
        "points": custom.text("drawStyle") == "points" or (_true(fields, "points") and fields.value.get("lines") is False),
        "fill": min(max((custom.number("fillOpacity") or 10 * _old(fields, "fill")) / 100, 0.0), 1.0),
        "line_width": min(max(custom.number("lineWidth", _old(fields, "linewidth") or 1.0), 0.0), 10.0),
        "dashed": custom.inside("lineStyle").text("fill", "solid") != "solid",
        "log_scale": log or custom.inside("scaleDistribution").text("type") == "log",
        "soft_least": custom.maybe("axisSoftMin"),
        "soft_most": custom.maybe("axisSoftMax"),
        "upside_down": custom.text("transform") == "negative-Y",
    }


def _old(fields: Fields, key: str) -> float:
    """A number of an old graph, which some files have as a text."""
    value = fields.value.get(key)
    found = value if isinstance(value, int | float) else float(value) if isinstance(value, str) and value.isdecimal() else 0.0
    return float(found) if 0 <= found < 1000 else 0.0


def _not_drawn(fields: Fields, defaults: Fields, drawn: str, kind: str) -> list[str]:
    """Sentences about settings that change what one reads, and that are not drawn here."""
    options = fields.inside("options")
    found = []
    if kind == "table-old" and (fields.items("styles") or fields.items("columns")):
        found.append("The columns and styles of an old table are not applied.")
    if kind == "graph" and fields.inside("xaxis").text("mode", "time") != "time":
        found.append(f"Its lower edge would be {fields.inside('xaxis').text('mode')}; it is drawn over time.")
    if options.inside("footer").flag("show"):
        found.append("The footer of the table is not drawn.")
    if fields.items("timeRegions"):
        found.append("Regions of time are not drawn.")
    if fields.has("alert"):
        found.append("It has an alert of the old kind, which Grafana 11 removed; it is not evaluated.")
    if drawn == "heatmap" and (options.flag("calculate") or fields.value.get("dataFormat") == "timeseries"):
        found.append("Its buckets would be calculated from the series; the series themselves are drawn.")
    if options.inside("reduceOptions").flag("values"):
        found.append("Grafana shows all values here; drawn is the last one of each series.")
    if defaults.inside("custom").text("transform") == "constant":
        found.append("The constant of its last value is drawn as the series itself.")
    return found


def _width(value: Any) -> float:
    """Milliseconds; 0 for true, false and what is no number."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e15 else 0.0


def _true(fields: Fields, key: str) -> bool:
    return fields.value.get(key) is True


def _points(fields: Fields) -> int:
    """Old files have the number as a text."""
    value = fields.value.get("maxDataPoints")
    if isinstance(value, str):
        return int(value) if re.fullmatch(r"\d{1,6}", value) else 0
    return max(fields.whole("maxDataPoints"), 0)


def _decimals(defaults: Fields) -> int | None:
    found = defaults.maybe("decimals")
    return None if found is None or found != found else int(min(max(found, 0), 15))


def _thresholds(defaults: Fields, fields: Fields, kind: str) -> tuple[Threshold, ...]:
    if kind in (*old.SINGLE, "graph"):
        return old.thresholds(fields, kind)
    return tuple(Threshold(one.maybe("value"), one.text("color", "green")) for one in defaults.inside("thresholds").each("steps"))


def _draws_thresholds(defaults: Fields, kind: str) -> bool:
    return kind == "graph" or defaults.inside("custom").inside("thresholdsStyle").text("mode", "off") not in ("off", "")


def _override(fields: Fields) -> Override:
    matcher = fields.inside("matcher")
    option: Any = matcher.value.get("options", "")
    listed = option.get("names") if isinstance(option, dict) else None
    return Override(
        matcher.text("id"),
        option if isinstance(option, str) else "",
        {one.text("id"): one.value.get("value") for one in fields.each("properties")},
        tuple(str(name) for name in listed) if isinstance(listed, list) else (),
        isinstance(option, dict) and option.get("mode") == "exclude",
    )


def _reducers(reduce: Fields, fields: Fields, kind: str) -> tuple[str, ...]:
    if kind in old.SINGLE:
        return (old.REDUCERS.get(fields.text("valueName", "current"), "lastNotNull"),)
    names = tuple(old.REDUCERS.get(one, one) for one in reduce.items("calcs") if isinstance(one, str))
    return names or ("lastNotNull",)


def _legend_shown(legend: Fields, fields: Fields) -> bool:
    before = fields.value.get("legend")
    if isinstance(before, dict) and not legend.value:
        return before.get("show") is not False
    return legend.flag("showLegend", True) and legend.text("displayMode", "list") != "hidden"
