"""The values of the archived month: always the same, within their limits, and made of what the contract names."""

import json
import os
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest
import yaml
from uv import find_uv_bin

from monlab.archive import month
from monlab.archive.records import STALE
from monlab.settings import settings

CONTRACT = yaml.safe_load((settings().repo / "stack" / "telemetry.yaml").read_text("utf-8"))
FINGERPRINT = {
    "samples": "4b317b023968c27770659807a7cd9abfaceb4e4268a4490a0ae216e29de6cd3a",
    "lines": "45474a0b86bc084d557de89408d139c246bd38f46c137bab3fbc8668fa1ade76",
    "spans": "b915abeae2d7be0051a332a02810d3223bfd4d066f3022c7fb75c5199378ae33",
}
PRINT = "import json; from monlab.archive.generate import fingerprint, month; print(json.dumps(fingerprint(month())))"
SHOP = set(month.INSTANCES)
TARGET = {"job", "instance", "service", "__name__"}


def fingerprint_of(python: str, **environment: str) -> dict[str, str]:
    path = str(settings().repo / "src")
    done = subprocess.run(
        [python, "-c", PRINT], env={**os.environ, "PYTHONPATH": path, **environment}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.slow("takes more than ten seconds without any server")
def test_the_month_has_the_same_values_without_the_processors_special_instructions():
    wanted = np.__config__.CONFIG["SIMD Extensions"]["found"]
    assert wanted, "this processor has instructions to be disabled"
    assert fingerprint_of(sys.executable, NPY_DISABLE_CPU_FEATURES=" ".join(wanted)) == FINGERPRINT


@pytest.mark.slow("takes more than ten seconds without any server")
def test_the_month_has_the_same_values_on_an_older_numpy(tmp_path):
    older = "2.0.2" if np.__version__ != "2.0.2" else "2.2.6"
    python = tmp_path / "bin" / "python"
    uv = find_uv_bin()
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, str(tmp_path)], check=True)
    wanted = [f"numpy=={older}", "pyyaml", "platformdirs"]
    got = subprocess.run([uv, "pip", "install", "--quiet", "--python", str(python), *wanted], capture_output=True, text=True)
    if got.returncode:
        pytest.skip(f"numpy {older} cannot be had here: {got.stderr[-200:]}")
    assert fingerprint_of(str(python)) == FINGERPRINT


def test_the_month_is_small_enough_to_be_built_in_a_minute(june):
    traces = list(june.traces())
    assert len(june.series) <= 800
    assert sum(len(stream.lines) for stream in june.streams) <= 300_000
    assert 10_000 <= len(traces) <= 20_000
    assert len({trace.trace_id for trace in traces}) == len(traces)
    assert len(june.exemplars) >= 1_000


def base(name: str) -> str:
    for suffix in ("_bucket", "_count", "_sum"):
        if name.removesuffix(suffix) in CONTRACT["metrics"]:
            return name.removesuffix(suffix)
    return name


def test_every_series_of_the_shop_is_named_and_labelled_as_the_contract_says(june):
    seen = set()
    for series in june.series:
        labels = dict(series.labels)
        if labels["job"] not in SHOP or labels["__name__"] == "up":
            continue
        name = base(labels["__name__"])
        assert labels["service"] == labels["job"] and labels["instance"] in month.INSTANCES[labels["job"]]
        if any(name.startswith(prefix) for prefix in CONTRACT["runtime_metrics"][labels["job"]]):
            assert set(labels) == TARGET
            continue
        metric = CONTRACT["metrics"][name]  # KeyError: not in the contract
        seen.add(name)
        assert metric["services"] == "all" or labels["job"] in metric["services"], labels
        assert set(labels) - TARGET - {"le"} == set(metric["labels"]), labels
        assert ("le" in labels) == (labels["__name__"].endswith("_bucket")), labels
        for key, values in metric.get("values", {}).items():
            assert labels[key] in values, labels
        if "route" in labels:
            assert f"{labels['method']} {labels['route']}" in CONTRACT["routes"][labels["job"]], labels
        if "le" in labels and labels["le"] != "+Inf":
            assert float(labels["le"]) in [float(bound) for bound in metric["buckets"]], labels
    left_out = {"shop_requests_by_client_total", "upstream_request_duration_seconds"}  # to stay below 800 series
    assert seen == set(CONTRACT["metrics"]) - left_out


def test_every_line_holds_the_fields_and_messages_of_the_contract(june):
    logs = CONTRACT["logs"]
    known = {*logs["always"], *logs["request"], *logs["fields"]}
    for stream in june.streams:
        service = stream.labels["service"]
        messages = {*logs["messages"]["all"], *logs["messages"][service]}
        assert (np.diff(stream.times_ns) >= 0).all()
        for text in stream.lines:
            line = json.loads(text)
            assert set(logs["always"]) <= set(line) <= known, text
            assert line["message"] in messages and line["service"] == service and line["level"] == stream.labels["level"], text
            if line["message"] == "request":
                assert set(logs["request"]) | {"method", "route", "status", "duration_ms"} <= set(line), text
                assert ("error" in line) == (line["status"] >= 400), text


def test_every_span_is_one_of_the_contract_with_its_attributes(june):
    spans = CONTRACT["spans"]
    for trace in june.traces():
        ids = {span.span_id for span in trace.spans}
        assert len(ids) == len(trace.spans) and sum(not span.parent_id for span in trace.spans) == 1
        for span in trace.spans:
            assert not span.parent_id or span.parent_id in ids
            assert span.end_ns >= span.start_ns
            have = set(span.attributes)
            if span.kind == "server":
                assert span.name in CONTRACT["routes"][span.service], span
                assert have == set(spans["server"]["attributes"]), span
            elif "db.system.name" in have:
                kind = "sql" if span.attributes["db.system.name"] == "postgresql" else "cache"
                assert have == set(spans["named"][kind]["attributes"]), span
            elif span.kind == "client":
                assert set(spans["client"]["attributes"]) - have <= {"http.response.status_code"}, span
                assert have - set(spans["client"]["attributes"]) <= {"http.request.resend_count"}, span
            else:
                one = spans["named"][span.name]
                assert (span.service, span.kind, have) == (one["service"], one["kind"], set(one["attributes"])), span


def test_a_child_begins_after_its_parent_and_calls_end_within_it(june):
    for trace in june.traces():
        by_id = {span.span_id: span for span in trace.spans}
        for span in trace.spans:
            parent = by_id.get(span.parent_id)
            if parent is None:
                continue
            assert span.start_ns >= parent.start_ns, (span, parent)
            late = parent.error == "no answer within 3 s" or span.name == "confirm_order"  # goes on after its caller has left
            assert late or span.end_ns <= parent.end_ns, (span, parent)


def values(june, name: str, **labels: str) -> list[np.ndarray]:
    wanted = {"__name__": name, **labels}
    return [one.values for one in june.series if wanted.items() <= one.labels.items()]


def stale(one: np.ndarray) -> np.ndarray:
    return one.view(np.uint64) == np.float64(STALE).view(np.uint64)


def test_the_traps_that_tell_right_queries_from_wrong_ones_are_there(june):
    counted = [one[~np.isnan(one)] for one in values(june, "http_requests_total", job="gateway", code="201")]
    resets = [(np.diff(one) < 0).sum() for one in counted]
    assert min(resets) >= 5, "the leak restarts the gateway"
    missing = values(june, "up", instance="frontend-1:8080")[0]
    assert np.isnan(missing).sum() == 1 and not stale(missing).any(), "a scrape that was never made"
    third = values(june, "http_requests_total", instance="frontend-3:8080", route="/")[0]
    assert 170 < (~np.isnan(third)).sum() < 190 and stale(third).sum() == 1, "an instance that comes and goes"
    jobs = {one.labels["job"] for one in june.series if one.labels["__name__"] == "http_requests_total"}
    assert jobs == SHOP, "one name in four jobs"
    before, after = values(june, "redis_up")
    assert stale(before).sum() == 1 or stale(after).sum() == 1, "a label that appears half way"
    bounds = {one.labels["le"] for one in june.series if "le" in one.labels}
    assert {"1.0", "5.0", "+Inf"} <= bounds and "1" not in bounds
    born_late = values(june, "http_requests_total", job="inventory", code="503", route="/products")
    outage = month.INCIDENTS["database outage"]
    assert {int(np.flatnonzero(~np.isnan(one))[0]) - outage.start for one in born_late} == {1}, "born in the outage"
    others = values(june, "http_requests_total", job="payments", code="500")
    assert all(one[0] == 0 for one in others), "elsewhere errors begin at 0"
    backup = values(june, "backup_last_success_timestamp_seconds")[0]
    assert np.diff(np.unique(backup)).max() > 3 * 86_400, "a job that is silent"


def test_every_incident_is_told_in_order_and_two_hours_apart():
    incidents = sorted(month.INCIDENTS.values(), key=lambda one: one.start)
    assert len(incidents) >= 8
    assert month.INCIDENTS["database outage"].minutes == 45 and month.INCIDENTS["slow database"].minutes == 120
    assert {one.service for one in incidents} == {"frontend", "gateway", "payments", "inventory"}


def rise(june, name: str, begin: int, end: int, **labels: str) -> float:
    """How much counters grew between two samples, where no process restarted in between."""
    found = 0.0
    for one in values(june, name, **labels):
        part = np.nan_to_num(one[begin : end + 1])
        assert (np.diff(part) >= 0).all(), "a restart lies in between"
        found += part[-1] - part[0]
    return found


def lines(june, service: str, begin: int, end: int, **fields) -> int:
    low, high = (1_000_000 * (month.START_MS + 60_000 * edge) for edge in (begin, end))
    count = 0
    for stream in june.streams:
        if stream.labels["service"] == service:
            first, last = np.searchsorted(stream.times_ns, [low, high], "right")
            count += sum(fields.items() <= json.loads(text).items() for text in stream.lines[first:last])
    return count


@pytest.mark.parametrize("day", [15, 18, 25, 29])
def test_lines_and_counters_of_a_day_count_the_same(june, day):
    begin, end = month.minute(day, "00:00"), month.minute(day, "23:00")
    count = lambda service, **fields: lines(june, service, begin, end, **fields)  # noqa: E731
    grew = lambda name, **labels: rise(june, name, begin, end, **labels)  # noqa: E731
    assert count("payments", message="payment declined") == grew("payments_total", result="declined") > 100
    for result, error in (("declined", "card_declined"), ("out_of_stock", "out_of_stock")):
        assert count("frontend", message="order not placed", error=error) == grew("shop_orders_total", result=result)
    for service in SHOP:
        for code in (402, 409, 500, 502, 503, 504):
            counted = grew("http_requests_total", job=service, code=str(code))
            assert count(service, message="request", status=code) == counted, (service, code)
    assert count("inventory", message="confirmation failed") == grew("inventory_outbox_failures_total")
    failed = count("frontend", message="order not placed", level="error")
    assert failed == grew("shop_orders_total", result="failed")


def test_the_mix_of_customers_is_the_one_of_the_script(june):
    total = {
        route: sum(np.nanmax(one) for one in values(june, "http_requests_total", job="frontend", route=route))
        for route in ("/", "/api/products")
    }
    assert 1.9 < total["/"] / total["/api/products"] < 2.1


@pytest.mark.slow("takes more than ten seconds without any server")
def test_each_example_leads_to_a_trace_and_to_lines(june):
    traces = {trace.trace_id: trace for trace in june.traces()}
    told = Counter(json.loads(text)["trace_id"] for stream in june.streams for text in stream.lines if '"trace_id"' in text)
    for one in june.exemplars:
        assert told[one.trace_id], one
        spans = [span for span in traces[one.trace_id].spans if span.instance == one.labels["instance"]]
        assert any(span.end_ns // 1_000_000 == one.time_ms for span in spans), one
