"""What panels were called before Grafana 8, read as what they became: axes, thresholds, mappings, series overrides."""

import re
from typing import Any

from monlab.dashboards.fields import Fields
from monlab.dashboards.model import Override, Threshold

TYPES = {
    "graph": "timeseries",
    "singlestat": "stat",
    "table-old": "table",
    "grafana-piechart-panel": "piechart",
    "heatmap-new": "heatmap",
    "grafana-singlestat-panel": "stat",
}
REMOVED = ("graph", "singlestat", "table-old", "grafana-piechart-panel", "grafana-singlestat-panel")
REDUCERS = {"current": "lastNotNull", "avg": "mean", "total": "sum", "min": "min", "max": "max", "first": "firstNotNull"}
SINGLE = ("singlestat", "grafana-piechart-panel", "grafana-singlestat-panel")
LEGEND = ("min", "max", "avg", "current", "total")
# keys of a series override of `graph`: what it became, and what turns its value into that
SERIES_KEYS: dict[str, tuple[str, Any]] = {
    "color": ("color", lambda value: {"mode": "fixed", "fixedColor": value}),
    "fill": ("custom.fillOpacity", lambda value: float(value) * 10),
    "linewidth": ("custom.lineWidth", float),
    "bars": ("custom.drawStyle", lambda value: "bars" if value else "line"),
    "points": ("custom.drawStyle", lambda value: "points" if value else "line"),
    "stack": ("custom.stacking", lambda value: {"mode": "normal" if value and value is not False else "none"}),
    "transform": ("custom.transform", str),
    "dashes": ("custom.lineStyle", lambda value: {"fill": "dash" if value else "solid"}),
    "hideInLegend": ("custom.hideFrom", lambda value: {"legend": bool(value)}),
    "legend": ("custom.hideFrom", lambda value: {"legend": value is False}),
}
HARMLESS = (
    "alias",
    "zindex",
    "$$hashKey",
    "lines",
    "steppedLine",
    "pointradius",
    "hiddenSeries",
    "nullPointMode",
    "dashLength",
    "spaceLength",
)


def unit(fields: Fields, kind: str) -> str:
    if kind == "graph":
        axes = fields.each("yaxes")
        return axes[0].text("format") if axes else ""
    if kind == "heatmap":
        return fields.inside("options").inside("yAxis").text("unit") or fields.inside("yAxis").text("format")
    return fields.text("format") if kind in SINGLE else ""


def label(fields: Fields, kind: str) -> str:
    axes = fields.each("yaxes") if kind == "graph" else []
    return axes[0].text("label") if axes else ""


def axis(fields: Fields, kind: str) -> tuple[float | None, float | None, bool]:
    """Lower end, upper end, and whether it is logarithmic: the left axis of a `graph`, the gauge of a `singlestat`."""
    if kind in SINGLE:
        gauge = fields.inside("gauge")
        return (
            (_number(gauge.value.get("minValue")), _number(gauge.value.get("maxValue")), False)
            if gauge.value
            else (None, None, False)
        )
    axes = fields.each("yaxes") if kind == "graph" else []
    if not axes:
        return None, None, False
    return _number(axes[0].value.get("min")), _number(axes[0].value.get("max")), (_number(axes[0].value.get("logBase")) or 1) > 1


def _number(value: Any) -> float | None:
    """A bound as old files have it: a number, or a text with one, or nothing."""
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if abs(found) < 1e300 and not isinstance(value, bool) else None


def thresholds(fields: Fields, kind: str) -> tuple[Threshold, ...]:
    if kind == "graph":
        return tuple(
            Threshold(value, {"critical": "red", "warning": "orange", "ok": "green"}.get(one.text("colorMode"), "red"))
            for one in fields.each("thresholds")
            if (value := _number(one.value.get("value"))) is not None
        )
    colors = [one for one in fields.items("colors") if isinstance(one, str)] or ["green", "orange", "red"]
    edges = [float(one) for one in re.findall(r"-?\d+(?:\.\d+)?", str(fields.value.get("thresholds") or ""))]
    steps: list[float | None] = [None, *edges]
    return tuple(Threshold(value, color) for value, color in zip(steps, colors, strict=False)) if edges else ()


def mappings(fields: Fields) -> list[dict[str, Any]]:
    """`valueMaps` and `rangeMaps` of a singlestat, as mappings of today."""
    found: list[dict[str, Any]] = []
    kind = fields.value.get("mappingType", 1)
    if kind != 2:
        for one in fields.each("valueMaps"):
            text, value = str(one.value.get("text", "")), one.value.get("value")
            special = value in ("null", None)
            found.append(
                {"type": "special", "options": {"match": "null", "result": {"text": text}}}
                if special
                else {"type": "value", "options": {str(value): {"text": text}}}
            )
    for one in fields.each("rangeMaps") if kind == 2 else []:
        found.append(of_range(one.value))
    return found


def of_range(one: dict[str, Any]) -> dict[str, Any]:
    low, high = _number(one.get("from")), _number(one.get("to"))
    return {"type": "range", "options": {"from": low, "to": high, "result": {"text": str(one.get("text", ""))}}}


def mapping(one: dict[str, Any]) -> dict[str, Any]:
    """A mapping of Grafana 7, whose type is a number, as one of today."""
    if one.get("type") == 1:
        return {"type": "value", "options": {str(one.get("value")): {"text": str(one.get("text", ""))}}}
    return of_range(one) if one.get("type") == 2 else one


def series_overrides(fields: Fields) -> tuple[list[Override], list[str]]:
    """Overrides of a `graph` by name of series, and sentences about what of them is not drawn."""
    found, left = [], set()
    for one in fields.each("seriesOverrides"):
        name = one.text("alias")
        pattern = re.fullmatch(r"/(.*)/\w*", name)
        properties = {}
        for key, value in one.value.items():
            if key in SERIES_KEYS and value is not None:
                try:
                    properties[SERIES_KEYS[key][0]] = SERIES_KEYS[key][1](value)
                except (TypeError, ValueError, OverflowError):
                    left.add(key)
            elif key not in HARMLESS and not (key == "yaxis" and value in (1, "1")):
                left.add(key)
        found.append(Override("byRegexp" if pattern else "byName", name, properties))
    words = {"yaxis": "a second axis", "fillBelowTo": "an area between two series"}
    return found, [f"Not drawn: {', '.join(words.get(key, key) for key in sorted(left))}."] if left else []


def colors_by_name(fields: Fields) -> list[Override]:
    """`aliasColors` of a graph."""
    found = fields.inside("aliasColors").value
    return [
        Override("byName", name, {"color": {"mode": "fixed", "fixedColor": color}})
        for name, color in found.items()
        if isinstance(color, str)
    ]


def single(fields: Fields, kind: str) -> dict[str, Any]:
    """What a singlestat writes around its number, whether thresholds colour it, and whether a line stands behind it."""
    options = fields.inside("options")
    if kind not in SINGLE:
        return {"sparkline": options.text("graphMode", "area") != "none", "colored": options.value.get("colorMode") != "none"}
    shown = (fields.value.get("colorValue"), fields.value.get("colorBackground"), fields.inside("gauge").value.get("show"))
    return {
        "colored": any(one is True for one in shown),
        "prefix": fields.text("prefix"),
        "postfix": fields.text("postfix"),
        "sparkline": fields.inside("sparkline").flag("show"),
    }


def legend_calcs(fields: Fields) -> tuple[str, ...]:
    legend = fields.value.get("legend")
    if not isinstance(legend, dict) or not legend.get("values"):
        return ()
    return tuple(REDUCERS[name] for name in LEGEND if legend.get(name) is True)
