"""Value mappings: the text and colour that stand in place of a number.

https://grafana.com/docs/grafana/latest/panels-visualizations/configure-value-mappings/
"""

import math
from typing import Any

from monlab.dashboards.overrides import matched

Mappings = tuple[dict[str, Any], ...]


def mapped(mappings: Mappings, value: float | str) -> tuple[str | None, str | None]:
    """Text and colour for a value; None for what the mappings leave as it is."""
    for one in mappings:
        options = one.get("options")
        if not isinstance(options, dict):
            continue
        result = _result(str(one.get("type")), options, value)
        if isinstance(result, dict):
            text, color = result.get("text"), result.get("color")
            return (str(text) if isinstance(text, str | int | float) else None, color if isinstance(color, str) else None)
    return None, None


def _result(kind: str, options: dict[str, Any], value: float | str) -> Any:
    if kind == "value":
        return options.get(value if isinstance(value, str) else _plain(value))
    if kind == "regex":
        pattern = options.get("pattern")
        return options.get("result") if isinstance(pattern, str) and matched(pattern, str(value)) else None
    if kind == "special":
        return options.get("result") if _special(str(options.get("match")), value) else None
    if kind == "range" and not isinstance(value, str):
        low, high = options.get("from"), options.get("to")
        inside = (not isinstance(low, int | float) or value >= low) and (not isinstance(high, int | float) or value <= high)
        return options.get("result") if inside and not math.isnan(value) else None
    return None


def _plain(value: float) -> str:
    return str(int(value)) if math.isfinite(value) and value == int(value) else repr(value)


def _special(match: str, value: float | str) -> bool:
    if isinstance(value, str):
        return (match == "empty" and not value) or match == value
    return match in ("null", "nan", "null+nan") and math.isnan(value)
