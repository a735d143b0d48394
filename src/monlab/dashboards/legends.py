"""Names of series, as Grafana gives them."""

import re
from collections.abc import Mapping

FIELD = re.compile(
    r"\$\{__field\.labels\.([^}]+)\}|\$\{__field\.labels\[\"([^\"]+)\"\]\}|\$\{__(?:field\.(?:name|displayName)|series\.name)\}"
)
PLACE = re.compile(r"\{\{\s*(.+?)\s*\}\}")


def rendered(pattern: str, labels: Mapping[str, str]) -> str:
    """`{{label}}` filled in; a label that the series lacks leaves its own name."""
    return PLACE.sub(lambda found: labels.get(found[1]) or found[1], pattern)


def automatic(labels: Mapping[str, str], expr: str = "") -> str:
    """The name without a pattern: the metric with its labels, or the query when there are none.

    https://grafana.com/docs/grafana/latest/datasources/prometheus/query-editor/ (legend)
    """
    rest = ", ".join(f'{key}="{value}"' for key, value in sorted(labels.items()) if key != "__name__")
    name = labels.get("__name__", "")
    return name + (f"{{{rest}}}" if rest else "") or expr or "Value"


def unique(every: list[dict[str, str]], expr: str = "") -> list[str]:
    """Names by the labels in which the series differ: "Auto" of the page above. One label alone stands by its value."""
    differing = [
        key
        for key in sorted({key for labels in every for key in labels if key != "__name__"})
        if len(every) == 1 or len({labels.get(key) for labels in every}) > 1
    ]
    if len(differing) == 1:
        return [labels.get(differing[0]) or labels.get("__name__") or expr or "Value" for labels in every]
    return [
        automatic({key: text for key, text in labels.items() if key in differing or (key == "__name__" and not differing)}, expr)
        for labels in every
    ]


def displayed(pattern: str, name: str, labels: Mapping[str, str]) -> str:
    """A panel's display name, in which `${__field.labels.job}` and `${__field.displayName}` have a meaning; empty leaves the name."""
    return FIELD.sub(lambda found: labels.get(found[1] or found[2] or "", "") if found[1] or found[2] else name, pattern) or name
