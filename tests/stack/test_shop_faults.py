"""Every fault switch, and what it looks like: in metrics, and in logs and traces where it shows there."""

import re
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from shops import SERVICES
from waits import until

ASK = {
    "frontend": ("GET", "/", None),
    "gateway": ("GET", "/products", None),
    "payments": ("GET", "/payments/00000000-0000-4000-8000-000000000000", None),
    "inventory": ("GET", "/products", None),
}


def ask(shop, service, **more):
    method, path, body = ASK[service]
    return requests.request(method, shop.urls[service] + path, json=body, timeout=20, **more)


def server_span(shop, service, trace_id):
    """The span of the request that this service served."""
    found = [s for s in shop.spans(trace_id) if s["service"] == service and s["tags"].get("span.kind") == "server"]
    return found[0] if found else None


def slow_requests(shop, service, seconds):
    """Requests of a service that took longer than a bucket's bound."""
    total = shop.value(service, "http_request_duration_seconds_count")
    return total - sum(
        sample.value
        for sample in shop.families(service)["http_request_duration_seconds"].samples
        if sample.name.endswith("_bucket") and float(sample.labels["le"]) == seconds
    )


def server_errors(shop, service):
    samples = shop.families(service)["http_requests"].samples
    return sum(sample.value for sample in samples if sample.labels["code"].startswith("5"))


@pytest.mark.parametrize("service", SERVICES)
def test_slow_shows_in_the_histogram_in_the_log_and_in_the_span(shop, service):
    before = slow_requests(shop, service, 0.25)
    shop.fault(service, "slow", seconds=0.4)
    request_id = f"slow-{service}-{time.time()}"
    answer = ask(shop, service, headers={"X-Request-Id": request_id})
    assert answer.elapsed.total_seconds() > 0.4
    assert slow_requests(shop, service, 0.25) >= before + 1
    [line] = until(lambda: shop.lines(service, request_id=request_id, message="request"))
    assert line["duration_ms"] > 400
    span = until(lambda: server_span(shop, service, line["trace_id"]), what="the span")
    assert span["seconds"] > 0.4 and "fault.slow" in {event.get("event") for event in span["events"]}


@pytest.mark.parametrize("service", SERVICES)
def test_errors_show_as_5xx_as_error_lines_and_as_span_status(shop, service):
    before = server_errors(shop, service)
    shop.fault(service, "errors")
    request_id = f"errors-{service}-{time.time()}"
    answer = ask(shop, service, headers={"X-Request-Id": request_id})
    assert answer.status_code == 500 and answer.json()["error"]["code"] == "internal_error"
    assert server_errors(shop, service) >= before + 1
    [line] = until(lambda: shop.lines(service, request_id=request_id, message="request"))
    assert (line["level"], line["error"]) == ("error", "internal_error")
    span = until(lambda: server_span(shop, service, line["trace_id"]), what="the span")
    assert span["tags"]["otel.status_code"] == "ERROR"


@pytest.mark.parametrize("service", SERVICES)
def test_a_share_strikes_some_requests_and_not_others(shop, service):
    shop.fault(service, "errors", share=0.5)
    codes = [ask(shop, service).status_code for _ in range(60)]
    assert 10 < codes.count(500) < 50, codes


@pytest.mark.parametrize("service", SERVICES)
def test_a_crash_is_a_new_process_that_serves_again(shop, service):
    born = shop.value(service, "process_start_time_seconds")
    shop.fault(service, "crash")
    until(lambda: shop.value(service, "process_start_time_seconds") > born, 25, f"{service} is back")
    until(lambda: ask(shop, service).status_code < 500, 25, f"{service} serves")
    assert shop.lines(service, message="fault switched on", fault="crash")


@pytest.mark.parametrize("service", SERVICES)
def test_a_leak_grows_and_is_given_back(shop, service):
    before = shop.value(service, "process_resident_memory_bytes")
    shop.fault(service, "leak", megabytes_per_second=40)
    until(lambda: shop.value(service, "process_resident_memory_bytes") > before + 60e6, 20, "memory grows")
    grown = shop.value(service, "process_resident_memory_bytes")
    shop.mend()
    until(lambda: shop.value(service, "process_resident_memory_bytes") < grown - 30e6, 25, "memory is given back")


@pytest.mark.parametrize("service", SERVICES)
def test_burn_uses_its_share_of_a_core_and_lets_requests_through(shop, service):
    shop.fault(service, "burn", share=0.6)
    start, spent = time.monotonic(), shop.value(service, "process_cpu_seconds_total")
    until(lambda: time.monotonic() - start > 3)
    used = (shop.value(service, "process_cpu_seconds_total") - spent) / (time.monotonic() - start)
    assert used > 0.25, used  # of 0.6 asked for, on a machine that others use too
    assert ask(shop, service).elapsed.total_seconds() < 2


@pytest.mark.parametrize("service", SERVICES)
def test_clock_skew_moves_the_time_of_log_lines_only(shop, service):
    shop.fault(service, "clock_skew", seconds=-3600)
    request_id = f"skew-{service}-{time.time()}"
    ask(shop, service, headers={"X-Request-Id": request_id})
    [line] = until(lambda: shop.lines(service, request_id=request_id, message="request"))
    assert line["time"] < time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() - 3000))


@pytest.mark.parametrize("service", SERVICES)
def test_cardinality_makes_a_series_a_request_and_takes_them_back(shop, service):
    def clients():
        return {sample.labels["client"] for sample in shop.families(service)["shop_requests_by_client"].samples}

    usual = clients()
    shop.fault(service, "cardinality")
    for _ in range(12):
        ask(shop, service)
    assert len(clients() - usual) >= 12
    shop.mend()
    assert clients() == usual


@pytest.mark.parametrize("service", SERVICES)
def test_a_bad_deploy_changes_the_version_and_brings_errors(shop, service):
    def versions():
        return [sample.labels["version"] for sample in shop.families(service)["shop_build_info"].samples]

    before, [good] = server_errors(shop, service), versions()
    shop.fault(service, "bad_deploy", share=1)
    assert ask(shop, service).status_code == 500
    assert versions() == ["1.5.0"] and server_errors(shop, service) > before
    assert until(lambda: shop.lines(service, message="request", version="1.5.0"))
    shop.mend()
    assert versions() == [good] and ask(shop, service).status_code < 500


@pytest.mark.parametrize("service", SERVICES)
def test_a_fault_ends_by_itself(shop, service):
    shop.fault(service, "errors", lasting=1)
    assert ask(shop, service).status_code == 500
    assert [fault["name"] for fault in shop.switch(service, "GET").json()] == ["errors"]
    until(lambda: shop.switch(service, "GET").json() == [], 5, "the fault ends")
    assert ask(shop, service).status_code < 500


def test_an_exhausted_pool_shows_in_its_gauges_and_as_503(shop):
    shop.fault("inventory", "pool", lasting=30)
    until(lambda: shop.value("inventory", "inventory_db_connections", state="used") == 10, what="the pool is used up")
    with ThreadPoolExecutor(4) as pool:
        waiting = [
            pool.submit(requests.get, f"{shop.urls['inventory']}/reservations/{n:08}-0000-4000-8000-000000000000", timeout=10)
            for n in range(4)
        ]
        until(lambda: shop.value("inventory", "inventory_db_waiting_requests") >= 1, 5, "requests wait")
        answers = [one.result() for one in waiting]
    assert {answer.json()["error"]["code"] for answer in answers} == {"database_unavailable"}
    assert until(lambda: shop.lines("inventory", message="database unavailable", level="error"))
    shop.mend()
    until(lambda: shop.order().status_code in (201, 402), what="orders work again")


def test_slow_sql_shows_in_the_query_histogram_and_as_a_long_sql_span(shop):
    shop.fault("inventory", "slow_sql", seconds=0.5)
    before = shop.value("inventory", "inventory_db_query_duration_seconds_sum", query="get_order")
    request_id = f"sql-{time.time()}"
    url = f"{shop.urls['inventory']}/reservations/00000000-0000-4000-8000-000000000001"
    requests.get(url, headers={"X-Request-Id": request_id}, timeout=10)
    assert shop.value("inventory", "inventory_db_query_duration_seconds_sum", query="get_order") > before + 0.5
    [line] = until(lambda: shop.lines("inventory", request_id=request_id, message="request"))
    until(lambda: server_span(shop, "inventory", line["trace_id"]), what="the trace")
    [slow] = [span for span in shop.spans(line["trace_id"]) if "pg_sleep" in str(span["tags"].get("db.query.text"))]
    assert slow["seconds"] > 0.5


def test_a_cache_that_is_down_shows_as_errors_and_nobody_is_refused(shop):
    before = shop.value("inventory", "inventory_cache_requests_total", result="error")
    shop.fault("inventory", "cache_down")
    answer = ask(shop, "inventory")
    assert answer.status_code == 200
    assert shop.value("inventory", "inventory_cache_requests_total", result="error") > before
    assert until(lambda: shop.lines("inventory", message="cache unavailable"))
    until(lambda: server_span(shop, "inventory", answer.headers["X-Trace-Id"]), what="the trace")
    spans = shop.spans(answer.headers["X-Trace-Id"])
    assert [s for s in spans if s["tags"].get("db.system.name") == "redis" and s["tags"].get("otel.status_code") == "ERROR"]


def test_a_real_cache_that_dies_costs_time_and_no_order(shop):
    shop.clone.python("from monlab import stack; stack.kill('valkey')")
    assert shop.order().status_code in (201, 402)


def test_a_slow_link_is_slow_for_the_caller_and_quick_for_the_called(shop):
    said = shop.clone.python(
        "from monlab import shop; print(shop.fault('network.slow', link='gateway-inventory', seconds=0.4)); print(shop.fault.active())"
    )
    assert "ends by itself in 60 s" in said and "gateway-inventory" in said
    before = shop.value("gateway", "upstream_request_duration_seconds_sum", upstream="inventory")
    quick = shop.value("inventory", "http_request_duration_seconds_sum", route="/products")
    assert ask(shop, "gateway").status_code == 200
    assert shop.value("gateway", "upstream_request_duration_seconds_sum", upstream="inventory") > before + 0.4
    assert shop.value("inventory", "http_request_duration_seconds_sum", route="/products") < quick + 0.3
    shop.clone.python("from monlab import shop; shop.fault.clear()")
    assert ask(shop, "gateway").elapsed.total_seconds() < 0.4


def test_a_cut_link_shows_as_unreachable_and_a_hanging_one_as_time_out(shop):
    for fault, outcome in (("network.cut", "unreachable"), ("network.hang", "timeout")):
        before = shop.value("gateway", "upstream_requests_total", upstream="inventory", outcome=outcome)
        shop.clone.python(f"from monlab import shop; shop.fault({fault!r}, link='gateway-inventory', lasting=5)")
        assert ask(shop, "gateway").status_code in (502, 504)
        assert shop.value("gateway", "upstream_requests_total", upstream="inventory", outcome=outcome) > before
        assert until(lambda: shop.lines("gateway", message="upstream call failed", upstream="inventory"))
        until(lambda: ask(shop, "gateway").status_code == 200, 15, "the link mends itself")


@pytest.mark.parametrize(("fault", "outcome", "status"), [("network.cut", "unreachable", 502), ("network.hang", "timeout", 504)])
def test_what_a_customer_is_told_of_a_cut_and_of_a_hanging_link_is_what_is_counted(shop, fault, outcome, status):
    before = shop.value("frontend", "upstream_requests_total", upstream="gateway", outcome=outcome)
    shop.clone.python(f"from monlab import shop; shop.fault({fault!r}, link='frontend-gateway', lasting=30)")
    assert shop.order().status_code == status
    assert shop.value("frontend", "upstream_requests_total", upstream="gateway", outcome=outcome) == before + 1


def test_a_database_that_is_cut_off_is_a_503_and_stock_is_not_guessed(shop):
    shop.clone.python("from monlab import shop; shop.fault('network.cut', link='inventory-postgres', lasting=20)")
    url = f"{shop.urls['inventory']}/reservations/00000000-0000-4000-8000-000000000002"
    answer = requests.get(url, timeout=15)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "database_unavailable")
    assert "inventory_stock" not in shop.families("inventory")
    shop.mend()
    until(lambda: "inventory_stock" in shop.families("inventory"), 20, "stock is seen again")
    until(lambda: shop.order().status_code in (201, 402), 20, "orders work again")


def test_confirmations_wait_while_payments_is_away_and_are_sent_later(shop):
    sent = shop.value("inventory", "inventory_outbox_processed_total")
    refused = shop.value("inventory", "upstream_requests_total", upstream="payments", outcome="unreachable")
    failed = shop.value("inventory", "inventory_outbox_failures_total")
    shop.clone.python("from monlab import shop; shop.fault('network.cut', link='inventory-payments', lasting=60)")
    order_id = shop.placed().json()["order_id"]
    until(lambda: shop.value("inventory", "inventory_outbox_failures_total") > failed)
    assert shop.value("inventory", "upstream_requests_total", upstream="payments", outcome="unreachable") > refused
    assert shop.value("inventory", "inventory_outbox_queue_length") >= 1
    until(lambda: shop.value("inventory", "inventory_outbox_oldest_age_seconds") > 1, what="it grows older")
    shop.mend()
    until(lambda: shop.state(order_id)["state"] == "confirmed", 20, "it is confirmed after all")
    assert shop.value("inventory", "inventory_outbox_processed_total") > sent
    assert shop.payment(order_id)["status"] == "captured"


def test_a_fault_that_cannot_be_is_refused_with_a_sentence(shop):
    for words, expected in (
        ("'payments.slwo'", "There is no fault"),
        ("'paymnets.slow'", "Did you mean"),
        ("'payments.slow', second=1", "seconds"),
        ("'network.slow'", "needs link="),
        ("'network.slow', link='gateway-payment'", "gateway-payments"),
        ("'network.slow', link='gateway-payments', seconds='x'", "number"),
        ("'network.slow', link='gateway-payments', lasting='60'", "number of seconds"),
        ("'payments.slow', seconds=float('nan')", "finite"),
        ("'frontend.slow', seconds=None", "seconds is None. A fault takes numbers and names"),
        ("'network.cut', link=None", "link is None"),
        ("'payments.slow', seconds=b'1'", "numbers and names"),
        ("['payments.slow']", "name is"),
        ("1", "names no place"),
    ):
        said = shop.clone.python(
            f"from monlab import shop\nfrom monlab.problem import LabProblem\ntry: shop.fault({words})\nexcept LabProblem as problem: print(problem)"
        )
        assert re.search(expected, said), f"{words}: {said}"


def test_a_network_fault_that_is_stopped_before_its_end_is_arranged_is_never_on(shop):
    said = shop.clone.python(
        "from monlab import shop\nfrom monlab.shop import faults\n"
        "def stop(*_): raise KeyboardInterrupt\n"
        "faults._mend_later = stop\n"
        "try: shop.fault('network.cut', link='gateway-inventory', lasting=5)\n"
        "except KeyboardInterrupt: print(len(shop.fault.active()), 'on')"
    )
    assert said.strip() == "0 on"
