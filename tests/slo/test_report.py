"""The month's report, the policy and the gate."""

import http.server
import subprocess
import sys
import threading
from dataclasses import replace
from datetime import UTC, date, datetime
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from june import archive
from waits import in_time

from monlab.cli import main
from monlab.problem import LabProblem
from monlab.settings import child_environment, settings
from monlab.slo import backtest, policy, printing, report
from monlab.slo.records import from_mapping

sys.path.insert(0, str(settings().repo / "benchmarks"))
ORDERS = {
    "service": "gateway",
    "name": "orders",
    "objective": 0.999,
    "total": 'http_requests_total{job="gateway",route="/orders"}',
}
ORDERS["bad"] = 'http_requests_total{job="gateway",route="/orders",code=~"5.."}'
SLO = from_mapping(ORDERS)
INDEX = pd.date_range("2026-06-01", periods=43_200, freq="min", tz="UTC")
OUTAGE = report.Incident("outage", datetime(2026, 6, 15, 9, 30, tzinfo=UTC), datetime(2026, 6, 15, 10, 15, tzinfo=UTC))


def counted(traffic=100.0, outage=1.0, background=0.0):
    total = pd.Series(traffic, index=INDEX)
    bad = total * background
    bad.loc[(OUTAGE.start < INDEX) & (OUTAGE.end >= INDEX)] = traffic * outage
    return backtest.Events(bad, total)


def line(events):
    [found] = report.month([(SLO, events)], [OUTAGE])
    return found


def test_the_report_says_who_spent_the_budget():
    found = line(counted(background=0.0005))
    assert found.spenders["outage"] == pytest.approx(45 / 43.2)
    assert found.spenders["everything else"] == pytest.approx(0.5 * (43_200 - 45) / 43_200)
    assert sum(found.spenders.values()) == pytest.approx(1 - found.left) and not found.kept
    assert "went on the outage (104 %)" in found.advice


def test_incidents_of_one_name_are_one_spender():
    second = report.Incident("outage", OUTAGE.end, datetime(2026, 6, 15, 11, tzinfo=UTC))
    for name in ("outage", report.REST):
        [found] = report.month([(SLO, counted(background=0.0005))], [replace(OUTAGE, name=name), replace(second, name=name)])
        assert sum(found.spenders.values()) == pytest.approx(1 - found.left)
        assert found.spenders[name] == pytest.approx(45 / 43.2 + 0.5 * (45 if name == "outage" else 43_200 - 45) / 43_200)


def test_a_week_that_ends_at_midnight_is_named_by_the_day_before():
    index = pd.date_range("2026-06-01", "2026-07-01", freq="min", tz="UTC")
    total = pd.Series(100.0, index=index)
    found = line(backtest.Events(total * 0, total))
    assert list(found.weeks)[-1] == "week to 30 Jun" and list(found.days)[-1] == "30 Jun"


def test_days_and_weeks_hold_every_minute_once():
    found = line(counted())
    assert len(found.days) == 30 and list(found.weeks) == [
        f"week to {day}" for day in ("07 Jun", "14 Jun", "21 Jun", "28 Jun", "30 Jun")
    ]
    assert found.days["15 Jun"] == pytest.approx(1 - 45 / 1440) and found.days["16 Jun"] == 1
    assert found.weeks["week to 21 Jun"] == pytest.approx(1 - 45 / 10_080)


def test_a_month_without_traffic_is_no_data_and_not_kept():
    found = line(counted(traffic=0.0, outage=0.0))
    assert found.availability is None and not found.kept and "No data" in found.advice
    assert "no data" in printing.html([found], [OUTAGE], "June")


def test_the_page_and_the_pdf_hold_the_report(tmp_path):
    lines = report.month([(SLO, counted()), (from_mapping({**ORDERS, "name": "<b>"}), counted())], [OUTAGE])
    page = printing.html(lines, [OUTAGE], "June 2026")
    assert page.count("<svg") == 2 and "gateway-orders" in page and "<b>" not in page and "&lt;b&gt;" in page
    printing.pdf(lines, [OUTAGE], "June 2026", tmp_path / "june.pdf")
    written = (tmp_path / "june.pdf").read_bytes()
    assert written.startswith(b"%PDF") and b"/Count 2" in written
    assert report.review(lines).count("gateway-") == 2


def test_a_month_that_is_not_over_gets_a_forecast():
    half = backtest.Events(*(pd.Series(each, index=INDEX[:21_600]) for each in (0.5, 1000.0)))
    [calm] = report.month([(SLO, half)], [], ends=datetime(2026, 7, 1, tzinfo=UTC))
    assert calm.forecast == "At this speed 50 % of the budget will be spent on 01 July."
    burning = backtest.Events(*(pd.Series(each, index=INDEX[:10_800]) for each in (3.0, 1000.0)))
    [hot] = report.month([(SLO, burning)], [], ends=datetime(2026, 7, 1, tzinfo=UTC))
    assert "is empty on 10 June at 2" in hot.forecast or "is empty on 11 June at 00:00" in hot.forecast
    assert hot.forecast in printing.html([hot], [], "June")


def test_what_nobody_knows_is_not_blamed_on_an_incident():
    assert "no known incident" in line(counted(outage=0.0, background=0.005)).advice


def agreed(**changes):
    return policy.agreement({"slos": [ORDERS], **changes})


@pytest.mark.parametrize(
    ("spent", "level", "allowed"),
    [
        (0, "normal", {"feature", "fix", "reliability", "security"}),
        (0.49, "normal", {"feature", "fix", "reliability", "security"}),
        (0.5, "careful", {"feature", "fix", "reliability", "security"}),
        (0.8, "slow", {"fix", "reliability", "security"}),
        (1, "stop", {"reliability", "security"}),
        (7, "stop", {"reliability", "security"}),
        (None, "unknown", {"reliability", "security"}),
    ],
)
def test_what_is_left_decides_what_may_be_released(spent, level, allowed):
    ratio = None if spent is None else spent / 1000
    found = {change: policy.decide(SLO, ratio, agreed(), change, date(2026, 7, 1)) for change in policy.CHANGES}
    assert {one.level for one in found.values()} == {level}
    assert {change for change, one in found.items() if one.open} == allowed


@pytest.mark.parametrize("ratio", [0.0015, np.float32(0.0015), np.float64(0.0015), Fraction(15, 10_000)], ids=repr)
def test_half_a_month_is_judged_alike_whatever_kind_of_number_the_ratio_is(ratio):
    agreement = agreed(slos=[{**ORDERS, "window": "calendar month"}])
    [found] = policy.gate({"gateway-orders": ratio}, agreement, now=datetime(2026, 6, 16, tzinfo=UTC))
    assert found.open and found.left == pytest.approx(0.25, abs=1e-6)


def test_a_ratio_just_above_one_is_one():
    agreement = agreed(slos=[{**ORDERS, "window": "calendar month"}])
    early = datetime(2026, 6, 1, 0, 10, tzinfo=UTC)
    one, more = (policy.gate({"gateway-orders": ratio}, agreement, now=early) for ratio in (1.0, 1 + 2e-16))
    assert one == more


def test_an_exception_opens_the_gate_until_its_last_day_and_not_after():
    allowed = agreed(exceptions=[{"slo": "gateway-orders", "until": date(2026, 7, 2), "by": "Ada", "why": "a contract"}])
    on, after = (policy.decide(SLO, 0.01, allowed, "feature", date(2026, 7, day)) for day in (2, 3))
    assert on.open and "Ada allowed it" in on.reason
    assert not after.open and "ended on 2026-07-02" in after.reason


MISTAKES = [
    ({"slos": []}, "always open"),
    ({"slo": []}, "Did you mean slos"),
    ({"slos": [ORDERS], "levels": [{"name": "a", "above": 0.5, "allows": []}]}, "the last has none"),
    ({"slos": [ORDERS], "levels": [{"name": "a", "allows": ["featur"]}]}, "no kind of change"),
    ({"slos": [ORDERS], "levels": [{"name": "a", "above": 50}, {"name": "b"}]}, "write 0.5"),
    ({"slos": [ORDERS], "exceptions": [{"slo": "gateway-orders", "by": "a", "why": "b"}]}, "Every exception ends"),
    ({"slos": [ORDERS], "exceptions": [{"slo": "gateway-orders", "until": date(2026, 7, 2)}]}, "who allowed it"),
    ({"slos": [ORDERS], "exceptions": [{"slo": "x", "until": date(2026, 7, 2), "by": "a", "why": "b"}]}, "none of the file's"),
]


@pytest.mark.parametrize(("body", "words"), MISTAKES, ids=[words for _body, words in MISTAKES])
def test_a_mistake_in_a_policy_is_named(body, words):
    with pytest.raises(LabProblem, match=words):
        policy.agreement(body)


@pytest.fixture(scope="module")
def june_url(tmp_path_factory):
    with archive(tmp_path_factory.mktemp("gate") / "raw") as url:
        yield url


def gate(tmp_path: Path, url: str, body: dict, *words: str) -> subprocess.CompletedProcess:
    (tmp_path / "gate.yaml").write_text(yaml.safe_dump(body), "utf-8")
    command = [sys.executable, "-m", "monlab", "gate", tmp_path / "gate.yaml", "--url", url, *words]
    environment = child_environment(XDG_STATE_HOME=str(tmp_path / "state"))
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


@pytest.mark.parametrize(
    ("at", "change", "code", "words"),
    [
        ("2026-06-14T23:59", "feature", 0, "level normal"),
        ("2026-06-15T12:00", "feature", 1, "A feature must wait"),
        ("2026-06-15T12:00", "security", 0, "level stop"),
        ("2026-06-14T22:59+02:00", "feature", 0, "level normal"),
        ("2026-06-15T11:15+02:00", "feature", 0, "level normal"),  # 09:15 in UTC: the outage is still to come
        ("2026-05-01T00:00", "feature", 1, "missing data is not 100 %"),
        ("yesterday", "feature", 1, "is no moment"),
    ],
)
def test_the_gate_answers_by_its_exit_code_and_says_why(tmp_path, june_url, at, change, code, words):
    said = gate(tmp_path, june_url, {"slos": [ORDERS]}, "--at", at, "--change", change)
    assert (said.returncode, words in said.stdout) == (code, True), said.stdout + said.stderr


MONTHLY = yaml.safe_dump({"slos": [{**ORDERS, "window": "calendar month"}]}).encode()


@pytest.mark.parametrize(
    ("spec", "words", "said"),
    [
        (b"slos: \xff", ["--url", "http://127.0.0.1:1"], "is no text in UTF-8. Save it as one"),
        (None, ["--url", "http://["], "is no address"),
        (None, ["--url", "127.0.0.1:1"], "is no address"),
        (None, ["--url", "ftp://127.0.0.1"], "is no address"),
        (None, ["--url", "http://127.0.0.1:1", "--at", "0001-01-01"], "is no moment"),
        (MONTHLY, ["--url", "http://127.0.0.1:1", "--at", "9999-12-31"], "The month of 9999-12-31 ends after the year 9999"),
        (None, ["--url", "http://127.0.0.1:1"], "does not answer at http://127.0.0.1:1. Is the address right"),
    ],
)
def test_a_gate_that_cannot_ask_says_why_and_is_closed(tmp_path, capsys, spec, words, said):
    (tmp_path / "gate.yaml").write_bytes(spec or yaml.safe_dump({"slos": [ORDERS]}).encode())
    assert main(["gate", str(tmp_path / "gate.yaml"), *words]) == 1
    told = " ".join(capsys.readouterr().out.split())
    assert said in told and "stack.up" not in told, told


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"bad": 'http_request_total{job="gateway"}'}, "No event counted as bad, since sum(rate(http_request_total"),
        ({"bad": None, "good": 'http_requests_total{status="200"}'}, "No event counted as good, since sum(rate("),
        (
            {"bad": None, "total": None, "histogram": "http_request_duration_seconds", "threshold_seconds": 0.31},
            'No event counted as good, since sum(rate(http_request_duration_seconds_bucket{le="0.31"}',
        ),
        (
            {"total": "sum by (route) (rate(http_requests_total[{{.window}}]))", "bad": "sum by (route) (rate(x[{{.window}}]))"},
            "answers, and an objective is judged by one",
        ),
        ({"bad": "http_requests_total"}, "let both select the same requests"),
        (
            {"bad": 'clamp_min(sum by (code) (rate(http_requests_total{code=~"5.."}[{{.window}}])), 0)'},
            "series of `bad` find none of `total` with the same labels",
        ),
    ],
)
def test_the_gate_names_what_was_not_measured(tmp_path, june_url, changes, words):
    slo = {key: value for key, value in {**ORDERS, **changes}.items() if value is not None}
    said = gate(tmp_path, june_url, {"slos": [slo]}, "--at", "2026-06-14T23:59")
    assert words in said.stdout and "There is no data" not in said.stdout, said.stdout + said.stderr


@pytest.mark.parametrize("body", [b"[]", b"null", b"1", b'{"status":"success"}', b'{"status":"success","data":null}'])
def test_a_server_that_is_no_prometheus_is_said_to_be_none(tmp_path, capsys, body):
    class Other(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_words: object) -> None:
            return

    (tmp_path / "gate.yaml").write_text(yaml.safe_dump({"slos": [ORDERS]}), "utf-8")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Other) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        assert main(["gate", str(tmp_path / "gate.yaml"), "--url", f"http://127.0.0.1:{server.server_port}"]) == 1
        server.shutdown()
    assert "answered as Prometheus does not" in capsys.readouterr().out


def test_what_prometheus_notes_can_be_read_in_a_terminal(tmp_path, june_url):
    total = "sum(rate(process_resident_memory_bytes[{{.window}}]))"
    said = gate(tmp_path, june_url, {"slos": [{**ORDERS, "total": total}]}, "--at", "2026-06-14T23:59")
    assert "metric might not be a counter" in said.stdout and "object" not in said.stdout, said.stdout


@pytest.mark.parametrize(("at", "said"), [("2026-06-14T23:59", True), ("2026-06-30T23:59", False)])
def test_a_window_that_starts_before_the_history_is_said(tmp_path, june_url, at, said):
    told = gate(tmp_path, june_url, {"slos": [{**ORDERS, "window": "30d"}]}, "--at", at).stdout
    assert ("holds nothing of it from 2026-05-15 23:59, where the window starts" in told) is said, told


def test_the_gate_does_not_ask_after_a_name_that_is_right(tmp_path, june_url):
    assert "finds no series" not in gate(tmp_path, june_url, {"slos": [ORDERS]}, "--at", "2026-06-14T23:59").stdout


@pytest.mark.alone("measures time")
def test_the_benchmark_stays_within_its_limits():
    import slo as benchmark

    found = benchmark.measured()
    assert in_time(found["report"], benchmark.REPORT_SECONDS)
    assert in_time(found["backtest"], benchmark.BACKTEST_SECONDS)


def test_a_counter_that_starts_again_counts_from_zero():
    counter = pd.DataFrame({"a": [5.0, 8, 2, np.nan, 6]}, index=INDEX[:5])
    assert backtest.per_minute(counter).tolist() == [0, 3, 2, 0, 4]
