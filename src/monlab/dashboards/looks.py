"""Colours, names and texts of values: thresholds, mappings, overrides."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.colors import is_color_like

from monlab.dashboards import overrides
from monlab.dashboards.mappings import mapped
from monlab.dashboards.model import Panel
from monlab.dashboards.shown import Line
from monlab.dashboards.units import formatted

# Names of Grafana's palette, and the colours that series get in turn.
NAMED = {
    "green": "#56a64b", "dark-green": "#37872d", "semi-dark-green": "#37872d", "light-green": "#96d98d", "super-light-green": "#c8f2c2",
    "yellow": "#e0b400", "dark-yellow": "#cc9d00", "orange": "#ff780a", "dark-orange": "#e55400", "red": "#e02f44", "dark-red": "#ad0317",
    "semi-dark-red": "#c4162a", "blue": "#3274d9", "dark-blue": "#1f60c4", "light-blue": "#8ab8ff", "purple": "#a352cc",
    "text": "#333333", "transparent": "#888888", "grey": "#888888", "super-light-blue": "#c0d8ff", "semi-dark-orange": "#fa6400",
}  # fmt: skip
SERIES = (
    "#56a64b",
    "#e0b400",
    "#5794f2",
    "#ff780a",
    "#e02f44",
    "#a352cc",
    "#1f60c4",
    "#b877d9",
    "#37872d",
    "#8f3bb8",
    "#0b7285",
    "#96733a",
)


@dataclass(frozen=True)
class Look:
    """How the values of one series are written and coloured."""

    panel: Panel
    name: str
    color: str

    def text(self, value: float) -> str:
        words, _ = mapped(self.panel.mappings, value)
        if words is not None:
            return words
        if math.isnan(value) and self.panel.no_value:
            return self.panel.no_value
        return formatted(value, self.panel.unit, self.panel.decimals)

    def shade(self, value: float, plain: str = "") -> str:
        """The colour of its mapping, else of the threshold that holds for the value; `plain` where the panel has none."""
        _, color = mapped(self.panel.mappings, value)
        if color:
            return color_of(color)
        if self.panel.color:
            return self.color
        steps = self.panel.thresholds
        if not steps:
            return plain or self.color
        share = value
        if self.panel.percentage_thresholds:
            low, high = self.panel.least or 0.0, self.panel.most if self.panel.most is not None else 100.0
            share = 100 * (value - low) / ((high - low) or 1.0)
        active = steps[
            0
        ]  # Grafana's getActiveThreshold: the first step is for all that lies below the second, whatever its number
        for step in steps[1:]:
            if step.value is not None and not share >= step.value:
                break
            active = step
        return color_of(active.color)


def color_of(name: str) -> str:
    if name in NAMED:
        return NAMED[name]
    plain = re.sub(
        r"^rgba?\((\d+),\s*(\d+),\s*(\d+).*\)$",
        lambda found: "#" + "".join(f"{min(int(part), 255):02x}" for part in found.groups()),
        name,
    )
    return plain if is_color_like(plain) else "#808080"


def looks(panel: Panel, lines: Sequence[Line]) -> list[Look]:
    """A look for each series, the panel's overrides applied."""
    found = []
    for number, line in enumerate(lines):
        own, name = panel, line.name
        color = color_of(panel.color) if panel.color else SERIES[number % len(SERIES)]
        for override in panel.overrides:
            if overrides.meant(override, line.name, line.ref):
                own = overrides.applied(own, override.properties)
                fixed, shown = override.properties.get("color"), override.properties.get("displayName")
                if isinstance(fixed, dict) and isinstance(fixed.get("fixedColor"), str):
                    color = color_of(fixed["fixedColor"])
                name = shown if isinstance(shown, str) and "$" not in shown else name
        found.append(Look(own, name, color))
    return found
