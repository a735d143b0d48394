"""The stretch of time a dashboard is drawn for, and what of it stands in queries."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from monlab.dashboards import intervals
from monlab.dashboards.variables import Value, one

LIVE_SCRAPE_MS, ARCHIVE_SCRAPE_MS = 5_000, 60_000  # a data source's scrape interval


@dataclass(frozen=True)
class Window:
    start: float  # seconds since 1970
    end: float
    archived: bool = False

    @property
    def seconds(self) -> float:
        return self.end - self.start

    @property
    def scrape_ms(self) -> int:
        return ARCHIVE_SCRAPE_MS if self.archived else LIVE_SCRAPE_MS

    def said(self) -> str:
        begin, end = (datetime.fromtimestamp(moment, UTC) for moment in (self.start, self.end))
        return (
            f"{begin:%d %b %Y %H:%M} to {end:%H:%M}"
            if begin.date() == end.date()
            else f"{begin:%d %b %H:%M} to {end:%d %b %Y %H:%M}"
        )

    def own(self) -> Mapping[str, Value]:
        """`$__range` and its like, which do not depend on a panel."""
        seconds = max(1, round(self.seconds))
        return {
            "__range": one(f"{seconds}s"),
            "__range_s": one(str(seconds)),
            "__range_ms": one(str(round(self.seconds * 1000))),
            "__from": one(str(round(self.start * 1000))),
            "__to": one(str(round(self.end * 1000))),
            "__timezone": one("UTC"),
            "__org": one("1"),
            "__user": one("learner"),
        }

    def steps(self, points: int, least: str = "", panel_least: str = "", factor: int = 1) -> tuple[int, Mapping[str, Value]]:
        """Step (ms) of a query over `points` points, and `$__interval` and its like for it.

        `least` is the query's own min step, `panel_least` the panel's min interval, which does not change `$__rate_interval`;
        `factor` is the resolution of old files (1/2 is written 2). Page: that of `intervals.py`.
        """
        macro = least.strip().strip("${}")
        own = 0 if not least or macro.startswith("__") else intervals.milliseconds(least)
        lowest = own or (intervals.milliseconds(panel_least) if panel_least else self.scrape_ms)
        step = intervals.step_ms(self.seconds * 1000, points, lowest) * max(factor, 1)
        rate = intervals.rate_ms(step, own or self.scrape_ms)
        if macro == "__rate_interval":
            step = rate
        return step, {
            "__interval": one(intervals.prometheus_words(step)),
            "__interval_ms": one(str(step)),
            "__auto": one(intervals.prometheus_words(step)),
            "__rate_interval": one(intervals.prometheus_words(rate)),
            "__rate_interval_ms": one(str(rate)),
        }
