"""Answers of Prometheus' query API -> pandas frames. Pure functions of parsed JSON."""

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
        return _samples(result)
    rows = [{**series["metric"], "value": _value(series)} for series in result]
    return _labels_first(pd.DataFrame(rows), "value")


def wide(result: list[dict[str, Any]], grid: np.ndarray | None = None) -> pd.DataFrame:
    """A range answer with a row an instant (UTC) and a column a series, named by the labels that tell the series apart.

    Instants at which a series had no value are NaN; with `grid` (seconds since 1970, ascending) there is a row for each of
    its instants, so that a gap of all series is a gap in a picture, too.
    """
    names = series_names([series["metric"] for series in result])
    columns = {}
    for name, series in zip(names, result, strict=True):
        times, values = _points(series)
        columns[name] = pd.Series(values, index=_utc(times))
    frame = pd.DataFrame(columns)
    if grid is not None and not frame.empty:
        frame = frame.reindex(_utc(grid))
    frame.index.name = "time"
    return frame


def _utc(seconds: np.ndarray) -> pd.DatetimeIndex:
    """Instants in UTC, to the millisecond, as Prometheus keeps them."""
    return pd.DatetimeIndex(pd.to_datetime(np.round(seconds * 1000).astype("int64"), unit="ms", utc=True))


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


def _points(series: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    if series.get("values"):
        times, values = zip(*series["values"], strict=True)
        return np.array(times, float), np.array(values, float)
    times, histograms = zip(*series.get("histograms", []), strict=True)
    return np.array(times, float), np.array([float(histogram["count"]) for histogram in histograms])


def _samples(result: list[dict[str, Any]]) -> pd.DataFrame:
    rows = []
    for series in result:
        times, values = _points(series)
        stamps = _utc(times)
        rows += [{**series["metric"], "time": stamp, "value": value} for stamp, value in zip(stamps, values, strict=True)]
    return _labels_first(pd.DataFrame(rows), "time", "value")


def _labels_first(frame: pd.DataFrame, *last: str) -> pd.DataFrame:
    if frame.empty:
        return pd.DataFrame(columns=list(last))
    labels = [column for column in frame.columns if column not in last]
    frame[labels] = frame[labels].fillna("")  # a series without a label, as PromQL sees it
    return frame[[*labels, *last]]
