"""Answers of Prometheus' query API -> pandas frames. Pure functions of parsed JSON.

Samples are turned into numbers for all series at once: a range answer holds half a million small lists, and a Python object a
sample costs more than everything else (`benchmarks/frames.py` measures it).
"""

from itertools import chain
from typing import Any

import numpy as np
import pandas as pd

pd.set_option("display.max_colwidth", None)  # an error message is shown whole


def table(result_type: str, result: Any) -> pd.DataFrame:
    """An instant answer as one row a series: a column for each label, then `value`.

    A native histogram's value is its number of observations. A scalar or string answer has no label columns. A range
    vector (`x[1m]`) has one row a sample, with a `time` column (UTC).
    """
    if result_type in ("scalar", "string"):
        return pd.DataFrame({"value": [float(result[1]) if result_type == "scalar" else result[1]]})
    if result_type == "matrix":
        return _long(result)
    return _labels(result, "value").assign(value=[_value(series) for series in result])


def wide(result: list[dict[str, Any]], grid: np.ndarray | None = None) -> pd.DataFrame:
    """A range answer with a row an instant (UTC) and a column a series, named by the labels that tell the series apart.

    Instants at which a series had no value are NaN; with `grid` (seconds since 1970, ascending) there is a row for each of
    its instants, so that a gap of all series is a gap in a picture, too.
    """
    names = series_names([series["metric"] for series in result])
    counts, times_ms, values = _samples(result)
    instants, rows = np.unique(times_ms, return_inverse=True)
    cells = np.full((len(instants), len(result)), np.nan)
    cells[rows, np.repeat(np.arange(len(result)), counts)] = values
    frame = pd.DataFrame(cells, index=_utc(instants), columns=names)
    if grid is not None and not frame.empty:
        frame = frame.reindex(_utc(_milliseconds(grid)))
    frame.index.name = "time"
    return frame


def _utc(times_ms: np.ndarray) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(pd.to_datetime(times_ms, unit="ms", utc=True))


def _milliseconds(seconds: np.ndarray) -> np.ndarray:
    """Instants to the millisecond, as Prometheus keeps them."""
    return np.round(seconds * 1000).astype("int64")


def series_names(labels: list[dict[str, str]]) -> list[str]:
    """A short name for each series: the labels that differ between them, or the metric's name, or `value`."""
    keys = sorted({key for one in labels for key in one})
    differing = [key for key in keys if len({one.get(key) for one in labels}) > 1]
    if len(labels) == 1:
        only = labels[0]
        return [only.get("__name__") or _braces(only) or "value"]
    return [_braces({key: one[key] for key in differing if key in one}) or "value" for one in labels]


def _braces(labels: dict[str, str]) -> str:
    name = labels.get("__name__", "")
    rest = ", ".join(f'{key}="{value}"' for key, value in labels.items() if key != "__name__")
    return name + (f"{{{rest}}}" if rest else "")


def _value(series: dict[str, Any]) -> float:
    if "value" in series:
        return float(series["value"][1])
    return float(series["histogram"][1]["count"])


def _samples(result: list[dict[str, Any]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """How many samples each series has, then the times (ms) and the values of all of them, series after series."""
    points = [series.get("values") or _observations(series) for series in result]
    flat = list(chain.from_iterable(chain.from_iterable(points)))  # time, value, time, value, ...
    counts = np.array([len(one) for one in points], int)
    return counts, _milliseconds(np.array(flat[::2], float)), np.array(flat[1::2], float)


def _observations(series: dict[str, Any]) -> list[list[Any]]:
    return [[time, histogram["count"]] for time, histogram in series.get("histograms", [])]


def _long(result: list[dict[str, Any]]) -> pd.DataFrame:
    counts, times_ms, values = _samples(result)
    rows = np.repeat(np.arange(len(result)), counts)
    labels = _labels(result, "time", "value")
    return labels.take(rows).reset_index(drop=True).assign(time=_utc(times_ms), value=values)


def _labels(result: list[dict[str, Any]], *taken: str) -> pd.DataFrame:
    """A row a series, a column a label; empty where a series lacks it, as PromQL sees it."""
    frame = pd.DataFrame([series["metric"] for series in result], index=range(len(result))).fillna("")
    return frame.drop(columns=list(taken), errors="ignore")  # a label of that name gives way to the sample's
