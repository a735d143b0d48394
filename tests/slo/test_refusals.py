"""A specification that cannot be meant gets a sentence with the way out; missing data is never 100 %."""

import math
import re
from datetime import UTC, datetime
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

from monlab.problem import LabProblem
from monlab.slo import backtest, budget, composite, forecast, indicators, money, records, windows
from monlab.slo.budget import Counts

GOOD = {
    "service": "gateway",
    "name": "orders",
    "objective": 0.999,
    "total": "http_requests_total",
    "bad": 'http_requests_total{code=~"5.."}',
}
MINUTES = pd.date_range("2026-06-01", periods=3, freq="min", tz="UTC")


def series(*values, index=MINUTES):
    return pd.Series(values, index=index, dtype=float)


def spec(**changes):
    body = {**GOOD, **changes}
    return records.from_mapping({key: value for key, value in body.items() if value is not None})


REFUSED = [
    (lambda: spec(objective=99.9), "write 0.999"),
    (lambda: spec(objective="99.9%"), "write 0.999"),
    (lambda: spec(objective=1.001), "1.001. A share is at most 1"),
    (lambda: spec(objective="1.001"), "A share is at most 1,"),
    (lambda: spec(objective="1.001%"), "write 0.01001"),
    (lambda: spec(objective=100), "is 100, a percentage, and 100 % leaves no budget"),
    (lambda: spec(objective="100%"), "is 100%, a percentage, and 100 % leaves no budget"),
    (lambda: budget.burn_rate(100, "0.999"), "write 1."),
    (lambda: spec(objective="high"), "as in 0.999"),
    (lambda: spec(objective=-1), "outside 0-1"),
    (lambda: spec(objective=math.nan), "no number"),
    (lambda: spec(objektive=0.9), "Did you mean objective"),
    (lambda: spec(service=None), "lacks the field 'service'"),
    (lambda: spec(name=""), "has no name"),
    (lambda: spec(total=None), "no `total`"),
    (lambda: spec(good="x"), "one of them"),
    (lambda: spec(window="30 days"), "5m"),
    (lambda: spec(window="0d"), "above zero"),
    (lambda: spec(window="calendar fortnight"), "week, month, quarter, year"),
    (lambda: spec(histogram="h", threshold_seconds=0.3), "two SLOs"),
    (lambda: spec(total=None, bad=None, histogram="h", threshold_seconds="300ms"), "0.3 for 300 ms"),
    (lambda: spec(total=None, bad=None, histogram="h_bucket", threshold_seconds=0.3), "write h, not"),
    (lambda: spec(total=None, bad=None, histogram="h", threshold_seconds=5000), "write 5"),
    (lambda: records.from_mapping(["a"]), "list of fields"),
    (lambda: Counts(11, 10), "more than all"),
    (lambda: Counts(11, 10), "swapped"),
    (lambda: backtest.counted(total=series(0, 1, 2).to_frame(), bad=series(0, 10, 20).to_frame()), "swapped"),
    (lambda: backtest.counted(total=series(0, 1, 2).to_frame(), good=series(0, 10, 20).to_frame()), "swapped"),
    (lambda: Counts.of_good(11, 10), "more than all"),
    (lambda: Counts.of_good(11, 10), "swapped"),
    (lambda: Counts(math.nan, 10), "missing data is not 100 %"),
    (lambda: Counts(0, math.nan), "missing data is not 100 %"),
    (lambda: Counts(-1, 10), "increase()"),
    (lambda: backtest.Events(series(0, 0, 0), series(1, math.nan, 1)), "not 100 %"),
    (lambda: backtest.counted(series(1, 2, 3).to_frame()), "one of them, not both and not neither"),
    (lambda: backtest.Events(series(0, 2, 0), series(1, 1, 1)), "more events are bad than there are. Let both"),
    (lambda: backtest.Events(series(0, 0, 0), series(1, 1, 1, index=MINUTES[[0, 1, 1]])), "overlap"),
    (lambda: backtest.Events(series(0, 0, index=MINUTES[:2]), series(1, 1, 1)), "different minutes"),
    (lambda: backtest.Events(series(0, 0, index=MINUTES[[0, 2]]), series(1, 1, index=MINUTES[[0, 2]])), "a minute apart"),
    (lambda: backtest.Events(series(index=MINUTES[:0]), series(index=MINUTES[:0])), "no data"),
    (lambda: windows.policy("30d", [("page", "5m", "1h", "0.02")], ""), "Swap them"),
    (lambda: windows.policy("30d", [("page", "1h", "5m", "0.02"), ("page", "1h", "10m", "0.03")], ""), "overlap"),
    (lambda: windows.policy("1d", [("page", "3d", "6h", "0.1")], ""), "longer than the period"),
    (lambda: windows.policy("30d", [("page", "1h", "5m", "2")], ""), "write 0.02"),
    (lambda: windows.policy("30d", [("wake", "1h", "5m", "0.02")], ""), "neither page nor ticket"),
    (lambda: composite.serial([]), "Name at least one"),
    (lambda: composite.weighted({"a": ("0.9", "0.5")}), "Make them 1"),
    (lambda: composite.required_part("0.99", 0), "at least one"),
    (lambda: indicators.within({"0.1": 1, "+Inf": 2}, 0.2), "0.1 and inf"),
    (lambda: indicators.within({"0.1": 1}, 0.1), "+Inf"),
    (lambda: indicators.within({"0.1": 3, "+Inf": 2}, 0.1), "cumulative"),
    (lambda: indicators.bucket(["0.25", "0.5", "+Inf"], 0.3), "0.25 and 0.5"),
    (lambda: indicators.bucket(["0.3", "+Inf"], "0.30"), 'this bucket is le="0.3"'),
    (lambda: indicators.bucket(["1.0", "+Inf"], "1"), 'this bucket is le="1.0"'),
    (lambda: indicators.bucket(["1", "1.0", "+Inf"], 1), 'le=~"1|1.0"'),
    (lambda: indicators.bucket(["1"], 1), "all requests"),
    (lambda: indicators.bucket(["low", "+Inf"], 1), "no bound of a bucket"),
    (lambda: indicators.bucket(["1", "+Inf"], 0), "above zero"),
    (lambda: indicators.within({"1": 1, "1.0": 2, "+Inf": 3}, 1), "spelled twice"),
    (lambda: spec(total=None, bad=None, histogram="h", threshold_seconds=0.3, native="yes"), "Write true"),
    (lambda: indicators.freshness([], 300), "Nobody looked"),
    (lambda: money.credit(None, [], 100), "unknown"),
    (lambda: money.worth_of("0.999", "0.99", "30d", 1), "lower objective first"),
    (lambda: forecast.straight(math.nan, datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 6, 2, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC)), "missing"),
    (lambda: forecast.simulate([], "0.999", seed=1, draws=3), "at least 100"),
]  # fmt: skip


@pytest.mark.parametrize(("attempt", "words"), REFUSED, ids=[words for _attempt, words in REFUSED])
def test_what_cannot_be_meant_is_refused_with_the_way_out(attempt, words):
    with pytest.raises(LabProblem, match=re.escape(words)) as refusal:
        attempt()
    assert str(refusal.value).rstrip().endswith((".", "?"))


def test_a_good_specification_is_read_as_written():
    slo = spec()
    assert slo.objective == Fraction(999, 1000) and slo.budget == Fraction(1, 1000) and slo.id == "gateway-orders"


def test_a_bucket_is_found_however_its_bound_is_spelled():
    assert [indicators.bucket(["0.25", "1.0", "+Inf"], one) for one in (0.25, 1, "1.0", math.inf)] == [
        "0.25",
        "1.0",
        "1.0",
        "+Inf",
    ]


def test_no_traffic_is_neither_all_good_nor_all_bad():
    assert budget.availability(Counts(0, 0)) is None
    assert np.isnan(backtest.Events(series(0, 0, 0), series(0, 0, 0)).ratio(backtest.MINUTE)).all()


def test_the_same_seed_draws_the_same_years():
    kinds = [forecast.Kind("deploy", 12, windows.length("10m"), 0.5, 0.25)]
    one, other = (forecast.simulate(kinds, "0.9999", seed=7) for _ in range(2))
    assert one == other != forecast.simulate(kinds, "0.9999", seed=8)


def test_no_simulated_year_is_worse_than_its_worst_incident_all_year_long():
    kinds = [forecast.Kind("leak", 50, windows.length("1h"), 3, 0.01), forecast.Kind("slow", 5, windows.length("400d"), 0, 0.1)]
    for kind in kinds:
        year = forecast.simulate([kind], "0.9", seed=1)
        assert year.availability[0] >= 1 - kind.error_ratio - 1e-12
        assert year.kept == 1  # at most a tenth of all may fail, and a year that spends it to the last has kept it


def test_simulated_years_agree_with_what_they_are_drawn_from():
    kinds = [forecast.Kind("outage", 4, windows.length("1h"), 0, 1.0)]
    year = forecast.simulate(kinds, "0.999", seed=1)  # 8.76 h allowed: kept with at most 8 outages of an hour
    by_hand = sum(math.exp(-4) * 4**count / math.factorial(count) for count in range(9))
    assert abs(year.kept - by_hand) < 4 * max(year.kept_error, 1e-3)
