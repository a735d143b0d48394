"""What an alert would have done with real counts: a row a minute of bad and of all events.

A minute's row bears the time at which the minute ends, as a sample of a counter does; a window of an hour is sixty rows. Counts
come from `per_minute`, which reads counters.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from monlab.problem import LabProblem
from monlab.slo.alerts import AlertType
from monlab.slo.budget import Counts, Share, burnable, spent
from monlab.slo.numbers import moment
from monlab.slo.tables import column, table

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Firing:
    """One stretch in which an alert fired."""

    alert: str
    severity: str
    start: datetime  # first minute in which it fires
    end: datetime  # first minute in which it no longer does; the end of the data when it still does


def per_minute(counter: pd.DataFrame) -> pd.Series:
    """Events a minute of counters, a column a series, a row a minute: resets count from zero; a series' first sample tells of no growth.

    A minute without a sample is filled by the next one: what was counted in between is counted there.
    """
    filled = table(counter, "The counters").ffill()
    before = filled.shift(1)
    growth = (filled - before).where(filled >= before, filled)  # after a reset the counter counts from zero
    return growth.where(before.notna(), 0.0).fillna(0).sum(axis=1)


def lost_at_birth(counter: pd.DataFrame) -> float:
    """Events that series already held at their first sample, when that is not the first row: rate() and increase() never see them."""
    found = table(counter, "The counters")
    born = found.iloc[0].isna().to_numpy() & found.notna().any().to_numpy()
    return float(found.bfill().iloc[0].to_numpy()[born].sum())


class Events:
    """Bad and all events, a row a minute, with sums over any window in no time."""

    def __init__(self, bad: pd.Series, total: pd.Series) -> None:
        bad, total = column(bad, "The bad events"), column(total, "All events")
        if not bad.index.equals(total.index):
            raise LabProblem("Bad and all events are of different minutes. Ask both queries over the same stretch and step.")
        if bad.isna().any() or total.isna().any():
            raise LabProblem(
                "Some minutes have no number: data is missing, which is not 100 %. Fill them on purpose, or cut them off."
            )
        _no_more_than(total, bad, "bad")
        self.index = pd.DatetimeIndex(total.index)
        self._bad = np.concatenate([[0.0], np.cumsum(bad.to_numpy(dtype=float))])
        self._total = np.concatenate([[0.0], np.cumsum(total.to_numpy(dtype=float))])

    def ratio(self, window: timedelta) -> np.ndarray:
        """The error ratio over the window that ends with each minute; NaN without traffic. At the start the window is what there is."""
        minutes = max(1, window // MINUTE)
        count = len(self.index)
        first = np.maximum(np.arange(1, count + 1) - minutes, 0)
        bad, total = self._bad[1:] - self._bad[first], self._total[1:] - self._total[first]
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(total > 0, bad / total, np.nan)

    def counts(self, start: datetime | None = None, end: datetime | None = None) -> Counts:
        """All events after `start`, up to `end`: rows bear the time at which their minute ends, so 09:30 to 10:15 begins with 09:31's."""
        first = 0 if start is None else self._row(start, "The start")
        last = len(self.index) if end is None else max(first, self._row(end, "The end"))
        return Counts(float(self._bad[last] - self._bad[first]), float(self._total[last] - self._total[first]))

    def _row(self, at: datetime, what: str) -> int:
        return int(self.index.searchsorted(pd.Timestamp(moment(at, what)), side="right"))

    def burned(self, objective: Share) -> np.ndarray:
        """The part of the whole stretch's budget that is gone after each minute."""
        whole = spent(self.counts(), objective)
        if not np.isfinite(whole):  # there was no budget: the first bad event spends more than all of it
            return np.where(self._bad[1:] > 0, np.inf, 0.0)
        return self._bad[1:] / self._bad[-1] * whole if self._bad[-1] else np.zeros(len(self.index))


def _no_more_than(total: pd.Series, some: pd.Series, which: str) -> None:
    """Raises LabProblem when more events are bad, or good, than there are."""
    if (some.to_numpy() > total.to_numpy()).any():
        swapped = f"All and {which} events may be swapped. Else let" if some.sum() > total.sum() else "Let"
        raise LabProblem(
            f"At {(some - total).idxmax()} more events are {which} than there are. {swapped} both queries select the same requests, "
            f"the {which} ones with one matcher more."
        )


def counted(total: pd.DataFrame, bad: pd.DataFrame | None = None, good: pd.DataFrame | None = None) -> Events:
    """Bad and all events from counters, a column a series, a row a minute; of `bad` and `good` one.

    A series of bad events that does not exist yet counts as 0, as it does in the rules. Raises LabProblem as `Events` does.
    """
    if (bad is None) == (good is None):
        raise LabProblem("Give the counters of `bad` or of `good` events beside `total`: one of them, not both and not neither.")
    every = table(total, "The counters of all events")
    some = table(good if bad is None else bad, "The other counters")
    if not some.index.equals(every.index):
        raise LabProblem("Bad and all events are of different minutes. Ask both queries over the same stretch and step.")
    found, everything = per_minute(some), per_minute(every)
    _no_more_than(everything, found, "good" if bad is None else "bad")
    return Events(everything - found if bad is None else found, everything)


def backtest(events: Events, alert: AlertType, objective: Share) -> list[Firing]:
    """When the alert would have fired. A window without traffic is no reason to fire. Raises LabProblem for an objective of 1."""
    budget = burnable(objective)
    ratios: dict[timedelta, np.ndarray] = {}
    fires = np.zeros(len(events.index), dtype=bool)
    for row in alert.rows:
        holds = np.ones(len(events.index), dtype=bool)
        for one in row:
            if one.window not in ratios:
                ratios[one.window] = np.nan_to_num(events.ratio(one.window), nan=-1.0)
            holds &= ratios[one.window] > float(one.factor * budget)
        fires |= holds
    edges = np.flatnonzero(np.diff(np.concatenate([[0], fires.view(np.int8), [0]])))
    held = int(alert.hold / MINUTE)
    moments = events.index.append(pd.DatetimeIndex([events.index[-1] + MINUTE]))
    return [
        Firing(alert.name, alert.severity, moments[start + held].to_pydatetime(), moments[stop].to_pydatetime())
        for start, stop in zip(edges[::2], edges[1::2], strict=True)
        if stop - start > held
    ]


def backtest_all(events: Events, alerts: Sequence[AlertType], objective: Share) -> pd.DataFrame:
    """A row a stretch of firing: alert, severity, start, end, minutes. Raises LabProblem for an objective of 1."""
    burnable(objective)  # without alerts, too
    rows = [one for alert in alerts for one in backtest(events, alert, objective)]
    frame = pd.DataFrame(
        [(one.alert, one.severity, one.start, one.end) for one in rows], columns=["alert", "severity", "start", "end"]
    )
    frame["minutes"] = [(one.end - one.start) / MINUTE for one in rows]
    frame.attrs["alerts"] = [alert.name for alert in alerts]  # those too that never fired
    return frame
