"""Overrides of fields: which series one means, what of it is applied, and what is named as left out.

https://grafana.com/docs/grafana/latest/panels-visualizations/configure-overrides/
"""

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from monlab.dashboards.model import Override, Panel, Threshold
from monlab.dashboards.old_panels import mapping

MATCHERS = ("byName", "byNames", "byRegexp", "byFrameRefID", "byType")
APPLIED = (
    "unit", "decimals", "min", "max", "noValue", "displayName", "color", "thresholds", "mappings", "custom.hideFrom", "custom.hidden",
    "custom.transform", "custom.fillOpacity", "custom.lineWidth", "custom.lineStyle", "custom.drawStyle", "custom.stacking",
    "custom.spanNulls", "custom.insertNulls",
)  # fmt: skip
# What changes the look alone, and nothing that one reads.
LOOKS = (
    "custom.align", "custom.width", "custom.minWidth", "custom.filterable", "custom.inspect", "custom.pointSize", "custom.showPoints",
    "custom.lineInterpolation", "custom.barAlignment", "custom.gradientMode", "custom.cellOptions", "custom.displayMode", "custom.axisColorMode",
    "custom.hideFrom.viz", "custom.wrapText", "custom.axisGridShow", "custom.thresholdsStyle", "links", "description", "filterable", "",
)  # fmt: skip
WORDS = {
    "custom.fillBelowTo": "the area between two series",
    "custom.axisPlacement": "a second axis",
    "custom.axisLabel": "the label of an axis",
    "custom.axisSoftMin": "the soft ends of a second axis",
    "custom.axisSoftMax": "the soft ends of a second axis",
}


def left_out(overrides: Iterable[Override], kind: str) -> list[str]:
    """Sentences about what of the overrides is not applied."""
    found = []
    for matcher in sorted({one.matcher for one in overrides if one.matcher not in MATCHERS}):
        found.append(f'Overrides with the matcher "{matcher}" are not applied.')
    unknown = {name for one in overrides for name in one.properties if name not in APPLIED and name not in LOOKS}
    if unknown and kind not in ("text", "row"):
        found.append(f"Not drawn: {', '.join(sorted({WORDS.get(name, name) for name in unknown}))}.")
    return found


def meant(override: Override, name: str, ref: str, number: bool = True) -> bool:
    """Whether an override is for the field of that name, of the query with that letter."""
    match override.matcher:
        case "byName":
            return override.option == name
        case "byNames":
            return (name in override.names) != override.others
        case "byFrameRefID":
            return override.option == ref
        case "byType":
            return number and override.option == "number"
        case "byRegexp":
            return matched(override.option, name)
    return False


def matched(pattern: str, text: str) -> bool:
    """Whether `/regex/`, or a regex without slashes, is found in the text. One that cannot be read matches nothing."""
    body = re.fullmatch(r"/(.*)/(\w*)", pattern, re.DOTALL)
    try:
        return bool(re.search(body[1] if body else pattern, text, re.IGNORECASE if body and "i" in body[2] else 0))
    except (re.error, RecursionError):
        return False


def applied(panel: Panel, properties: dict[str, Any]) -> Panel:
    """The panel as one of its series has it. Values of a wrong type change nothing."""
    changes: dict[str, Any] = {}
    for name, value in properties.items():
        changes |= _change(name, value)
    return replace(panel, **changes)


def _change(name: str, value: Any) -> dict[str, Any]:
    number = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300
    match name:
        case "unit" | "noValue" if isinstance(value, str):
            return {"unit" if name == "unit" else "no_value": value}
        case "decimals" if number:
            return {"decimals": int(min(max(value, 0), 15))}
        case "min" | "max" if number:
            return {"least" if name == "min" else "most": float(value)}
        case "thresholds" if isinstance(value, dict):
            return _steps(value)
        case "mappings" if isinstance(value, list):
            return {"mappings": tuple(mapping(one) for one in value if isinstance(one, dict))}
        case "custom.hideFrom" if isinstance(value, dict):
            return {"hidden": value.get("viz") is True, "legend_shown": value.get("legend") is not True}
        case "custom.hidden":
            return {"hidden": value is True}
        case "custom.transform":
            return {"upside_down": value == "negative-Y"}
        case "custom.fillOpacity" if number:
            return {"fill": min(max(value / 100, 0.0), 1.0)}
        case "custom.lineWidth" if number:
            return {"line_width": min(max(float(value), 0.0), 10.0)}
        case "custom.lineStyle" if isinstance(value, dict):
            return {"dashed": value.get("fill") in ("dash", "dot")}
        case "custom.drawStyle":
            return {"bars": value == "bars", "points": value == "points"}
        case "custom.stacking" if isinstance(value, dict):
            alone = value.get("group") is False  # in no group with the others
            return {"stacked": value.get("mode") in ("normal", "percent") and not alone}
        case "custom.spanNulls":
            return {"span_nulls": value is True, "span_ms": float(value) if number else 0.0}
        case "custom.insertNulls":
            return {"gap_ms": float(value) if number else 0.0}
    return {}


def _steps(value: dict[str, Any]) -> dict[str, Any]:
    steps = [one for one in value.get("steps") or [] if isinstance(one, dict)] if isinstance(value.get("steps"), list) else []
    if not all(
        one.get("value") is None or (isinstance(one["value"], int | float) and abs(one["value"]) < 1e300) for one in steps
    ):
        return {}
    return {
        "thresholds": tuple(Threshold(one.get("value"), str(one.get("color"))) for one in steps),
        "percentage_thresholds": value.get("mode") == "percentage",
    }
