"""How fast answers of Prometheus become pandas frames, beside prometheus-api-client's MetricRangeDataFrame.

    .venv/bin/python benchmarks/frames.py

The answer has 500,000 samples (50 series of 10,000 minutes). Both libraries make the long form: a row a sample, a column for each
label, the time and the value. Measured twice, the median of nine runs each, in turns, equal values asserted first:

- from parsed JSON: `frames.table` against `MetricRangeDataFrame`;
- end to end, against a Prometheus that runs for this: `prom.query("x[...]")` against `PrometheusConnect.custom_query`
  followed by `MetricRangeDataFrame`. Ours asks a server of this machine for an unpacked answer and reads JSON while the garbage
  collector rests (`telemetry/parsing.py`); both belong to what is measured, and so does the server's own work.

A third line is the wide form of the same answer (`frames.wide`: a column a series), for which the library has nothing of its own.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from prometheus_api_client import MetricRangeDataFrame, PrometheusConnect

from monlab.telemetry import frames
from monlab.telemetry.prometheus import Prometheus

SERIES, MINUTES, RUNS = 50, 10_000, 9
START_S = 1_780_272_000
Labels = dict[str, str]


def series(count: int = SERIES, minutes: int = MINUTES) -> list[tuple[Labels, np.ndarray]]:
    """Counters with the labels a shop's requests have, and steps of uneven size so that values have many digits."""
    draw = np.random.default_rng(1)
    return [
        (
            {
                "__name__": "http_requests_total",
                "job": "payments",
                "instance": f"payments-{number % 2 + 1}:8082",
                "route": f"GET /route/{number // 10}",
                "code": str(200 + number % 5),
            },
            draw.exponential(10, minutes).cumsum(),
        )
        for number in range(count)
    ]


def answer(count: int = SERIES, minutes: int = MINUTES) -> list[dict[str, Any]]:
    """What the query API gives for these series, after the JSON is parsed."""
    return [
        {"metric": labels, "values": [[START_S + 60 * minute, repr(value)] for minute, value in enumerate(values.tolist())]}
        for labels, values in series(count, minutes)
    ]


def library_frame(result: list[dict[str, Any]]) -> pd.DataFrame:
    """The library's long form."""
    return MetricRangeDataFrame(result)


def our_frame(result: list[dict[str, Any]]) -> pd.DataFrame:
    """Our long form of the same answer."""
    return frames.table("matrix", result)


def assert_equal(ours: pd.DataFrame, theirs: pd.DataFrame) -> None:
    """Same rows in the same order: each label, each time, each value to the last bit. Raises AssertionError."""
    assert len(ours) == len(theirs) > 0
    labels = [column for column in theirs.columns if column != "value"]
    for label in labels:
        assert ours[label].tolist() == theirs[label].tolist(), label
    assert (ours["value"].to_numpy() == theirs["value"].to_numpy()).all()
    times = pd.DatetimeIndex(theirs.index).tz_localize("UTC")
    assert (pd.DatetimeIndex(ours["time"]).as_unit("ns") == times.as_unit("ns")).all()


def seconds(*ways: Callable[[], Any], runs: int) -> list[list[float]]:
    """How long each way takes, `runs` times each and in turns, so that a busy moment meets all of them."""
    taken: list[list[float]] = [[] for _ in ways]
    for _ in range(runs):
        for way, times in zip(ways, taken, strict=True):
            began = time.perf_counter()
            way()
            times.append(time.perf_counter() - began)
    return taken


def line(title: str, theirs: list[float], ours: list[float]) -> str:
    """One line of the report: medians and their ratio."""
    slow, fast = statistics.median(theirs), statistics.median(ours)
    return f"{title:<58} {slow:6.3f} s  {fast:6.3f} s  {slow / fast:5.2f}x"


class _At(Prometheus):
    """A Prometheus that no lab started."""

    def __init__(self, url: str) -> None:
        super().__init__("benchmark")
        self._url = url

    @property
    def url(self) -> str:
        return self._url


def end_to_end() -> str:
    """Both ways from an HTTP request to a frame, against a real server that holds the series."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    from throwaway_prometheus import prometheus, send

    end = START_S + 60 * (MINUTES - 1)
    query = f"http_requests_total[{MINUTES}m]"
    with tempfile.TemporaryDirectory() as folder, prometheus(Path(folder) / "server") as url:
        send(url, series(), (START_S + 60 * np.arange(MINUTES)) * 1000)
        server, library = _At(url), PrometheusConnect(url=url)
        library._session.trust_env = False  # a proxy of the environment knows nothing of this machine's servers

        def ours() -> pd.DataFrame:
            return server.query(query, end)

        def theirs() -> pd.DataFrame:
            return library_frame(library.custom_query(query, {"time": end}))

        assert_equal(ours(), theirs())
        assert len(ours()) == SERIES * MINUTES
        return line("end to end (HTTP, JSON, frame), long form", *seconds(theirs, ours, runs=RUNS))


def main() -> None:
    result = answer()
    assert_equal(our_frame(result), library_frame(result))
    print(f"{SERIES * MINUTES:,} samples, median of {RUNS}{'':<29} library      ours  ratio")
    ways = (lambda: library_frame(result), lambda: our_frame(result), lambda: frames.wide(result))
    library, long, wide = seconds(*ways, runs=RUNS)
    print(line("from parsed JSON, long form both", library, long))
    print(line("from parsed JSON, the library's long, our wide form", library, wide))
    print(end_to_end())


if __name__ == "__main__":
    main()
