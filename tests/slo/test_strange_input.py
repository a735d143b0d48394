"""What nobody meant to hand in: it gets a sentence with the way out, and missing data is never 100 %."""

import math
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from fractions import Fraction
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
import yaml
from test_rules import promtool

from monlab.problem import LabProblem
from monlab.slo import (
    alerts,
    backtest,
    budget,
    composite,
    forecast,
    formats,
    indicators,
    money,
    pictures,
    policy,
    printing,
    report,
    windows,
)
from monlab.slo import rule_files as rules
from monlab.slo.records import SLO, Calendar, Events, Rolling, from_mapping
from monlab.slo.windows import SLOTH_30D

MINUTES = pd.date_range("2026-06-01", periods=5, freq="min", tz="UTC")
GOOD = {"service": "gateway", "name": "orders", "objective": 0.999, "total": "all_total", "bad": "bad_total"}
ORDERS = from_mapping(GOOD)
COUNTS = budget.Counts(1, 10)
DAY = timedelta(days=1)
START = datetime(2026, 6, 1, tzinfo=UTC)

NO_NUMBERS = {
    "nothing": None,
    "pandas' nothing": pd.NA,
    "not a number": math.nan,
    "infinite": math.inf,
    "text": "5",
    "bytes": b"5",
    "truth": True,
    "a series": pd.Series([1, 2]),
    "a list": [1],
}
TAKES_A_NUMBER = {
    "bad events": lambda value: budget.Counts(value, 10),
    "all events": lambda value: budget.Counts(0, value),
    "good events": lambda value: budget.Counts.of_good(value, 10),
    "burn rate": lambda value: budget.exhaustion_seconds(value, "30d"),
    "burn rate that spends": lambda value: budget.spent_by_burning(value, "1h", "30d"),
    "budget left": lambda value: budget.exhaustion_seconds(1, "30d", value),
    "events of a window": lambda value: indicators.one_failure(value, "0.999"),
    "events an hour": lambda value: indicators.page_worthy(value, "0.999", 720),
    "hours": lambda value: indicators.page_worthy(100, "0.999", value),
    "age limit": lambda value: indicators.freshness([1, 2], value),
    "checked answers": lambda value: indicators.correctness(value, 0),
    "further requests": lambda value: indicators.smoothed(COUNTS, "0.99", value),
    "z": lambda value: indicators.interval(COUNTS, value),
    "a bucket's count": lambda value: indicators.within({"0.1": value, "+Inf": 10}, 0.1),
    "a threshold": lambda value: indicators.interpolated({"0.1": 1, "+Inf": 10}, value),
    "a bucket's count, between bounds": lambda value: indicators.interpolated({"0.1": value, "+Inf": 10}, 0.05),
    "the count below, between bounds": lambda value: indicators.interpolated({"0.1": value, "0.2": 5, "+Inf": 10}, 0.15),
    "a seed": lambda value: forecast.simulate([], "0.999", value, draws=100),
    "a bill": lambda value: money.credit("0.99", [money.Credit("0.999", "0.1")], value),
    "an hour's cost": lambda value: money.outage_cost("0.99", "30d", value),
    "the part spent": lambda value: forecast.straight(value, START, START + DAY, START + 30 * DAY),
    "incidents a year": lambda value: forecast.Kind("outage", value, DAY, 0, 1.0),
    "a spread": lambda value: forecast.Kind("outage", 1, DAY, value, 1.0),
    "years": lambda value: forecast.simulate([], "0.999", 1, draws=value),
    "parts": lambda value: composite.required_part("0.99", value),
    "dependencies": lambda value: composite.allowed_per_dependency("0.99", value),
    "tries": lambda value: composite.journey([composite.Step("pay", Fraction(9, 10), value)]),
}


@pytest.mark.parametrize("value", NO_NUMBERS.values(), ids=NO_NUMBERS)
@pytest.mark.parametrize("takes", TAKES_A_NUMBER.values(), ids=TAKES_A_NUMBER)
def test_what_is_no_finite_number_is_refused_wherever_one_is_wanted(takes, value):
    with pytest.raises(LabProblem) as refusal:
        takes(value)
    assert str(refusal.value).endswith(".") and len(str(refusal.value)) < 300


@pytest.mark.parametrize("takes", TAKES_A_NUMBER.values(), ids=TAKES_A_NUMBER)
def test_numpys_numbers_are_numbers(takes):
    if takes is TAKES_A_NUMBER["years"]:
        assert takes(np.int64(100))
    else:
        assert takes(np.int64(1)) == takes(1)


NO_SHARES = {
    **NO_NUMBERS,
    "a percentage": 99.9,
    "a percentage in words": "99.9%",
    "negative": -0.1,
    "with a comma": "0,999",
    "1/0": "1/0",
    "an endless exponent": "1e-99999999",
    "above 1": 1.001,
}
del NO_SHARES["text"]
TAKES_A_SHARE = {
    "objective": lambda value: budget.allowed_seconds(value, "30d"),
    "objective of a backtest": lambda value: backtest.backtest_all(EVENTS, alerts.approaches(SLOTH_30D), value),
    "objective of a backtest without alerts": lambda value: backtest.backtest_all(EVENTS, [], value),
    "objective of an alert": lambda value: alerts.reset_seconds(alerts.approaches(SLOTH_30D)[0], 1, value, "1h"),
    "objective of the events": lambda value: EVENTS.burned(value),
    "objective of a picture": lambda value: pictures.times(value),
    "objective of a minute": lambda value: indicators.good_minutes([COUNTS], value),
    "part of a window": lambda value: windows.policy("30d", [("page", "1h", "5m", value)], ""),
    "specification": lambda value: from_mapping({**GOOD, "objective": value}),
    "error ratio": lambda value: budget.burn_rate(value, "0.999"),
    "detection": lambda value: alerts.detection_seconds(alerts.approaches(SLOTH_30D)[0], value, "0.999"),
    "part of a chain": lambda value: composite.serial([value, "0.9"]),
    "tier": lambda value: money.Credit(value, "0.1"),
    "severity of an incident": lambda value: forecast.Kind("outage", 1, DAY, 0, value),
}


@pytest.mark.parametrize("value", NO_SHARES.values(), ids=NO_SHARES)
@pytest.mark.parametrize("takes", TAKES_A_SHARE.values(), ids=TAKES_A_SHARE)
def test_what_is_no_share_is_refused_wherever_one_is_wanted(takes, value):
    with pytest.raises(LabProblem, match=r"write|Write") as refusal:
        takes(value)
    assert len(str(refusal.value)) < 300


@pytest.mark.parametrize("objective", [1, 1.0, "1.0", Fraction(1)])
def test_an_objective_without_a_budget_has_nothing_to_burn(objective):
    alert = alerts.approaches(SLOTH_30D)[0]
    for attempt in (
        lambda: backtest.backtest_all(EVENTS, [alert], objective),
        lambda: alerts.detection_seconds(alert, 1, objective),
        lambda: alerts.spent_at_detection(alert, 1, objective, "30d"),
        lambda: pictures.times(objective),
    ):
        with pytest.raises(LabProblem, match="nothing to burn"):
            attempt()


def frame(values, index=MINUTES):
    return pd.DataFrame({"a": values}, index=index[: len(values)])


ALL = frame([0.0, 10, 20, 30, 40])
FRAMES = {
    "text": (frame(list("12345")), "not numbers"),
    "truths": (frame([True] * 5), "not numbers"),
    "infinite": (frame([1, math.inf, 3, 4, 5]), "infinite"),
    "negative": (frame([1.0, -2, 3, 4, 5]), "below zero at 2026-06-01 00:01"),
    "doubles": (frame([1.0, 2, 3], MINUTES[[0, 1, 1]]), "a moment comes twice"),
    "unsorted": (frame([1.0, 2, 3], MINUTES[[2, 0, 1]]), "Sort the rows"),
    "a gap": (frame([1.0, 2, 3], MINUTES[[0, 1, 4]]), "a minute apart"),
    "half minutes": (frame([1.0, 2], pd.date_range("2026-06-01", periods=2, freq="30s", tz="UTC")), "a minute apart"),
    "numbered rows": (frame([1.0, 2], pd.RangeIndex(5)), "no moment"),
    "rows of text": (frame([1.0], pd.Index(["2026-06-01"])), "no moment"),
    "no rows": (pd.DataFrame(), "no data"),
    "a list": ([1, 2], "Hand in a frame"),
}


@pytest.mark.parametrize(("given", "words"), FRAMES.values(), ids=FRAMES)
def test_a_frame_that_cannot_be_counted_is_refused(given, words):
    for attempt in (
        lambda: backtest.per_minute(given),
        lambda: backtest.lost_at_birth(given),
        lambda: backtest.counted(given, bad=ALL),
        lambda: backtest.counted(ALL, bad=given),
        lambda: backtest.counted(ALL, good=given),
        lambda: backtest.Events(given if isinstance(given, list) else given.iloc[:, :1], ALL),
    ):
        with pytest.raises(LabProblem, match=words):
            attempt()


def test_counters_of_other_minutes_are_refused_and_not_counted_as_no_failures():
    for other in (frame([3.0]), frame([1.0, 2, 3, 4, 5], MINUTES + DAY)):
        with pytest.raises(LabProblem, match="different minutes"):
            backtest.counted(ALL, bad=other)


def test_rows_without_a_zone_are_in_utc_and_others_are_brought_there():
    naive, india = (
        frame([0.0, 1, 2, 3, 4], MINUTES.tz_localize(None)),
        frame([0.0, 1, 2, 3, 4], MINUTES.tz_convert("Asia/Kolkata")),
    )
    assert backtest.counted(ALL, bad=naive).counts() == backtest.counted(ALL, bad=india).counts() == budget.Counts(4, 40)


def test_counters_that_start_again_or_bear_one_name_twice_are_added_up():
    twice = pd.DataFrame([[0.0, 0], [1, 1], [2, 0], [3, 1], [4, 2]], index=MINUTES, columns=["a", "a"])
    assert backtest.counted(ALL, bad=twice).counts() == budget.Counts(4 + 3, 40)


def test_one_sample_and_no_traffic_are_no_data():
    for events in (backtest.counted(frame([7.0]), bad=frame([0.0])), backtest.counted(frame([7.0] * 5), bad=frame([0.0] * 5))):
        assert budget.availability(events.counts()) is None
        [line] = report.month([(ORDERS, events)], [])
        page = printing.html([line], [], "June")
        assert not line.kept and "no data" in page and "100.000 %" not in page and "unknown" in page
        assert printing.sheet(line, [], "June")
        assert "| no data | unknown | No data" in report.review([line])
        [forecast_of] = report.month([(ORDERS, events)], [], ends=START + DAY)
        assert forecast_of.forecast == ""


def month_of(bad, total, *incidents, **changes):
    index = pd.date_range(START, periods=1440, freq="min")
    events = backtest.Events(pd.Series(bad, index=index), pd.Series(total, index=index))
    return report.month([(from_mapping({**GOOD, **changes}), events)], incidents)


def test_a_month_that_is_not_over_has_the_budget_of_a_whole_one():
    index = pd.date_range(START, periods=10_801, freq="min")  # seven and a half days of thirty
    events = backtest.Events(pd.Series(3.0, index=index), pd.Series(1000.0, index=index))
    [line] = report.month([(ORDERS, events)], [], ends=START + 30 * DAY)
    assert (
        line.left == pytest.approx(0.25)
        and line.kept
        and line.forecast.startswith("At this speed the budget is empty on 11 June")
    )
    assert line.spenders == {report.REST: pytest.approx(0.75)} and line.left_over_time[-1] == pytest.approx(0.25, abs=0.01)
    assert "25.0 %" in report.review([line]) and "25.0 %" in printing.html([line], [], "June")


def test_no_curve_of_a_budget_is_drawn_without_data():
    [line] = month_of(0.0, 0.0)
    page, sheet = printing.html([line], [], "June"), printing.sheet(line, [], "June")
    assert "polyline" not in page and "<p>no data" in page
    assert sheet.axes[0].get_title() == "no data" and len(sheet.axes[0].lines) == 0


def test_incidents_that_began_before_the_window_are_shaded_and_do_not_stretch_it():
    early = report.Incident("early", START - DAY, START + DAY / 2)
    [line] = month_of(0.01, 100.0, early)
    assert 'x="56.0" y="6" height="124" fill="#f4c7c3" width="323' in printing.html([line], [early], "June")
    left, right = printing.sheet(line, [early], "June").axes[0].get_xlim()
    assert right - left == pytest.approx(1, abs=0.01)  # days


def test_a_sheet_has_room_for_long_names_and_many_incidents():
    many = [report.Incident(f"incident {at}", START + at * DAY / 30, START + (at + 0.9) * DAY / 30) for at in range(30)]
    [line] = month_of(0.5, 100.0, *many, service="s" * 100, name="n" * 100)
    sheet = printing.sheet(line, many, "June")
    sheet.draw_without_rendering()
    said = sheet.axes[2].texts[0]
    assert "and 24 more" in said.get_text() and "week to" in said.get_text()
    assert said.get_window_extent().y0 > 0 and sheet._suptitle.get_window_extent().x0 > 0


def test_a_name_does_not_break_the_reviews_table():
    [line] = month_of(0.5, 100.0, report.Incident("a|b\nc", START, START + DAY), name="x|y")
    [row] = [row for row in report.review([line]).splitlines() if "gateway" in row]
    assert row.replace("\\|", "").count("|") == 5 and "a\\|b c" in row


def test_what_no_known_incident_spent_has_no_cause_to_mend():
    index = pd.date_range(START, periods=1440, freq="min")
    events = backtest.Events(pd.Series(0.06, index=index), pd.Series(100.0, index=index))
    [line] = report.month([(ORDERS, events)], [])
    assert line.advice == "Kept, with 40 % of the budget left. Most went on no known incident: find what the worst days share."


def test_a_percentage_is_not_rounded_to_all_or_to_nothing():
    found = [report.percent(value) for value in (1, 0.9999999, 0.99999, 0.999994, 0.5)]
    assert found == ["100.000 %", "99.99999 %", "99.999 %", "99.999 %", "50.000 %"]
    assert [report.parts(value) for value in (0, -4e-7, 0.0004, 0.25)] == ["0.0 %", "-0.00004 %", "0.04 %", "25.0 %"]
    [decision] = policy.gate({"gateway-orders": 0.0010000004}, policy.agreement({"slos": [GOOD]}))
    assert decision.reason.startswith("-0.00004% of the budget")


def test_an_availability_that_misses_the_objective_is_not_printed_as_the_objective():
    index = pd.date_range(START, periods=1440, freq="min")
    events = backtest.Events(pd.Series(0.1000004, index=index), pd.Series(100.0, index=index))
    [line] = report.month([(ORDERS, events)], [])
    assert not line.kept and report.reached(line) == "99.8999996 %"
    assert "99.8999996 %" in report.review([line]) and "99.8999996 %" in printing.html([line], [], "June")


@pytest.mark.parametrize(("objective", "words"), [(1, "There is no budget"), ("0.1", "At this speed 0.00001 %")])
def test_a_forecast_is_a_sentence_without_a_budget_and_with_hardly_any_of_it_spent(objective, words):
    index = pd.date_range(START, periods=1440, freq="min")
    events = backtest.Events(pd.Series(9e-8, index=index), pd.Series(1.0, index=index))
    [line] = report.month([(from_mapping({**GOOD, "objective": objective}), events)], [], ends=START + 30 * DAY)
    assert line.forecast.startswith(words)


NO_MOMENTS = {"nothing": None, "words": "soon", "a number": 5, "a day": date(2026, 6, 1), "not a time": pd.NaT}
EVENTS = backtest.counted(ALL, bad=frame([0.0, 1, 1, 1, 1]))


@pytest.mark.parametrize("value", NO_MOMENTS.values(), ids=NO_MOMENTS)
def test_what_is_no_moment_is_refused_wherever_one_is_wanted(value):
    for attempt in (
        lambda: report.Incident("outage", value, START),
        lambda: report.Incident("outage", START, value),
        lambda: pictures.firings(backtest.backtest_all(EVENTS, alerts.approaches(SLOTH_30D), "0.999"), value, START),
        lambda: forecast.straight(0.5, value, START, START),
        lambda: report.month([(ORDERS, EVENTS)], [], ends=value or "nothing"),
    ):
        with pytest.raises(LabProblem, match="no moment"):
            attempt()


def test_a_moment_without_a_zone_is_in_utc():
    found = [report.Incident("x", start, "2026-06-01 00:03") for start in ("2026-06-01 00:01", datetime(2026, 6, 1, 0, 1))]
    assert found[0] == found[1] and found[0].start == datetime(2026, 6, 1, 5, 31, tzinfo=timezone(timedelta(hours=5.5)))
    assert EVENTS.counts(datetime(2026, 6, 1, 0, 1), None).total == 30


def test_an_incident_that_ends_before_it_begins_is_refused():
    with pytest.raises(LabProblem, match="Swap them"):
        report.Incident("outage", START + DAY, START)


def test_an_objective_without_a_budget_gets_a_report(tmp_path):
    strict = from_mapping({**GOOD, "objective": 1})
    lines = report.month([(strict, EVENTS)], [])
    printing.pdf(lines, [], "a $title$", tmp_path / "strict.pdf")
    page = printing.html(lines, [], "June")
    assert "nan" not in page and ">inf" not in page and "missed" in page


FIELDS = [
    ({"window": "1mo"}, "as Prometheus does"),
    ({"window": "99999999999999d"}, "longer than any history"),
    ({"window": "３0d"}, "no length of time"),
    ({"name": None}, "no name"),
    ({"name": ["x"]}, "no text"),
    ({"name": 5}, "in quotes"),
    ({"name": "a\nb"}, "one line"),
    ({"name": "x" * 5000}, "at most"),
    ({"service": " "}, "no service"),
    ({"total": 5}, "no text"),
    ({"total": "sum(rate(x[5m]))"}, "a window of its own"),
    ({"total": "sum(x)"}, "no counter"),
    ({"bad": 'x{code="5'}, "no counter"),
    ({"bad": "x{"}, "no counter"),
    ({"bad": "bestellungen_ü"}, "no counter"),
    ({"labels": "team"}, "a value a line"),
    ({"labels": {"severity": "page"}}, "the rules' own"),
    ({"labels": {"a-b": "c"}}, "letters, digits and _"),
    ({"labels": {"__name__": "c"}}, "cannot be set"),
    ({"native": True}, "no histogram"),
    ({"threshold_seconds": 0.3}, "no histogram"),
    ({"total": None, "bad": None, "histogram": "h", "threshold_seconds": 0.3, "matchers": '{job="a"}'}, "without braces"),
    *(
        ({"total": None, "bad": None, "histogram": name, "threshold_seconds": 0.3}, "as in http_request_duration_seconds")
        for name in ("", "my hist", 'h{job="a"}', "1h", "bestellungen_ü")
    ),
    *(
        (
            {"total": None, "bad": None, "histogram": "h", "threshold_seconds": 0.3, "matchers": matchers},
            'as in job="gateway",code',
        )
        for matchers in ("job=", 'job="a', 'job="a"}', "job=gateway", ',job="a"', 'job="a" code="5"', "job")
    ),
    ({"total": None, "bad": None, "histogram": "h", "threshold_seconds": 0.3, "matchers": 'le="0.1"'}, "The rules choose le"),
    *(({"bad": f"x{{{matchers}}}"}, "no counter") for matchers in ("a=b", "a", 'a="b" c="d"', 'a="b",,')),
    ({"total": None, "bad": None, "histogram": "h", "threshold_seconds": 10**400}, "Write a number of seconds"),
    ({"window": "300y"}, "longer than any history"),
    ({"bad": "all_total"}, "`bad` is the same query as `total`"),
    ({"bad": None, "good": "all_total "}, "`good` is the same query as `total`"),
    ({"labels": {"version": 1.10}}, "in quotes"),
    ({"labels": {"on_call": True}}, "in quotes"),
    ({"labels": {"team": None}}, "in quotes"),
    ({"labels": {"team": ["a"]}}, "in quotes"),
]


@pytest.mark.parametrize(("changes", "words"), FIELDS, ids=[f"{changes}"[:60] for changes, _words in FIELDS])
def test_a_field_that_cannot_be_meant_is_named(changes, words):
    body = {key: value for key, value in {**GOOD, **changes}.items() if value is not None or key == "name"}
    with pytest.raises(LabProblem, match=words):
        from_mapping(body)


REFUSED = [
    (lambda: indicators.bucket(["0.1", "+Inf"], None), "missing"),
    (lambda: indicators.bucket(["0.1", "+Inf"], True), "no number"),
    (lambda: indicators.interpolated({"0.1": 5, "0.2": 1, "+Inf": 8}, 0.15), "cumulative"),
    (lambda: forecast.simulate([], "0.999", seed=-1), "below 0"),
    (lambda: forecast.simulate([], "0.999", seed=1.5), "not whole"),
    (lambda: forecast.simulate([forecast.Kind("outage", 1e9, DAY, 0, 1.0)], "0.999", 1), "more than memory holds"),
    (lambda: windows.BurnWindow("page", "5m", "1h", "0.02"), "Swap them"),
    (lambda: composite.weighted({part: ("0.99", 1 / 3) for part in "abc"}), 'as in "1/3"'),
    (lambda: budget.Counts(1_000_001, 1_000_000), "1000001 bad events of 1000000: more"),
    (lambda: budget.Counts.of_good(123_456_789, 123_456_788), "123456789 good events of 123456788: more"),
    (lambda: composite.required_part("0.99", 1_000_000.5), "1000000.5, which is not whole"),
    (lambda: rules.rule_file(from_mapping({**GOOD, "window": "1d"})), "objective's window of 1d .* alert window, 3d"),
]


@pytest.mark.parametrize(("attempt", "words"), REFUSED, ids=[words for _attempt, words in REFUSED])
def test_a_number_that_cannot_be_meant_is_printed_as_it_is(attempt, words):
    with pytest.raises(LabProblem, match=words):
        attempt()


def test_lengths_and_shares_may_be_texts_wherever_they_are_wanted():
    as_text, plain = forecast.Kind("a", 4, "10m", 0.5, "0.25"), forecast.Kind("a", 4, timedelta(minutes=10), 0.5, 0.25)
    assert forecast.simulate([as_text], "0.999", 1) == forecast.simulate([plain], "0.999", 1)
    assert windows.BurnWindow("page", "1h", "5m", "0.02") == SLOTH_30D.rows[0]
    assert indicators.within({"0.1": 1, "+Inf": 10}, "0.1") == budget.Counts(9, 10)
    assert indicators.interpolated({"0": 1, "+Inf": 10}, 0) == budget.Counts(9, 10)


def test_an_error_ratio_that_only_reaches_the_limit_pages_nobody():
    [burn] = [one for one in alerts.approaches(SLOTH_30D) if one.name.startswith("4")]  # 0.036 over an hour
    assert alerts.firing(burn, "0.072", "0.999", "30m") == [] != alerts.firing(burn, "0.072", "0.999", "31m")


def test_few_failures_are_counted_without_the_noise_of_floats():
    assert indicators.page_worthy(41.7, "0.5", 720, 1) == 15_012  # half of 30024 exactly


ALIKE = [
    ("sum(rate(a[{{.window}}]))", "sum(rate(b[{{.window}}]))"),
    ("sum by (x, y) (rate(a[{{.window}}]))", "(sum(rate(b[{{.window}}])) by (y, x))"),
    ("a", "sum(sum by (x) (rate(b[{{.window}}])))"),
    ("sum by (x) (rate(a[{{.window}}]))", "clamp_min(sum(rate(b[{{.window}}])) by (x) - sum(rate(c[{{.window}}])) by (x), 0)"),
    ("sum by (x) (rate(a[{{.window}}]))", "rate(x:b:total[{{.window}}])"),
    ("sum by (x) (rate(a[{{.window}}]))", "sum(rate(b[{{.window}}])) * on () group_left (x) c"),
    ("sum(rate(a[{{.window}}]))", 'sum(rate(b{text="sum by (x)"}[{{.window}}]))'),
    ("sum by (job) (rate(a[{{.window}}]))", 'rate(job:b:total{job="a"}[{{.window}}])'),
    ('rate(a{job="a"}[{{.window}}])', 'rate(a{job="a", code="500"}[{{.window}}])'),
    ("sum(rate(a[{{.window}}]))", 'rate(b{code!="x", job=~".*"}[{{.window}}])'),
]
NOT_ALIKE = [
    ("sum(rate(a[{{.window}}]))", "sum by (x) (rate(b[{{.window}}]))"),
    ("sum by (x) (rate(a[{{.window}}]))", "sum(rate(b[{{.window}}]))"),
    ("sum(rate(a[{{.window}}])) by (x)", "b"),
    ("sum by (x) (rate(a[{{.window}}]))", "(sum(rate(b[{{.window}}])) by (y))"),
    ("sum(rate(a[{{.window}}]))", 'rate(b{job=~"x.*", code="500"}[{{.window}}])'),
    ("a", '(increase(b{ code = "500" }[{{.window}}]))'),
]


@pytest.mark.parametrize(("total", "bad"), ALIKE)
def test_queries_that_group_alike_are_read(total, bad):
    assert from_mapping({**GOOD, "total": total, "bad": bad})


@pytest.mark.parametrize(("total", "bad"), NOT_ALIKE)
def test_queries_that_do_not_group_alike_are_refused_since_their_ratio_would_be_nothing_failed(total, bad):
    with pytest.raises(LabProblem, match=r"`bad` gives .*series.*, and `total` .*series.* Group both alike"):
        from_mapping({**GOOD, "total": total, "bad": bad})


@pytest.mark.live
@pytest.mark.parametrize("name", ['a"b', "a\\b", "bestellung-ü", "x☃", "a{b}", "${x}", "{{ $value }}", "{{", "}}", "{{ end }}"])
def test_a_strange_name_makes_rules_that_promtool_accepts(tmp_path, name):
    slo = SLO(name, name, "0.999", Events(total="all_total", bad="bad_total{}"))
    (tmp_path / "rules.yml").write_text(rules.rule_file(slo), "utf-8")
    said = promtool(tmp_path, "check", "rules", "rules.yml")
    assert said.returncode == 0, said.stdout + said.stderr


@pytest.mark.live
@pytest.mark.parametrize("matchers", ["", 'job="a"', 'job="a",', "job=~\"{x}|,\", code!~'5..'", 'job = `a"`,code!="\\""'])
def test_matchers_as_prometheus_reads_them_are_read(tmp_path, matchers):
    latency = {"service": "a", "name": "b", "objective": 0.9, "histogram": "a:h", "threshold_seconds": 0.3, "matchers": matchers}
    events = {"service": "a", "name": "c", "objective": 0.9, "total": f"t{{{matchers}}}", "bad": f"b{{{matchers}}}"}
    (tmp_path / "rules.yml").write_text(rules.rule_file(from_mapping(latency), from_mapping(events)), "utf-8")
    said = promtool(tmp_path, "check", "rules", "rules.yml")
    assert said.returncode == 0, said.stdout + said.stderr


def test_an_objective_made_in_python_reads_its_fields_as_a_files_are_read():
    bare = {"service": "shop", "name": "orders", "objective": "0.999", "sli": Events(total="a", bad="b")}
    made = SLO(**bare, window="28d", labels={"tier": 2})
    assert (made.window, made.labels) == (Rolling("28d"), {"tier": "2"})
    with pytest.raises(LabProblem, match="labels are 'x'"):
        SLO(**bare, labels="x")


def test_an_objective_of_nothing_is_none_for_sloth():
    with pytest.raises(LabProblem, match="objective of gateway-orders is 0"):
        formats.to_sloth(replace(ORDERS, objective=Fraction(0)))


def test_a_label_that_is_a_whole_number_is_one():
    assert from_mapping({**GOOD, "labels": {"tier": 2}}).labels == {"tier": "2"}


@pytest.mark.live
def test_a_name_that_looks_like_a_template_stays_as_it_is(tmp_path):
    slo = from_mapping({**GOOD, "name": "{{ $value }}", "labels": {"team": "{{ 1 }}"}})
    (tmp_path / "rules.yml").write_text(rules.rule_file(slo), "utf-8")
    fired = {"exp_labels": {"severity": "page", "slo": "{{ $value }}", "slo_service": "gateway", "team": "{{ 1 }}"}}
    fired["exp_annotations"] = {
        "summary": "gateway {{ $value }} spends its error budget too fast",
        "description": "gateway {{ $value }} fails 100% of its events; 0.1 % are allowed.",
    }
    test = {"interval": "1m", "input_series": [{"series": name, "values": "0+9x90"} for name in ("all_total", "bad_total")]}
    [alert] = {rule["alert"] for group in rules.rules(slo)["groups"] for rule in group["rules"] if "alert" in rule}
    test["alert_rule_test"] = [
        {
            "eval_time": "80m",
            "alertname": alert,
            "exp_alerts": [fired, {**fired, "exp_labels": {**fired["exp_labels"], "severity": "ticket"}}],
        }
    ]
    order = [group["name"] for group in rules.rules(slo)["groups"]]
    body = {"rule_files": ["rules.yml"], "evaluation_interval": "1m", "group_eval_order": order, "tests": [test]}
    (tmp_path / "test.yml").write_text(yaml.safe_dump(body), "utf-8")
    said = promtool(tmp_path, "test", "rules", "test.yml")
    assert said.returncode == 0, said.stdout + said.stderr


@pytest.mark.parametrize(("month", "hours"), [(3, 743), (6, 720), (10, 745)])
def test_a_month_in_which_the_clocks_change_is_as_long_as_it_is(month, hours):
    now = datetime(2026, month, 30, 12, tzinfo=ZoneInfo("Europe/Berlin"))
    assert Calendar("month").length_at(now) == timedelta(hours=hours)
    start, end = Rolling("30d").bounds(now)
    assert end == now and end.astimezone(UTC) - start.astimezone(UTC) == timedelta(days=30)


def test_a_window_is_found_however_it_is_spaced():
    slo = from_mapping({**GOOD, "total": "sum(rate(a[{{ .window }}]))"})
    assert "sum(rate(a[1h]))" in rules.error_ratio_query(slo, "1h")


BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + at)}: &{chr(98 + at)} [{','.join(['*' + chr(97 + at)] * 9)}]\n" for at in range(9)
)
MERGES = "a: &a {x: 1, y: 2}\n" + "".join(
    f"{chr(98 + at)}: &{chr(98 + at)} {{<<: [{','.join(['*' + chr(97 + at)] * 9)}]}}\n" for at in range(9)
)
SLOTH = formats.to_sloth([ORDERS])
TEXTS = [
    (BOMB, "no field"),
    (BOMB + "service: *j\nversion: prometheus/v1\nslos: [{name: *j, objective: *j}]", "no field"),
    (
        "version: prometheus/v1\nservice: &a [&b [x,x], &c [*b,*b], &d [*c,*c]]\nslos: [{name: a, objective: 99.9, sli: {events: {}}}]",
        "counts no events",
    ),
    ("[" * 5000 + "]" * 5000, "too deeply"),
    ("version: " + "9" * 5000, "thousands of digits"),
    (SLOTH + "version: prometheus/v1\n", "stands twice"),
    (SLOTH.replace("  objective:", "  objective: 99.0\n  objective:"), "stands twice"),
    (SLOTH + "---\n" + SLOTH, "several documents. Split it at ---"),
    (
        SLOTH.replace("version: prometheus/v1", "apiVersion: sloth.slok.dev/v1\nkind: PrometheusServiceLevel"),
        "a Kubernetes object.*`spec`",
    ),
    (SLOTH.replace("events:", "raw:"), "SLI of 'orders' is `raw`, .* Write `events`"),
    (SLOTH.replace("events:", "plugin:"), "SLI of 'orders' is `plugin`"),
    (SLOTH.replace("  sli:\n", "  sli:\n    raw: {error_ratio_query: a}\n"), "SLI of 'orders' is raw and events at once"),
    (SLOTH.replace("    name: gateway-orders", "    nmae: gateway-orders"), "alerting has no field 'nmae'.*Did you mean name"),
    (
        SLOTH.replace("page_alert:\n", "page_alert:\n      disabled: true\n"),
        "page_alert has no field 'disabled'.*Did you mean disable",
    ),
    (
        SLOTH.replace("page_alert:\n", "page_alert:\n      disable: 'true'\n"),
        "disable of Sloth's page_alert is 'true'. Write true",
    ),
    ("a: \0", "no YAML"),
    ("!!python/object:os.system x", "no YAML"),
    ("until: 2026-06-31", "line 1, column 8.* no date or number"),
    ("a: 1\nb: !!bool x", "line 2, column 4.* no date or number"),
    ("a: !!timestamp x", "no date or number"),
    ("a: !!int ''", "no date or number"),
    ("a: !!float x", "no date or number"),
    (MERGES, "merges .* Write the fields out"),
    ("", "list of fields"),
    (None, "file's text"),
    (b"a: b", "file's text"),
    ("version: prometheus/v1\nservice: a\n", "one objective at least"),
    ("version: prometheus/v1\nservice: a\nslos: {a: 1}", "one objective at least"),
    ("version: prometheus/v1\nservice: a\nslos: [1]", "list of fields"),
    (SLOTH + "labels: abc\n", "a value a line"),
    (SLOTH.replace("99.9", ".nan"), "between 0 and 100"),
    (SLOTH.replace("99.9", "101"), "between 0 and 100"),
    (SLOTH.replace("99.9", '"99.9"'), "without a sign"),
    (SLOTH.replace("sum(rate(all_total[{{.window}}]))", "all_total"), "Sloth refuses it"),
]


@pytest.mark.parametrize(("text", "words"), TEXTS, ids=[f"{at} {words}" for at, (_text, words) in enumerate(TEXTS)])
def test_a_file_for_sloth_that_cannot_be_meant_is_refused(text, words):
    with pytest.raises(LabProblem, match=words) as refusal:
        formats.from_sloth(text)
    assert len(str(refusal.value)) < 500


def test_a_file_for_sloth_that_was_read_is_written_as_it_was():
    [read] = formats.from_sloth(SLOTH)
    assert formats.from_sloth(formats.to_sloth([read])) == [read] and formats.to_sloth([read]) == SLOTH


@pytest.mark.parametrize("severities", ["page", None, 1, ["pager"], [["page"]], {"page": True}])
def test_severities_are_page_and_ticket_and_no_other(severities):
    with pytest.raises(LabProblem, match="list of page, ticket, both or neither"):
        from_mapping({**GOOD, "severities": severities})


def test_severities_in_any_order_are_the_same_objective():
    assert from_mapping({**GOOD, "severities": ["ticket", "page"]}) == from_mapping(GOOD)


@pytest.mark.parametrize("change", [{"name": "a b"}, {"service": "ü"}, {"name": "x"}, {"name": "orders-"}])
def test_a_name_that_sloth_refuses_is_refused_before_it_is_written(change):
    with pytest.raises(LabProblem, match="Sloth takes letters, digits"):
        formats.to_sloth([from_mapping({**GOOD, **change})])


def test_a_level_that_says_nothing_says_nothing():
    levels = [{"name": "always", "allows": ["feature"], "then": None}]
    [decision] = policy.gate({"gateway-orders": 0.0}, policy.agreement({"slos": [GOOD], "levels": levels}))
    assert decision.reason.endswith("level always.")


COMMENTED = """sum(
  rate(b[{{.window}}])  # of the shop
) # all
"""


@pytest.mark.live
@pytest.mark.parametrize("which", ["total", "bad", "good"])
def test_a_comment_in_a_query_does_not_end_the_rule(tmp_path, which):
    body = {**GOOD, "total": "sum(rate(a[{{.window}}]))", "bad": "sum(rate(b[{{.window}}]))", which: COMMENTED}
    slo = from_mapping({key: text for key, text in body.items() if (key, which) != ("bad", "good")})
    for one in (slo, *formats.from_sloth(formats.to_sloth([slo])), formats.from_openslo(formats.to_openslo(slo))):
        (tmp_path / "rules.yml").write_text(rules.rule_file(one), "utf-8")
        said = promtool(tmp_path, "check", "rules", "rules.yml")
        assert said.returncode == 0, said.stdout + said.stderr


OPENSLO = formats.to_openslo(ORDERS)
DOCUMENTS = [
    (("count: 30", "count: abc"), "without quotes"),
    (("count: 30", "count: 2.5"), "not whole"),
    (("count: 30", "count: -3"), "below 1"),
    (("query: ", "query: 5 #"), "no text"),
    (("service: gateway", "service: [a]"), "no text"),
    (("ratioMetrics:", "ratioMetric:"), "Did you mean ratioMetrics"),
    (("  service:", "  foo: 1\n  service:"), "no field 'foo'"),
    (("unit: Day", "unit: [Day]"), "Day or Week"),
    (("unit: Day", "unit: Day\n    isRolling: false"), "Write isRolling: true"),
    (("source: prometheus", "source: datadog"), "source is 'datadog'"),
    (("queryType: promql", "queryType: sql"), "queryType is 'sql'"),
    (("unit: Day", "unit: Day\n    isRolling: 'false'"), "isRolling: 'false'.* Write isRolling: true"),
    (("    target: 0.999\n", ""), "has no target. Write"),
]


@pytest.mark.parametrize(("change", "words"), DOCUMENTS, ids=[change[1] for change, _words in DOCUMENTS])
def test_an_openslo_document_that_cannot_be_meant_is_refused(change, words):
    assert change[0] in OPENSLO
    with pytest.raises(LabProblem, match=words):
        formats.from_openslo(OPENSLO.replace(*change))


@pytest.mark.parametrize("objectives", [5, {"a": 1}, "x"])
def test_objectives_of_openslo_are_a_list(objectives):
    body = yaml.safe_load(OPENSLO)
    body["spec"]["objectives"] = objectives
    with pytest.raises(LabProblem, match="Write a list with one entry"):
        formats.from_openslo(yaml.safe_dump(body))


def test_a_month_of_the_calendar_is_not_written_as_thirty_days():
    for write in (formats.to_openslo, lambda slo: formats.to_sloth([slo])):
        with pytest.raises(LabProblem, match="rolls"):
            write(from_mapping({**GOOD, "window": "calendar month"}))


AGREEMENTS = [
    ({"slos": "abc"}, "Write a list"),
    ({"slos": [None]}, "list of fields"),
    ({"slos": [GOOD, GOOD]}, "stands twice"),
    ({"slos": [GOOD], "levels": "x"}, "Write a list"),
    ({"slos": [GOOD], "levels": [{"allows": ["feature"]}]}, "no name"),
    ({"slos": [GOOD], "levels": [{"name": "a", "allows": "feature"}]}, "Write a list"),
    ({"slos": [GOOD], "levels": [{"name": "a", "above": 0.5}, {"name": "b", "above": 0.5}, {"name": "c"}]}, "falls from level"),
]


@pytest.mark.parametrize(("body", "words"), AGREEMENTS, ids=[words + str(at) for at, (_body, words) in enumerate(AGREEMENTS)])
def test_a_gates_file_that_cannot_be_meant_is_refused(body, words):
    with pytest.raises(LabProblem, match=words):
        policy.agreement(yaml.safe_load(yaml.safe_dump(body)) if body.get("slos") != [GOOD, GOOD] else body)


@pytest.mark.parametrize(
    ("at", "left"), [((2026, 6, 4), 0.8), ((2026, 6, 16), 0), ((2026, 6, 30, 12), -29.5 / 15 + 1), ((2026, 6, 1), 1)]
)
def test_a_month_of_the_calendar_has_its_whole_budget_from_the_first_day_on(at, left):
    monthly = policy.agreement({"slos": [{**GOOD, "window": "calendar month"}]})
    [decision] = policy.gate({"gateway-orders": 0.002}, monthly, now=datetime(*at, tzinfo=UTC))  # twice what is allowed, so far
    assert decision.left == pytest.approx(left, abs=1e-9)
    [wrong] = policy.gate({"gateway-orders": 1.5}, monthly, now=datetime(*at, tzinfo=UTC))
    assert wrong.level == "unknown"


@pytest.mark.parametrize("ratio", [None, math.nan, np.nan, pd.NA])
def test_a_gate_without_data_is_closed(ratio):
    [decision] = policy.gate({"gateway-orders": ratio}, policy.agreement({"slos": [GOOD]}))
    assert not decision.open and decision.left is None and "missing data is not 100 %" in decision.reason


@pytest.mark.parametrize("ratio", [-0.001, 1.5, 11.0, math.inf])
def test_a_gate_is_closed_by_a_ratio_that_cannot_be_and_says_that_the_queries_are_wrong(ratio):
    [decision] = policy.gate({"gateway-orders": ratio}, policy.agreement({"slos": [GOOD]}))
    assert not decision.open and decision.left is None and "let both select the same requests" in decision.reason


@pytest.mark.parametrize(("ratio", "left"), [(-1e-17, 1), (1.0000000000000002, -999)])
def test_a_gate_takes_the_last_digit_of_a_sum_for_noise(ratio, left):
    [decision] = policy.gate({"gateway-orders": ratio}, policy.agreement({"slos": [GOOD]}))
    assert decision.left == left


@pytest.mark.parametrize(
    ("ratio", "words", "is_open"), [(0.01, "something failed: level stop", False), (0, "nothing failed", True)]
)
def test_a_gate_without_a_budget_says_so_in_words(ratio, words, is_open):
    [decision] = policy.gate({"gateway-orders": ratio}, policy.agreement({"slos": [{**GOOD, "objective": 1}]}))
    assert decision.open == is_open and decision.reason.startswith(f"There was no budget, and {words}")
    assert "inf" not in decision.reason and "%" not in decision.reason.partition(".")[0]
