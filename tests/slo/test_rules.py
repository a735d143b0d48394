"""Rules that promtool accepts, and that fire when they should: unit tests with fake time."""

import re
import subprocess
from dataclasses import replace

import pytest
import yaml
from clones import REPO
from june import alerts, ours, program, sloths
from specs import SPECS

from monlab.problem import LabProblem
from monlab.slo import formats
from monlab.slo import rule_files as rules
from monlab.slo.records import Calendar, Events, Rolling, from_mapping
from monlab.slo.windows import SLOTH_28D, policy

ORDERS = from_mapping({"service": "shop", "name": "orders", "objective": 0.999, "total": "all_total", "bad": "bad_total"})
GOOD = from_mapping({"service": "shop", "name": "orders", "objective": 0.999, "total": "all_total", "good": "good_total"})

pytestmark = pytest.mark.live  # promtool and Sloth read what is written


def promtool(folder, *words):
    return subprocess.run([*program("prometheus", "promtool"), *words], cwd=folder, capture_output=True, text=True, check=False)


def hold(folder, slo, series, *moments):
    """Holds the alerts to moments of fake time: (when, severity, whether it fires)."""
    (folder / "rules.yml").write_text(rules.rule_file(slo), "utf-8")
    test = {"interval": "1m", "input_series": [{"series": name, "values": values} for name, values in series.items()]}
    test["promql_expr_test"] = [
        {
            "expr": f'count(ALERTS{{alertstate="firing",severity="{severity}"}})',
            "eval_time": at,
            "exp_samples": [{"labels": "{}", "value": 1}] if fires else [],
        }
        for at, severity, fires in moments
    ]
    # Recordings before alerts, as the file has them: without an order promtool takes the groups as they come.
    order = [group["name"] for group in yaml.safe_load((folder / "rules.yml").read_text("utf-8"))["groups"]]
    body = {"rule_files": ["rules.yml"], "evaluation_interval": "1m", "group_eval_order": order, "tests": [test]}
    (folder / "test.yml").write_text(yaml.safe_dump(body), "utf-8")
    said = promtool(folder, "test", "rules", "test.yml")
    assert said.returncode == 0, said.stdout + said.stderr


@pytest.mark.parametrize("slo", SPECS, ids=[slo.id for slo in SPECS])
def test_promtool_accepts_the_rules(tmp_path, slo):
    (tmp_path / "rules.yml").write_text(rules.rule_file(slo), "utf-8")
    said = promtool(tmp_path, "check", "rules", "rules.yml")
    assert said.returncode == 0 and f"SUCCESS: {len(ours(slo))} rules found" in said.stdout, said.stderr


OUTAGE = "0x120 0+600x20"  # everything fails from minute 122 on
# A minute of outage is 1.67 % of an hour, and the limit is 1.44 %.
MOMENTS = [("121m", False), ("122m", True), ("140m", True)]


@pytest.mark.parametrize(("at", "fires"), MOMENTS, ids=[at for at, _fires in MOMENTS])
def test_a_page_comes_when_two_percent_of_the_budget_are_gone(tmp_path, at, fires):
    hold(tmp_path, ORDERS, {"all_total": "0+600x140", "bad_total": OUTAGE}, (at, "page", fires))


def test_a_page_comes_although_the_error_series_is_born_in_the_outage(tmp_path):
    born = {"all_total": "0+600x140", "bad_total": "_x120 0+600x20"}
    hold(tmp_path, ORDERS, born, ("135m", "page", True))


def test_a_page_comes_when_there_are_no_good_events_at_all(tmp_path):
    hold(tmp_path, GOOD, {"all_total": "0+600x140"}, ("10m", "page", True))


def test_a_page_goes_soon_after_the_errors(tmp_path):
    short = {"all_total": "0+600x400", "bad_total": "0x120 0+600x2 1200x278"}
    hold(tmp_path, ORDERS, short, ("123m", "page", True), ("165m", "page", False))


NATIVE = from_mapping(
    {"service": "shop", "name": "latency", "objective": 0.99, "histogram": "h", "threshold_seconds": 0.3, "native": True}
)
# Schema 0 doubles from bucket to bucket: those counted here end at 0.5 and at 1, so a threshold between them is an estimate.
SAMPLES = "{{schema:0 count:0 sum:0 buckets:[0 0]}}+{{schema:0 count:%d sum:600 offset:-1 buckets:[%d %d]}}x100"


@pytest.mark.parametrize(("threshold", "ratio"), [(0.5, 0.25), (0.75, None), (1, 0), (0.01, 1)])
def test_a_native_histogram_is_asked_for_any_threshold(tmp_path, threshold, ratio):
    slo = replace(NATIVE, sli=replace(NATIVE.sli, threshold_seconds=threshold))
    native = [{"series": "h", "values": SAMPLES % (600, 450, 150)}]
    (tmp_path / "rules.yml").write_text(rules.rule_file(slo), "utf-8")
    query = "slo:errors_per_request:ratio_rate5m"
    within_bounds = f"({query} > bool 0) * ({query} < bool 0.25)" if ratio is None else f"abs({query} - {ratio}) < bool 1e-9"
    asked = {"expr": f"sum({within_bounds})", "eval_time": "30m", "exp_samples": [{"labels": "{}", "value": 1}]}
    body = {"rule_files": ["rules.yml"], "evaluation_interval": "1m", "tests": [{"interval": "1m", "input_series": native}]}
    body["tests"][0]["promql_expr_test"] = [asked]
    (tmp_path / "test.yml").write_text(yaml.safe_dump(body), "utf-8")
    said = promtool(tmp_path, "test", "rules", "test.yml")
    assert said.returncode == 0, said.stdout + said.stderr


def test_slow_answers_in_a_native_histogram_page(tmp_path):
    calm = SAMPLES % (600, 600, 0)
    slo = replace(NATIVE, sli=replace(NATIVE.sli, threshold_seconds=0.5))
    hold(tmp_path, slo, {"h": SAMPLES % (600, 450, 150)}, ("60m", "page", True))
    hold(tmp_path, slo, {"h": calm}, ("60m", "page", False))


def test_no_traffic_pages_nobody(tmp_path):
    hold(tmp_path, ORDERS, {"all_total": "5000x120", "bad_total": "7x120"}, ("100m", "page", False))


def test_a_slow_burn_is_a_ticket_and_no_page(tmp_path):
    slow = {"all_total": "0+10000x1500", "bad_total": "0+40x1500"}  # 0.4 %: four times what is allowed
    hold(tmp_path, ORDERS, slow, ("1500m", "ticket", True), ("1500m", "page", False))


def test_an_alert_that_no_outage_can_reach_is_not_written():
    assert set(alerts(ours(replace(ORDERS, objective="0.9")))) == {"page", "ticket"}
    assert "14.4" not in alerts(ours(replace(ORDERS, objective="0.9")))["page"]
    assert alerts(ours(replace(ORDERS, objective="1"))) == alerts(ours(replace(ORDERS, objective="0"))) == {}


@pytest.mark.parametrize(
    ("objective", "words"),
    [("1", "1 leaves no budget"), ("0", "0 allows everything"), ("0.9", "0.9 allows so much that no outage burns fast enough")],
)
def test_a_rule_file_without_alerts_says_why(tmp_path, objective, words):
    silent = replace(ORDERS, name="silent", objective=objective)
    fast = policy("30d", [("page", "1h", "5m", "0.02")], "one row")  # 14.4, and 0.9 burns at 10 at most
    for text in (rules.rule_file(silent, policy=fast), rules.rule_file(ORDERS, silent, policy=fast)):
        first, *rest = text.splitlines()
        assert first.startswith(f"# No alerts for {silent.service} silent: an objective of {words}") and rest[0] == "groups:"
        (tmp_path / "rules.yml").write_text(text, "utf-8")
        assert promtool(tmp_path, "check", "rules", "rules.yml").returncode == 0
    assert "#" not in rules.rule_file(ORDERS)


def test_windows_of_another_period_are_refused():
    with pytest.raises(LabProblem, match="28d"):
        rules.rules(ORDERS, SLOTH_28D)


def test_a_calendar_month_alerts_as_thirty_days():
    assert rules.rules(replace(ORDERS, window=Calendar("month"))) == rules.rules(ORDERS)


@pytest.mark.parametrize("slo", SPECS, ids=[slo.id for slo in SPECS])
def test_a_specification_survives_sloths_yaml_and_openslos(slo):
    [back] = formats.from_sloth(formats.to_sloth([slo]), window="28d" if slo.window == Rolling("28d") else "30d")
    again = formats.from_openslo(formats.to_openslo(slo))
    for one in (back, again):
        assert (one.service, one.name, one.objective, one.window) == (slo.service, slo.name, slo.objective, slo.window)
    assert rules.as_bad_and_total(back)[1].strip("()") == rules.as_bad_and_total(slo)[1].strip("()")


@pytest.mark.parametrize("severities", [("page",), ("ticket",), ()], ids=" ".join)
def test_alerts_that_are_switched_off_stay_off_in_the_rules_and_in_sloths(tmp_path, severities):
    slo = replace(ORDERS, severities=severities)
    assert set(alerts(ours(slo))) == set(alerts(sloths(slo, tmp_path))) == set(severities)
    assert formats.from_sloth(formats.to_sloth([slo]))[0].severities == severities
    assert ("severities name none" in rules.rule_file(slo)) == (not severities)


def test_no_failure_yet_is_no_failure_after_a_way_through_openslo_too(tmp_path):
    course = (REPO / "course/m08_slo/files/gateway.openslo.yaml").read_text("utf-8")
    series = {"all_total": "0+60x180", 'http_requests_total{job="gateway",code="200"}': "0+60x180"}
    for slo in (formats.from_openslo(formats.to_openslo(ORDERS)), formats.from_openslo(course)):
        hold(tmp_path, slo, series, ("2h", "page", False))
        failing = {**series, "bad_total": "0+9x180", 'http_requests_total{job="gateway",code="500"}': "0+9x180"}
        hold(tmp_path, slo, failing, ("2h", "page", True))


def test_every_series_that_a_rule_reads_is_recorded_by_another_whatever_the_windows():
    own = policy("1d", (("page", "1h", "10m", "0.1"),), "ours")
    for slo, chosen in [(one, None) for one in SPECS] + [(replace(ORDERS, window=Rolling("1d")), own)]:
        made = [rule for group in rules.rules(slo, chosen)["groups"] for rule in group["rules"]]
        asked = {name for rule in made for name in re.findall(r"slo:[a-z_]+:[a-z0-9_]+", rule["expr"])}
        assert asked and asked <= {rule.get("record") for rule in made}


def test_sloth_reads_what_we_write_as_openslo(tmp_path):
    (tmp_path / "openslo.yaml").write_text(formats.to_openslo(ORDERS), "utf-8")
    said = subprocess.run(
        [*program("sloth", "sloth"), "validate", "-i", "openslo.yaml"], cwd=tmp_path, capture_output=True, check=False
    )
    assert said.returncode == 0, said.stdout + said.stderr


SLOTH_TEXT = formats.to_sloth([ORDERS])
MISTAKES = [
    (lambda: formats.from_sloth(SLOTH_TEXT.replace("99.9", "0.999")), "write 99.9"),
    (lambda: formats.from_sloth(SLOTH_TEXT.replace("objective:", "objektive:")), "Did you mean objective"),
    (lambda: formats.from_sloth(SLOTH_TEXT.replace("prometheus/v1", "prometheus/v9")), "prometheus/v1 is read"),
    (lambda: formats.from_sloth(SLOTH_TEXT.replace("events:", "raw:")), "counts no events"),
    (lambda: formats.from_sloth("a: [b"), "no YAML"),
    (lambda: formats.from_sloth("x" * 300_000), "Split it"),
    (lambda: formats.from_openslo(formats.to_openslo(ORDERS).replace("Occurrences", "Timeslices")), "time slices"),
    (lambda: formats.from_openslo(formats.to_openslo(ORDERS).replace("0.999", "99.9")), "write 0.999"),
    (lambda: formats.from_openslo(formats.to_openslo(ORDERS).replace("unit: Day", "unit: Month")), "Day or Week"),
    (lambda: formats.to_sloth([ORDERS, replace(ORDERS, service="other")]), "a file for each"),
]


@pytest.mark.parametrize(("attempt", "words"), MISTAKES, ids=[words for _attempt, words in MISTAKES])
def test_a_mistake_in_a_specification_is_named(attempt, words):
    with pytest.raises(LabProblem, match=words):
        attempt()


def test_a_query_with_its_own_window_is_kept():
    slo = replace(ORDERS, sli=Events(total="sum(increase(a[{{.window}}]))", bad="sum(increase(b[{{.window}}]))"))
    assert "sum(increase(b[1h]))" in ours(slo)[2]["expr"]
