"""Our rules and Sloth's, on the same objectives and the same month."""

import math

import numpy as np
import pytest
from june import GRID, alerts, counters, on_grid, ours, ratios, sloths
from specs import SPECS

from monlab import web
from monlab.slo import backtest
from monlab.slo import rule_files as rules
from monlab.slo.durations import words
from monlab.slo.windows import for_period

IDS = [slo.id for slo in SPECS]


@pytest.mark.parametrize("slo", SPECS, ids=IDS)
def test_every_window_below_the_period_records_the_same_as_sloths(recorded, slo):
    values = recorded[0]
    windows = [words(span) for span in for_period(rules.period(slo)).lengths]
    assert {window for of, name, window in values if of == slo.id and name == "sloth"} == set(windows)
    for window in windows:
        mine, theirs = values[slo.id, "ours", window], values[slo.id, "sloth", window]
        both = mine.notna() & theirs.notna()
        assert both.sum() > 800
        np.testing.assert_allclose(mine[both], theirs[both], rtol=1e-9, atol=1e-15)
        assert not (theirs.notna() & mine.isna()).any()
        assert (mine[theirs.isna() & mine.notna()] == 0).all()  # no error yet: Sloth has no value, ours is 0


def test_sloth_has_no_value_before_the_first_error_and_ours_has(recorded):
    mine, theirs = (recorded[0]["inventory-availability", name, "5m"] for name in ("ours", "sloth"))
    assert theirs.notna().sum() < mine.notna().sum() and math.isnan(theirs.iloc[1000]) and mine.iloc[1000] == 0


@pytest.mark.parametrize("slo", SPECS, ids=IDS)
def test_alerts_fire_at_the_same_moments_as_sloths(recorded, slo):
    _values, url, folder = recorded
    mine, theirs = alerts(ours(slo)), alerts(sloths(slo, folder))
    assert mine.keys() <= theirs.keys() == {"page", "ticket"}
    for severity, query in mine.items():
        found = [set(on_grid(url, one).dropna().index) for one in (query, theirs[severity])]
        assert found[0] == found[1]


def test_something_fired_and_not_all_the_time(recorded):
    fired = {slo.id: len(on_grid(recorded[1], alerts(ours(slo))["page"]).dropna()) for slo in SPECS}
    assert sum(count > 0 for count in fired.values()) >= 3 and max(fired.values()) < len(GRID) / 5


def value(url, query):
    answer = web.get(f"{url}/api/v1/query", 120, params={"query": query, "time": GRID[-1].timestamp()})
    [one] = answer.json()["data"]["result"]
    return float(one["value"][1])


@pytest.mark.parametrize("slo", SPECS[:1] + SPECS[3:4], ids=IDS[:1] + IDS[3:4])
def test_the_periods_ratio_counts_events_and_sloths_weighs_quiet_hours_as_busy_ones(raw, recorded, slo):
    _values, url, folder = recorded
    span = words(rules.period(slo))
    total, bad = (backtest.per_minute(counters(raw, text)) for text in (slo.sli.total, slo.sli.bad))
    by_hand = bad.sum() / total.sum()
    mine = value(raw, ratios(ours(slo))[span]["expr"])
    theirs = value(url, ratios(sloths(slo, folder))[span]["expr"])
    assert mine == pytest.approx(by_hand, rel=2e-3)
    assert abs(theirs - by_hand) > 5 * abs(mine - by_hand)
