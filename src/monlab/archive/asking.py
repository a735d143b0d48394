"""What a notebook may ask of the archived month. Its server is `archive-prometheus`; `stack.up("month")` starts it."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path

import pandas as pd

from monlab.archive import exemplar_file as file_of
from monlab.archive import month
from monlab.problem import LabProblem
from monlab.settings import settings
from monlab.stack import month as parts
from monlab.telemetry import frames
from monlab.telemetry.prometheus import Prometheus, seconds_of

Moment = datetime | str

MINUTES = pd.date_range(month.START, month.END, freq="min", inclusive="left", name="time")
LAST = month.END - timedelta(minutes=1)  # the newest sample
POINTS = 500  # of a series in a picture
PIECE_DAYS = 6
server = Prometheus("archive-prometheus")


def at(day: int, time: str = "00:00") -> datetime:
    """A time of a day of June 2026, in UTC: at(15, "09:30"). Raises LabProblem for what is no such time."""
    try:
        clock = datetime.strptime(time, "%H:%M")
        return datetime(2026, 6, day, clock.hour, clock.minute, tzinfo=UTC)
    except (TypeError, ValueError):
        raise LabProblem(
            f'June has days from 1 to 30, and a time looks like "09:30": at({day!r}, {time!r}) is neither.'
        ) from None


def query(query: str, at: Moment | None = None) -> pd.DataFrame:
    """An instant query at a moment of June 2026 (default: its last minute): a row a series, a column a label, then `value`.

    Raises LabProblem for a moment outside the month, QueryProblem for a query the server refuses.
    """
    return server.query(query, _inside(LAST if at is None else at))


def value(query: str, at: Moment | None = None) -> float:
    """The value of a query that has exactly one, at a moment (default: the last minute of June)."""
    return server.value(query, _inside(LAST if at is None else at))


def query_range(
    query: str, start: Moment = month.START, end: Moment = LAST, step: str | float | timedelta | None = None
) -> pd.DataFrame:
    """The query at each step from `start` to `end`, both included: a row an instant (UTC), a column a series.

    The step is at least a minute, and by default such that there are about 500 instants. Raises as `query` does.
    """
    first, last = _inside(start), _inside(end)
    if last < first:
        raise LabProblem(f"The stretch ends at {last:%d June %H:%M}, before it begins at {first:%d June %H:%M}.")
    window = (last - first).total_seconds()
    width = seconds_of(step) if step is not None else max(60.0, -(-window // POINTS // 60) * 60)
    return server.query_range(query, window, width, end=last)


def counters(selector: str) -> pd.DataFrame:
    """The raw samples of the whole month: a row a minute, a column a series, NaN in a minute without a sample.

    `selector` names series, as in http_requests_total{job="gateway"}. Raises LabProblem when it finds none. Asked in pieces, since
    Prometheus answers 11,000 instants at once; half a million samples take a second or two.
    """
    pieces = []
    for day in range(0, 30, PIECE_DAYS):
        start, end = (month.START + timedelta(days=day + more) for more in (0, PIECE_DAYS))
        # last_over_time within a minute: the sample of this very minute, and not an older one
        asked = {"query": f"last_over_time({selector}[1m])", "step": "60", "start": f"{start.timestamp():.0f}"}
        found = server.get("query_range", **asked, end=f"{end.timestamp() - 60:.0f}")["result"]
        piece = frames.wide(found)
        # All labels, not only those that differ: a series has the same name in each piece.
        piece.columns = [", ".join(f"{key}={text}" for key, text in sorted(one["metric"].items())) for one in found]
        pieces.append(piece)
    frame = pd.concat(pieces).reindex(MINUTES)
    if frame.empty:
        raise LabProblem(f"No series of June matches {selector}. Look at its metric and labels with archive.query.")
    return frame


def plot(
    *queries: str,
    start: Moment = month.START,
    end: Moment = LAST,
    step: str | float | timedelta | None = None,
    unit: str = "",
    title: str = "",
    labels: list[str] | None = None,
) -> None:
    """Draws the queries from `start` to `end`, one panel a query, with the unit on the axis."""
    from monlab import plots

    found = [query_range(one, start, end, step) for one in queries]
    plots.lines(found, titles=labels or list(queries), unit=unit, title=title)


def exemplars(
    metric: str = "http_request_duration_seconds_bucket", start: Moment = month.START, end: Moment = LAST, **labels: str
) -> pd.DataFrame:
    """The examples kept for a metric: a column a label, then `time` (UTC), `value` and `trace_id`, by time.

    `value` is what was observed (seconds for a duration, 1 for a counter). The archive keeps them itself: blocks hold none.
    """
    first, last = (1000 * _inside(moment).timestamp() for moment in (start, end))
    wanted = {"__name__": metric, **labels}
    rows = [
        {
            **{key: text for key, text in one.labels.items() if key != "__name__"},
            "time": one.time_ms,
            "value": one.value,
            "trace_id": one.trace_id,
        }
        for one in _exemplars(_exemplar_file())
        if first <= one.time_ms <= last and wanted.items() <= one.labels.items()
    ]
    frame = pd.DataFrame(rows, columns=None if rows else ["time", "value", "trace_id"])
    frame["time"] = pd.to_datetime(frame["time"], unit="ms", utc=True)
    return frame


def _inside(moment: Moment) -> datetime:
    """The moment in UTC. Raises LabProblem when it does not lie in June 2026."""
    stamp = pd.to_datetime(moment, errors="coerce")
    if not isinstance(stamp, pd.Timestamp):  # NaT is none, either
        raise LabProblem(f'{moment!r} is no time. Write it as "2026-06-15 09:30", or archive.at(15, "09:30").')
    stamp = stamp.tz_localize("UTC") if stamp.tzinfo is None else stamp.tz_convert("UTC")
    if not month.START <= stamp <= month.END:
        raise LabProblem(f"The archive holds June 2026 (UTC) and nothing else; {stamp:%Y-%m-%d %H:%M} lies outside.")
    return stamp.to_pydatetime()


def _exemplar_file() -> Path:
    """The file built beside the metrics; made alone where somebody else runs the archive's servers."""
    built = parts.place("metrics", settings()) / parts.EXEMPLARS
    alone = parts.home(settings()) / f"{built.parent.name}-{parts.EXEMPLARS}"
    if built.exists():
        return built
    if not alone.exists():
        from monlab.archive.generate import month as whole

        alone.parent.mkdir(parents=True, exist_ok=True)
        fresh = alone.with_suffix(".new")
        file_of.write(whole().exemplars, fresh)
        fresh.replace(alone)
    return alone


@lru_cache(maxsize=1)
def _exemplars(path: Path) -> list[file_of.Exemplar]:
    return file_of.read(path)
