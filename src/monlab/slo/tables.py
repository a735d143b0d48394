"""Frames of counts as people hand them in: a row a minute in UTC, numbers in the cells; what cannot be that is refused."""

from typing import Any

import numpy as np
import pandas as pd

from monlab.problem import LabProblem
from monlab.slo.numbers import shown

MINUTE_NS = 60 * 10**9


def instants(index: pd.Index) -> pd.DatetimeIndex:
    """The rows' moments in UTC; those that name no zone are taken to be in UTC.

    Raises LabProblem when they are no moments, overlap, go back, or are not a minute apart.
    """
    if not len(index):
        raise LabProblem("There is no data to test an alert on. Ask for a stretch of time in which the service was watched.")
    if not isinstance(index, pd.DatetimeIndex):
        raise LabProblem(
            f"The rows are numbered {shown(index[0])}, which is no moment. Use the frame of a range query, or pd.to_datetime(..., utc=True)."
        )
    found = index.tz_localize("UTC") if index.tz is None else index.tz_convert("UTC")
    steps = np.diff(found.as_unit("ns").asi8)
    if (steps <= 0).any():
        raise LabProblem(
            "The stretches overlap: a moment comes twice, or time goes back. Sort the rows and drop doubles, else events count twice."
        )
    if (steps != MINUTE_NS).any():
        raise LabProblem("The rows are not a minute apart. Ask with step=60, and keep the minutes without a value as NaN.")
    return found


def table(given: Any, what: str) -> pd.DataFrame:
    """A frame of floats, 0 or more, by moments in UTC; a series becomes its one column. NaN stays: there was no sample."""
    frame = given.to_frame() if isinstance(given, pd.Series) else given
    if not isinstance(frame, pd.DataFrame):
        raise LabProblem(f"{what} are {shown(given)}. Hand in a frame with a row a minute, as archive.counters(...) gives it.")
    moments = instants(frame.index)
    columns = []
    for place in range(frame.shape[1]):
        column = frame.iloc[:, place]
        if column.dtype == bool or (not pd.api.types.is_numeric_dtype(column) and column.map(_is_text).any()):
            raise LabProblem(
                f"{what} are {shown(column.iloc[0])} and the like, not numbers. Turn them into numbers first: .astype(float)."
            )
        columns.append(column.astype(float).to_numpy(na_value=np.nan))
    values = np.column_stack(columns) if columns else np.empty((len(moments), 0))
    if np.isinf(values).any():
        raise LabProblem(
            f"{what} hold an infinite number: some minutes have no number, data is missing, which is not 100 %. Cut them off."
        )
    if (values < 0).any():
        raise LabProblem(
            f"{what} are below zero at {moments[int((values < 0).any(axis=1).argmax())]}. Counters only grow: ask for them, not for delta()."
        )
    return pd.DataFrame(values, index=moments, columns=frame.columns)


def _is_text(value: Any) -> bool:
    return isinstance(value, str | bytes | bool | list | dict)


def column(given: Any, what: str) -> pd.Series:
    """The one column of a table."""
    found = table(given, what)
    if found.shape[1] != 1:
        raise LabProblem(
            f"{what} have {found.shape[1]} columns. Hand in one number a minute: slo.counted(...) makes it from counters."
        )
    return found.iloc[:, 0]
