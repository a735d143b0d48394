"""What holds for any numbers."""

from datetime import timedelta
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monlab.slo import alerts, budget, composite, windows
from monlab.slo.budget import Counts

# The same examples each time, and no limit of time: a busy machine must not fail what is right.
settings.register_profile("slo", deadline=None, derandomize=True)
settings.load_profile("slo")

OBJECTIVES = st.fractions(min_value=Fraction(1, 100), max_value=Fraction(99999, 100_000), max_denominator=100_000)
SHARES = st.fractions(min_value=0, max_value=1, max_denominator=10_000)
COUNTS = st.integers(0, 10**6).flatmap(lambda total: st.integers(0, total).map(lambda bad: Counts(bad, total)))
PERIODS = st.integers(4, 366).map(lambda days: timedelta(days=days))


@given(st.lists(COUNTS, min_size=1, max_size=8), OBJECTIVES)
def test_budget_spent_over_disjoint_stretches_adds_up(stretches, objective):
    whole = budget.total_of(stretches)
    parts = sum(budget.spent(one, objective, expected=whole.total) for one in stretches)
    assert parts == pytest.approx(budget.spent(whole, objective), rel=1e-12)


@given(OBJECTIVES, PERIODS)
def test_a_burn_rate_of_one_for_the_whole_window_spends_exactly_the_budget(objective, period):
    assert budget.burn_rate(1 - objective, objective) == 1
    assert budget.spent_by_burning(1, period, period) == 1
    assert budget.exhaustion_seconds(1, period) == period.total_seconds()


@given(st.lists(SHARES, min_size=1, max_size=6))
def test_a_composite_stays_within_its_bounds(parts):
    low, high = composite.bounds(parts)
    assert low - 1e-12 <= composite.serial(parts) <= high + 1e-12
    assert float(max(parts)) - 1e-12 <= composite.parallel(parts) <= 1


@given(st.lists(SHARES, min_size=2, max_size=6), st.data())
def test_a_weighted_composite_lies_between_its_worst_and_its_best_part(parts, data):
    raw = data.draw(st.lists(st.integers(1, 50), min_size=len(parts), max_size=len(parts)))
    weights = [Fraction(one, sum(raw)) for one in raw]
    found = composite.weighted({str(at): pair for at, pair in enumerate(zip(parts, weights, strict=True))})
    assert float(min(parts)) - 1e-12 <= found <= float(max(parts)) + 1e-12


@given(SHARES.filter(bool), OBJECTIVES, st.integers(1, 100_000))
def test_a_longer_outage_never_hides_an_alert(ratio, objective, minutes):
    for alert in alerts.approaches(windows.SLOTH_30D):
        short = alerts.detection_seconds(alert, ratio, objective, timedelta(minutes=minutes))
        longer = alerts.detection_seconds(alert, ratio, objective, timedelta(minutes=2 * minutes))
        assert short is None or longer == short


@given(SHARES.filter(bool), OBJECTIVES)
def test_the_short_window_changes_when_an_alert_ends_and_not_when_it_comes(ratio, objective):
    for severity in ("page", "ticket"):
        with_it = alerts.of_policy(windows.SLOTH_30D, severity)
        without = alerts.of_policy(windows.SLOTH_30D, severity, short=False)
        lasting = timedelta(days=4)
        assert alerts.detection_seconds(with_it, ratio, objective, lasting) == alerts.detection_seconds(
            without, ratio, objective, lasting
        )
        ends = [alerts.reset_seconds(one, ratio, objective, lasting) for one in (with_it, without)]
        assert ends == [None, None] or ends[0] < ends[1]
