"""Steps and windows as Grafana computes them.

`$__interval` and `$__rate_interval`: https://grafana.com/docs/grafana/latest/datasources/prometheus/template-variables/
"""

import re
from math import floor

from monlab.problem import LabProblem

UNITS_MS = {
    "ms": 1,
    "s": 1000,
    "m": 60_000,
    "h": 3_600_000,
    "d": 86_400_000,
    "w": 604_800_000,
    "M": 2_592_000_000,
    "y": 31_536_000_000,
}
# An interval below the first number becomes the second one (milliseconds).
ROUNDED_MS = (
    (10, 1), (15, 10), (35, 20), (75, 50), (150, 100), (350, 200), (750, 500), (1_500, 1_000), (3_500, 2_000), (7_500, 5_000),
    (12_500, 10_000), (17_500, 15_000), (25_000, 20_000), (45_000, 30_000), (90_000, 60_000), (210_000, 120_000),
    (450_000, 300_000), (750_000, 600_000), (1_050_000, 900_000), (1_500_000, 1_200_000), (2_700_000, 1_800_000),
    (5_400_000, 3_600_000), (9_000_000, 7_200_000), (16_200_000, 10_800_000), (32_400_000, 21_600_000), (86_400_000, 43_200_000),
    (604_800_000, 86_400_000), (1_814_400_000, 604_800_000), (3_628_800_000, 2_592_000_000),
)  # fmt: skip
YEAR_MS = 31_536_000_000
MAX_POINTS = 11_000  # a series, of one range query


def rounded_ms(interval_ms: float) -> int:
    """The interval to which Grafana rounds one that was computed from range and width."""
    return next((to for below, to in ROUNDED_MS if interval_ms < below), YEAR_MS)


def milliseconds(text: str) -> int:
    """`"1m"`, `">10s"` or a bare number of seconds. Raises LabProblem on anything else."""
    found = re.fullmatch(r">?\s*(\d{1,12}(?:\.\d{1,12})?)\s*(ms|[yMwdhms])?", text.strip())
    if not found:
        raise LabProblem(f'"{text}" is no interval. Write it as Grafana does: 30s, 1m, 1h.')
    return round(float(found[1]) * UNITS_MS[found[2] or "s"])


def words(interval_ms: float) -> str:
    """The largest whole unit, as Grafana writes an interval into a query: 90000 is `1m`."""
    left = interval_ms / 1000
    for unit, seconds in (("y", 31_536_000), ("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)):
        count = floor(left / seconds)
        if count:
            return f"{count}{unit}"
    count = floor(left * 1000)
    return f"{count}ms" if count else "less than a millisecond"


def step_ms(range_ms: float, points: int, least_ms: float) -> int:
    """`$__interval`: the range spread over the panel's points, rounded, and no less than the least step."""
    return int(max(rounded_ms(range_ms / max(points, 1)), least_ms, _safe_ms(range_ms)))


def _safe_ms(range_ms: float) -> int:
    """A step at which Prometheus' limit of points is kept."""
    least = range_ms / MAX_POINTS
    return int(-(-least // 1000) * 1000) if least > 1000 else 0


def rate_ms(interval_ms: float, scrape_ms: float) -> int:
    """`$__rate_interval`: four scrapes at least, so that `rate` always finds two samples."""
    return int(max(interval_ms + scrape_ms, 4 * scrape_ms))


def prometheus_words(interval_ms: float) -> str:
    """An exact duration for a query. `words` drops what does not fit its largest unit, which changes a window."""
    left, text = int(interval_ms), ""
    for unit in ("d", "h", "m", "s", "ms"):
        count, left = divmod(left, UNITS_MS[unit])
        text += f"{count}{unit}" if count else ""
    return text or "1ms"
