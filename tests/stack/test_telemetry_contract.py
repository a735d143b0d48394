"""The running shop against stack/telemetry.yaml, both ways: nothing missing, nothing extra."""

import json
import re

import pytest
import requests
import yaml
from clones import REPO
from shops import OPENMETRICS, SERVICES
from waits import until

CONTRACT = yaml.safe_load((REPO / "stack" / "telemetry.yaml").read_text("utf-8"))
SUFFIXES = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_count", "_sum")}


@pytest.fixture(scope="module")
def used(whole_shop):
    """The shop after every kind of request: each route, refusals, a compensated order, a cache and a database that fail."""
    shop = whole_shop
    shop.mend()
    order_id = shop.placed().json()["order_id"]
    for path in ("/", "/api/products", f"/api/orders/{order_id}", "/api/orders/nothing", "/nothing"):
        requests.get(shop.urls["frontend"] + path, timeout=10)
    shop.order(simulate="slow")
    shop.order(simulate="decline")
    shop.order(quantity=0)
    shop.order("NOPE-1")
    shop.fault("inventory", "cache_down", lasting=2)
    shop.order()
    shop.fault("inventory", "errors", lasting=2)
    shop.order()
    shop.mend()
    until(lambda: shop.state(order_id)["state"] == "confirmed")
    return shop


def of(service):
    """The metrics of the contract that a service exports."""
    return {name: one for name, one in CONTRACT["metrics"].items() if one["services"] == "all" or service in one["services"]}


def family_name(name, kind):
    return name.removesuffix("_total") if kind == "counter" else name


@pytest.mark.parametrize("service", SERVICES)
def test_every_metric_of_the_contract_is_there_as_it_says_and_no_other(used, service):
    families = used.families(service)
    wanted = {family_name(name, one["type"]): (name, one) for name, one in of(service).items()}
    runtime = tuple(CONTRACT["runtime_metrics"][service])
    extra = [name for name in families if name not in wanted and not name.startswith(runtime)]
    assert not extra, f"not in the contract: {extra}"
    for family, (name, one) in wanted.items():
        assert family in families, f"{name} is missing"
        found = families[family]
        assert found.type == one["type"], name
        assert found.documentation == one["help"], name
        assert found.samples, f"{name} has no series"
        for sample in found.samples:
            assert sample.name in {family + suffix for suffix in SUFFIXES[one["type"]]}, sample.name
            assert set(sample.labels) - {"le"} == set(one["labels"]), f"{sample.name}{sample.labels}"
            for label, values in (one.get("values") or {}).items():
                assert sample.labels[label] in values, f"{sample.name}{sample.labels}"
        if one["type"] == "histogram":
            bounds = {float(s.labels["le"]) for s in found.samples if s.name.endswith("_bucket")}
            assert bounds == {*map(float, one["buckets"]), float("inf")}, name


@pytest.mark.parametrize("service", SERVICES)
def test_every_value_a_label_may_have_is_there_from_the_start(used, service):
    families = used.families(service)
    for name, one in of(service).items():
        for label, values in (one.get("values") or {}).items():
            seen = {sample.labels[label] for sample in families[family_name(name, one["type"])].samples}
            assert seen == set(values) or label == "upstream", f"{name}: {label} is {seen}"


@pytest.mark.parametrize("service", SERVICES)
def test_routes_are_those_of_the_contract(used, service):
    found = {(s.labels["method"], s.labels["route"]) for s in used.families(service)["http_requests"].samples}
    found = {f"{method} {route}" for method, route in found if route != "unmatched"}
    assert found == set(CONTRACT["routes"][service])


@pytest.mark.parametrize("service", SERVICES)
def test_exemplars_name_a_trace_that_exists(used, service):
    page = requests.get(f"{used.urls[service]}/metrics", headers=OPENMETRICS, timeout=10)
    assert page.headers["Content-Type"].startswith("application/openmetrics-text")
    for name in ("http_requests_total{", "http_request_duration_seconds_bucket{"):
        lines = [line for line in page.text.splitlines() if line.startswith(name) and " # {" in line]
        traces = {re.search(r'trace_id="([0-9a-f]{32})"', line)[1] for line in lines}
        assert traces, name
        trace = sorted(traces)[0]
        assert until(lambda trace=trace: used.spans(trace), what="the exemplar's trace is in Jaeger")


def test_native_histograms_are_there_where_the_contract_says(used):
    query = f"{used.urls['prometheus']}/api/v1/query"
    for name, one in CONTRACT["metrics"].items():
        for service in one.get("native", ()):
            found = until(
                lambda name=name, service=service: requests.get(
                    query, params={"query": f'histogram_count({name}{{service="{service}"}})'}, timeout=10
                ).json()["data"]["result"],
                what=f"{name} is native",
            )
            assert found


def test_plain_text_is_served_to_who_does_not_ask_for_more(used):
    for service in SERVICES:
        page = requests.get(f"{used.urls[service]}/metrics", headers={"Accept": "text/plain"}, timeout=10)
        assert page.headers["Content-Type"].startswith("text/plain; version=0.0.4"), service


def test_prometheus_scrapes_each_service_under_its_job_and_instance(used):
    def targets(health):
        found = requests.get(f"{used.urls['prometheus']}/api/v1/targets", timeout=10).json()["data"]["activeTargets"]
        return {(t["labels"]["job"], t["labels"]["instance"]) for t in found if t["health"] == health}

    wanted = {(one["job"], one["instance"]) for one in CONTRACT["services"].values()}
    until(lambda: wanted <= targets("up") and not targets("unknown"), what="all is scraped")
    assert not targets("down"), "nothing that the lab scrapes is down"


@pytest.mark.parametrize("service", SERVICES)
def test_every_log_line_holds_the_fields_of_the_contract_and_no_others(used, service):
    logs = CONTRACT["logs"]
    known = {*logs["always"], *logs["request"], *logs["fields"]}
    messages = {*logs["messages"]["all"], *logs["messages"][service]}
    for text in used.log_path(service).read_text("utf-8").splitlines():
        line = json.loads(text)  # every line is JSON
        assert set(logs["always"]) <= set(line) <= known, text
        assert line["message"] in messages, text
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["time"]), text
        assert line["level"] in ("info", "warn", "error") and line["service"] == service, text
        if line["message"] == "request":
            assert set(logs["request"]) | {"method", "route", "status", "duration_ms"} <= set(line), text
            assert ("error" in line) == (line["status"] >= 400), text


def test_spans_carry_the_attributes_of_the_contract(used):
    spans = CONTRACT["spans"]
    trace_id = used.placed().headers["X-Trace-Id"]
    found = used.whole_order(trace_id)
    kinds = {"server": set(), "client": set()}
    named = set()
    for span in found:
        assert set(spans["resource"]) <= set(span["resource"]) | {"service.name"}, span
        kind = span["tags"].get("span.kind", "internal")
        system = span["tags"].get("db.system.name")
        if kind == "server":
            assert span["name"] in CONTRACT["routes"][span["service"]], span["name"]
            kinds["server"].add(span["service"])
            wanted = spans["server"]["attributes"]
        elif system:
            key = "sql" if system == "postgresql" else "cache"
            named.add(key)
            wanted = spans["named"][key]["attributes"]
        elif kind == "client":
            kinds["client"].add(span["service"])
            wanted = spans["client"]["attributes"]
        else:
            named.add(span["name"])
            one = spans["named"][span["name"]]  # KeyError: not in the contract
            assert (span["service"], kind) == (one["service"], one["kind"])
            wanted = one["attributes"]
        assert set(wanted) <= set(span["tags"]), f"{span['service']} {span['name']} lacks {set(wanted) - set(span['tags'])}"
        old = {"http.method", "http.status_code", "http.url", "http.target", "db.statement", "db.system", "net.peer.name"}
        assert not old & set(span["tags"]), f"names of before the stable conventions: {old & set(span['tags'])}"
    assert named == set(spans["named"])
    assert kinds == {"server": set(SERVICES), "client": set(spans["client"]["services"])}


def test_health_checks_and_scrapes_are_neither_traced_nor_counted(used):
    for service in SERVICES:
        operations = requests.get(f"{used.urls['jaeger']}/api/services/{service}/operations", timeout=10).json()["data"]
        assert not [name for name in operations if "healthz" in name or "metrics" in name or "lab/" in name], service
        routes = {sample.labels["route"] for sample in used.families(service)["http_requests"].samples}
        assert not [route for route in routes if route.startswith(("/healthz", "/metrics", "/lab"))]
