"""Where a line has a gap, and where it is drawn over one.

https://grafana.com/docs/grafana/latest/panels-visualizations/visualizations/time-series/#connect-null-values
"""

import itertools

import numpy as np

from monlab.dashboards.model import Panel


def filled_gaps(seconds: np.ndarray, values: np.ndarray, panel: Panel) -> tuple[np.ndarray, np.ndarray]:
    """Times and values as a line goes through them: NaN breaks it. Null values are NaN here.

    "Connect null values": never, always, or up to a width. "Disconnect values": a break between samples farther apart than a width.
    """
    if panel.nulls_as_zero:
        values = np.nan_to_num(values, nan=0.0, posinf=np.inf, neginf=-np.inf)
    there = ~np.isnan(values)
    if panel.span_nulls:
        seconds, values = seconds[there], values[there]
    elif panel.span_ms:
        seconds, values = _spanned(seconds, values, there, panel.span_ms / 1000)
    if panel.gap_ms and len(seconds) > 1:
        wide = np.flatnonzero(np.diff(seconds) > panel.gap_ms / 1000) + 1
        seconds, values = np.insert(seconds, wide, (seconds[wide - 1] + seconds[wide]) / 2), np.insert(values, wide, np.nan)
    return seconds, values


def _spanned(seconds: np.ndarray, values: np.ndarray, there: np.ndarray, most: float) -> tuple[np.ndarray, np.ndarray]:
    """Without the nulls of gaps narrower than `most` seconds, from the last sample before to the first one after."""
    kept = there.copy()
    places = np.flatnonzero(there)
    for before, after in itertools.pairwise(places):
        if after - before > 1 and seconds[after] - seconds[before] >= most:
            kept[before + 1 : after] = True
    return seconds[kept], values[kept]
