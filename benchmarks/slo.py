"""How long fifty objectives of a month take to evaluate and report, and all alert types to be tried on one of them.

    .venv/bin/python benchmarks/slo.py

Counts are drawn: 50 services, a row a minute of 30 days, an incident of 45 minutes each. The report is the page; its pictures are in it.
"""

import time
from datetime import timedelta

import numpy as np
import pandas as pd

from monlab.slo import backtest, printing, report
from monlab.slo.alerts import approaches
from monlab.slo.records import from_mapping
from monlab.slo.windows import SLOTH_30D

SERVICES, MINUTES, SEED = 50, 43_200, 1
REPORT_SECONDS, BACKTEST_SECONDS = 5.0, 1.0  # what they may take


def counts(number: int, index: pd.DatetimeIndex) -> tuple[pd.Series, pd.Series]:
    random = np.random.default_rng([SEED, number])
    total = random.poisson(30 + 20 * np.sin(np.arange(MINUTES) / 1440 * 2 * np.pi))
    bad = random.binomial(total, 0.0003)
    start = int(random.integers(MINUTES - 45))
    bad[start : start + 45] = total[start : start + 45]
    return pd.Series(bad, index), pd.Series(total, index)


def measured() -> dict[str, float]:
    """Seconds of the report and of the backtest."""
    index = pd.date_range("2026-06-01", periods=MINUTES, freq="min", tz="UTC")
    frames = [counts(number, index) for number in range(SERVICES)]
    slos = [
        from_mapping({"service": f"s{number}", "name": "availability", "objective": 0.999, "total": "t", "bad": "b"})
        for number in range(SERVICES)
    ]
    incidents = [report.Incident("outage", index[20_000].to_pydatetime(), index[20_000].to_pydatetime() + timedelta(minutes=45))]
    start = time.perf_counter()
    counted = [(slo, backtest.Events(bad, total)) for slo, (bad, total) in zip(slos, frames, strict=True)]
    page = printing.html(report.month(counted, incidents), incidents, "June 2026")
    report_seconds = time.perf_counter() - start
    assert page.count("<svg") == SERVICES
    start = time.perf_counter()
    fired = backtest.backtest_all(counted[0][1], approaches(SLOTH_30D), slos[0].objective)
    assert len(fired)
    return {"report": report_seconds, "backtest": time.perf_counter() - start}


def main() -> None:
    found = measured()
    print(f"{SERVICES} objectives of 30 days, evaluated and reported: {found['report']:.2f} s (may take {REPORT_SECONDS:g})")
    print(f"every alert type on one of them: {found['backtest']:.3f} s (may take {BACKTEST_SECONDS:g})")


if __name__ == "__main__":
    main()
