"""Events -> series, as a Prometheus that scrapes once a minute would have them: resets, gaps and ends of series included."""

from collections.abc import Mapping, Sequence

import numpy as np

from monlab.archive import month
from monlab.archive.fleet import Fleet, Instance
from monlab.archive.month import MINUTES
from monlab.archive.records import STALE, Series
from monlab.archive.simulation import MINUTE_US


class Recorder:
    """Collects the month's series."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self.series: list[Series] = []

    def counter(
        self,
        service: str,
        name: str,
        labels: Mapping[str, str],
        instance: np.ndarray,
        ends: np.ndarray,
        amount: np.ndarray | None = None,
        scale: int = 1,
        born: bool = True,
    ) -> None:
        """A counter of each instance of a service. `ends`: when each event is counted; `amount`: by how much, over `scale`.

        Not `born`: the series is there from its first event on only, in each process anew.
        """
        for number, one in enumerate(self.fleet.services[service]):
            mine = instance == number
            total = running_total(ends[mine], None if amount is None else amount[mine])
            self._processes(one, name, labels, total, scale, born)

    def histogram(
        self,
        service: str,
        name: str,
        labels: Mapping[str, str],
        instance: np.ndarray,
        ends: np.ndarray,
        value: np.ndarray,
        bounds: Sequence[int],
        scale: int,
        buckets: bool = True,
    ) -> None:
        """A classic histogram. `value` and `bounds` in units of 1/`scale`; without `buckets`, its sum and count only."""
        self.counter(service, f"{name}_count", labels, instance, ends)
        self.counter(service, f"{name}_sum", labels, instance, ends, value, scale)
        if not buckets:
            return
        for bound in bounds:
            few = value <= bound
            bucket = {**labels, "le": bound_text(bound, scale)}
            self.counter(service, f"{name}_bucket", bucket, instance[few], ends[few])
        self.counter(service, f"{name}_bucket", {**labels, "le": "+Inf"}, instance, ends)

    def gauge(self, service: str, name: str, labels: Mapping[str, str], number: int, values: np.ndarray) -> None:
        """A gauge of one instance: a value for each sample that its process answers."""
        one = self.fleet.services[service][number]
        shown = np.where(one.process() >= 0, values, np.nan).astype(np.float64)
        self.add({"__name__": name, "job": service, "instance": one.name, "service": service, **labels}, shown)

    def add(self, labels: Mapping[str, str], values: np.ndarray) -> None:
        """A series as it was scraped: an ordinary NaN is no sample. The holes of month.SCRAPE_GAPS are cut into it."""
        values = values.copy()
        for job, instance, first, length, _how in month.SCRAPE_GAPS:
            if labels["__name__"] != "up" and (labels.get("job"), labels.get("instance")) == (job, instance):
                values[first : first + length] = np.nan
        self.series.append(Series(dict(sorted(labels.items())), _ended(labels, values)))

    def _processes(self, one: Instance, name: str, labels: Mapping[str, str], total: np.ndarray, scale: int, born: bool) -> None:
        process = one.process()
        base = np.array([total[start] if start >= 0 else 0 for start in one.starts])
        shown = np.where(process >= 0, (total - base[process]) / scale, np.nan)
        if not born:
            shown[shown == 0] = np.nan
        if np.isnan(shown).all():
            return
        self.add({"__name__": name, "job": one.service, "instance": one.name, "service": one.service, **labels}, shown)


def running_total(ends: np.ndarray, amount: np.ndarray | None = None) -> np.ndarray:
    """What has come together at each sample. Whole numbers below 2**53: exact, in whatever order they are added."""
    sample = -(-ends // MINUTE_US)
    inside = sample < MINUTES
    weights = None if amount is None else amount[inside].astype(np.float64)
    return np.cumsum(np.bincount(sample[inside], weights, MINUTES).astype(np.int64))


def bound_text(bound: int, scale: int) -> str:
    """A bucket's bound as Prometheus 3 writes it: 1 is 1.0."""
    return repr(bound / scale)


def _ended(labels: Mapping[str, str], values: np.ndarray) -> np.ndarray:
    """Marks the first missing sample after a present one as the end, but for scrapes that were never made."""
    never_made = np.zeros(MINUTES, bool)
    for job, instance, first, length, how in month.SCRAPE_GAPS:
        if how == "missing" and (labels.get("job"), labels.get("instance")) == (job, instance):
            never_made[first : first + length] = True
    absent = np.isnan(values)
    ends = absent[1:] & ~absent[:-1] & ~never_made[1:]
    values[1:][ends] = STALE
    return values
