"""Orders: one order through all three signals, money and stock that are never wrong, bad input."""

import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from shops import SERVICES
from waits import until

PRICE_CENTS = 790


def counters(shop):
    """Every counter that one placed order must raise, and by how much."""
    return {
        ("frontend", "http_requests_total", (("route", "/api/orders"), ("code", "201"))): 1,
        ("frontend", "shop_orders_total", (("result", "placed"),)): 1,
        ("frontend", "shop_revenue_cents_total", ()): PRICE_CENTS,
        ("frontend", "upstream_requests_total", (("upstream", "gateway"), ("outcome", "ok"))): 1,
        ("gateway", "http_requests_total", (("route", "/orders"), ("code", "201"))): 1,
        ("gateway", "upstream_requests_total", (("upstream", "inventory"), ("outcome", "ok"))): 2,
        ("gateway", "upstream_requests_total", (("upstream", "payments"), ("outcome", "ok"))): 1,
        ("payments", "payments_total", (("result", "authorized"),)): 1,
        ("payments", "payments_total", (("result", "captured"),)): 1,
        ("payments", "payment_amount_cents_count", ()): 1,
        ("inventory", "inventory_reservations_total", (("result", "reserved"),)): 1,
        ("inventory", "inventory_outbox_processed_total", ()): 1,
        ("inventory", "upstream_requests_total", (("upstream", "payments"), ("outcome", "ok"))): 1,
    }


def read(shop):
    return {key: shop.value(key[0], key[1], **dict(key[2])) for key in counters(shop)}


def test_one_order_is_one_trace_one_id_in_four_logs_and_a_rise_in_every_counter(shop):
    for _ in range(10):  # one card in twenty is declined
        before = read(shop)
        answer = shop.order()
        if answer.status_code == 201:
            break
    assert answer.status_code == 201, answer.text
    order_id, trace_id = answer.json()["order_id"], answer.headers["X-Trace-Id"]
    until(lambda: shop.state(order_id)["state"] == "confirmed", what="the order is confirmed")

    after = read(shop)
    assert {key: after[key] - before[key] for key in after} == counters(shop)

    for service in SERVICES:
        until(lambda service=service: shop.lines(service, trace_id=trace_id, message="request"), what=f"{service} has logged it")
        assert shop.lines(service, trace_id=trace_id, order_id=order_id) or service == "gateway", service
    request_ids = {
        line["request_id"] for service in SERVICES for line in shop.lines(service, trace_id=trace_id, message="request")
    }
    assert len(request_ids) <= 2, "one id from the frontend on, and none from the worker but its own"

    spans = shop.whole_order(trace_id)
    by_id = {span["id"]: span for span in spans}
    edges = {
        (parent["service"], parent["name"], span["service"], span["name"])
        for span in spans
        if (parent := by_id.get(span["parent"]))
    }
    roots = [span for span in spans if span["parent"] is None]
    assert [(root["service"], root["name"]) for root in roots] == [("frontend", "POST /api/orders")]
    assert not [span for span in spans if span["parent"] and span["parent"] not in by_id], "a parent is missing"
    assert edges >= {
        ("frontend", "POST /api/orders", "frontend", "POST"),
        ("frontend", "POST", "gateway", "POST /orders"),
        ("gateway", "POST /orders", "gateway", "check_stock"),
        ("gateway", "check_stock", "gateway", "GET"),
        ("gateway", "GET", "inventory", "GET /products/{sku}"),
        ("inventory", "GET /products/{sku}", "inventory", "GET"),  # the cache
        ("gateway", "POST /orders", "gateway", "pay"),
        ("gateway", "pay", "gateway", "POST"),
        ("gateway", "POST", "payments", "POST /payments"),
        ("payments", "POST /payments", "payments", "charge_card"),
        ("gateway", "POST /orders", "gateway", "reserve"),
        ("gateway", "reserve", "gateway", "POST"),
        ("gateway", "POST", "inventory", "POST /reservations"),
        ("inventory", "POST /reservations", "inventory", "UPDATE"),
        ("inventory", "POST /reservations", "inventory", "INSERT"),
        ("inventory", "POST /reservations", "inventory", "confirm_order"),
        ("inventory", "confirm_order", "inventory", "POST"),
        ("inventory", "POST", "payments", "POST /payments/{order_id}/capture"),
    }
    databases = {span["tags"].get("db.system.name") for span in spans}
    assert {"postgresql", "redis"} <= databases
    assert not [span for span in spans if span["tags"].get("error")]


def test_fifty_buyers_of_the_last_piece_are_one_customer_and_49_refusals(shop):
    shop.set_stock("SET-001", 1)
    shop.fault("payments", "slow", seconds=1)  # so that many have seen the piece before one of them gets it
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda _: shop.order("SET-001"), range(50)))
    shop.mend()
    codes = [answer.json().get("error", {}).get("code", "placed") for answer in answers]
    assert codes.count("placed") <= 1 and set(codes) <= {"placed", "out_of_stock", "card_declined"}, codes
    while codes.count("placed") == 0:  # the one who was first had a card that was declined
        codes.append(shop.order("SET-001").json().get("error", {}).get("code", "placed"))
    assert codes.count("placed") == 1
    assert shop.value("inventory", "inventory_stock", sku="SET-001") == 0
    until(lambda: shop.value("inventory", "inventory_outbox_queue_length") == 0, what="all is confirmed")
    # Whoever was late had paid already: every such hold is void again.
    late = [line["order_id"] for line in shop.lines("gateway", message="payment voided")]
    assert late and {shop.payment(order_id)["status"] for order_id in late} == {"voided"}


def test_stock_and_money_agree_after_many_buyers_at_once(shop):
    shop.set_stock("SET-001", 30)
    before = shop.value("frontend", "shop_revenue_cents_total")
    with ThreadPoolExecutor(40) as pool:
        answers = list(pool.map(lambda _: shop.order("SET-001", 2), range(40)))
    placed = [answer.json() for answer in answers if answer.status_code == 201]
    left = shop.value("inventory", "inventory_stock", sku="SET-001")  # from the database; the cache may be a minute old
    assert left + 2 * len(placed) == 30 and left >= 0
    assert shop.value("frontend", "shop_revenue_cents_total") - before == sum(order["amount_cents"] for order in placed)
    for order in placed:
        until(lambda order=order: shop.payment(order["order_id"])["status"] == "captured", what="the money is captured")
        assert shop.payment(order["order_id"])["amount_cents"] == order["amount_cents"]


def test_a_payment_that_is_retried_after_a_time_out_is_charged_once(shop):
    before = shop.value("payments", "payments_total", result="authorized")
    retries = shop.value("gateway", "upstream_requests_total", upstream="payments", attempt="retry")
    shop.fault("payments", "slow", seconds=3.4)  # longer than the gateway waits for one try; it is retried, and meets the first
    answer = shop.order()
    shop.mend()
    assert shop.value("gateway", "upstream_requests_total", upstream="payments", attempt="retry") > retries
    order_id = answer.json().get("order_id") or answer.json()["error"]["details"]["order_id"]
    settled = ("captured", "voided", "declined")
    until(lambda: shop.payment(order_id).get("status") in settled, 40, "the payment is settled")
    charged = shop.value("payments", "payments_total", result="authorized") - before
    assert charged <= 1
    assert (shop.payment(order_id)["status"] == "captured") == (answer.status_code == 201)


def test_the_same_key_twice_at_once_is_charged_once(shop):
    order_id = str(uuid.uuid4())
    before = shop.value("payments", "payment_amount_cents_count")

    def pay(_):
        return requests.post(
            f"{shop.urls['payments']}/payments", json={"amount_cents": 500}, headers={"Idempotency-Key": order_id}, timeout=10
        )

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(pay, range(20)))
    assert len({answer.text for answer in answers if answer.status_code == 201}) <= 1
    assert len({answer.status_code for answer in answers}) == 1
    assert shop.value("payments", "payment_amount_cents_count") - before == (answers[0].status_code == 201)


def test_a_crash_between_paying_and_reserving_is_compensated_and_reported(shop):
    held = shop.value("payments", "payments_total", result="expired")
    for _ in range(10):  # a declined card does not get as far as the crash
        shop.fault("gateway", "crash", point="after_payment")
        answer = shop.order()
        if answer.status_code != 402:
            break
    assert answer.status_code in (502, 504), answer.text
    order_id = answer.json()["error"]["details"]["order_id"]
    until(lambda: requests.get(f"{shop.urls['gateway']}/healthz", timeout=2).status_code == 200, what="the gateway is back")
    assert shop.state(order_id)["error"]["code"] == "unknown_order", "nothing was reserved"
    until(lambda: shop.payment(order_id)["status"] == "expired", 45, "the hold has expired")
    assert shop.value("payments", "payments_total", result="expired") > held
    assert shop.lines("payments", message="hold expired", order_id=order_id)
    assert shop.lines("frontend", message="order not placed", order_id=order_id, level="error")


def test_a_crash_of_payments_forgets_no_payment(shop):
    order_id = shop.placed().json()["order_id"]
    until(lambda: shop.payment(order_id)["status"] == "captured")
    shop.fault("payments", "crash")
    until(lambda: shop.payment(order_id)["status"] == "captured", 20, "payments remembers")


def test_an_order_that_was_cancelled_before_it_arrived_is_refused_when_it_arrives(shop):
    order_id = str(uuid.uuid4())
    url = shop.urls["inventory"]
    assert requests.post(f"{url}/reservations/{order_id}/cancel", timeout=10).status_code == 200
    body = {"order_id": order_id, "sku": "TEA-001", "quantity": 1, "amount_cents": PRICE_CENTS}
    late = requests.post(f"{url}/reservations", json=body, timeout=10)
    assert (late.status_code, late.json()["error"]["code"]) == (409, "order_cancelled")


def test_the_same_reservation_many_times_at_once_takes_the_last_piece_once(shop):
    shop.set_stock("SET-001", 1)
    shop.clone.python(
        "from monlab import shop; shop.fault('network.cut', link='inventory-payments', lasting=60)"
    )  # or it is cancelled
    body = {"order_id": str(uuid.uuid4()), "sku": "SET-001", "quantity": 1, "amount_cents": 14900}

    def reserve(_):
        return requests.post(f"{shop.urls['inventory']}/reservations", json=body, timeout=10).status_code

    counted = lambda result: shop.value("inventory", "inventory_reservations_total", result=result)  # noqa: E731
    before = {result: counted(result) for result in ("reserved", "repeated", "out_of_stock")}
    with ThreadPoolExecutor(8) as pool:
        codes = sorted(pool.map(reserve, range(8)))
    assert codes == [200] * 7 + [201]
    assert {result: counted(result) - was for result, was in before.items()} == {"reserved": 1, "repeated": 7, "out_of_stock": 0}
    shop.mend()
    until(lambda: shop.state(body["order_id"])["state"] == "cancelled", 20, "nobody paid for it")
    assert shop.value("inventory", "inventory_stock", sku="SET-001") == 1, "one piece was taken, and that one came back"


def test_an_order_whose_money_is_refused_for_good_gives_its_pieces_back_and_is_reported(shop):
    shop.set_stock("SET-001", 5)
    order_id = str(uuid.uuid4())
    assert requests.post(f"{shop.urls['payments']}/payments/{order_id}/void", timeout=10).status_code == 200
    body = {"order_id": order_id, "sku": "SET-001", "quantity": 2, "amount_cents": 29800}
    assert requests.post(f"{shop.urls['inventory']}/reservations", json=body, timeout=10).status_code == 201
    until(lambda: shop.state(order_id)["state"] == "cancelled", what="it is cancelled")
    assert shop.value("inventory", "inventory_stock", sku="SET-001") == 5
    assert until(lambda: shop.lines("inventory", message="confirmation failed", order_id=order_id, level="error"))
    assert shop.value("inventory", "inventory_outbox_queue_length") == 0


def test_pieces_that_come_back_are_offered_again_at_once(shop):
    """The cache may not say for a minute that they are gone: the gateway refuses by what it says."""
    shop.set_stock("SET-001", 1)
    shop.clone.python("from monlab import shop; shop.fault('network.cut', link='inventory-payments', lasting=60)")
    body = {"order_id": str(uuid.uuid4()), "sku": "SET-001", "quantity": 1, "amount_cents": 14900}
    assert requests.post(f"{shop.urls['inventory']}/reservations", json=body, timeout=10).status_code == 201
    product = lambda: requests.get(f"{shop.urls['inventory']}/products/SET-001", timeout=10).json()  # noqa: E731
    assert product()["stock"] == 0
    shop.mend()
    until(lambda: shop.state(body["order_id"])["state"] == "cancelled", 20, "nobody has paid for it")
    assert until(lambda: shop.lines("inventory", message="reservation cancelled", order_id=body["order_id"]))
    assert product()["stock"] == 1


def test_an_order_whose_capture_has_no_answer_cannot_be_cancelled_and_is_confirmed_later(shop):
    shop.clone.python("from monlab import shop; shop.fault('network.hang', link='inventory-payments', lasting=60)")
    order_id = shop.placed().json()["order_id"]
    until(lambda: shop.state(order_id)["state"] == "confirming", what="its money is on the way")
    refused = requests.post(f"{shop.urls['inventory']}/reservations/{order_id}/cancel", timeout=10)
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "already_confirmed")
    shop.mend()
    until(lambda: shop.state(order_id)["state"] == "confirmed", 30, "it is confirmed")
    assert shop.payment(order_id)["status"] == "captured"


def test_stock_that_runs_low_comes_in_again_and_the_last_batch_does_not(shop):
    shop.set_stock("KET-001", 99)
    shop.set_stock("SET-001", 0)
    until(lambda: shop.value("inventory", "inventory_stock", sku="KET-001") == 499, 20, "kettles come in")
    assert shop.value("inventory", "inventory_stock", sku="SET-001") == 0
    assert shop.order("SET-001").json()["error"]["code"] == "out_of_stock"


BAD = {
    "no such product": ({"json": {"sku": "NOPE-1", "quantity": 1}}, 404, "unknown_product"),
    "negative": ({"json": {"sku": "TEA-001", "quantity": -1}}, 400, "invalid_request"),
    "huge": ({"json": {"sku": "TEA-001", "quantity": 10**12}}, 400, "invalid_request"),
    "half": ({"json": {"sku": "TEA-001", "quantity": 1.5}}, 400, "invalid_request"),
    "a truth": ({"json": {"sku": "TEA-001", "quantity": True}}, 400, "invalid_request"),
    "text": ({"json": {"sku": "TEA-001", "quantity": "1"}}, 400, "invalid_request"),
    "nothing": ({"json": {}}, 400, "invalid_request"),
    "a list": ({"json": [1]}, 400, "invalid_request"),
    "a field too many": ({"json": {"sku": "TEA-001", "quantity": 1, "price_cents": 1}}, 400, "invalid_request"),
    "SQL": ({"json": {"sku": "'; DROP TABLE products; --", "quantity": 1}}, 400, "invalid_request"),
    "another type": ({"data": "sku=TEA-001&quantity=1"}, 415, "unsupported_media_type"),
    "no JSON": ({"data": "{", "headers": {"Content-Type": "application/json"}}, 400, "invalid_json"),
    "NaN": ({"data": '{"sku":"TEA-001","quantity":NaN}', "headers": {"Content-Type": "application/json"}}, 400, None),
    "not UTF-8": ({"data": b"\xff\xfe\x00", "headers": {"Content-Type": "application/json"}}, 400, "invalid_json"),
    "deep": ({"data": "[" * 9000, "headers": {"Content-Type": "application/json"}}, 400, "invalid_json"),
    "long, in chunks": (
        {"data": (b" " * 8000 for _ in range(4)), "headers": {"Content-Type": "application/json"}},
        413,
        "body_too_large",
    ),
    "ten megabytes": ({"data": b" " * (10 << 20), "headers": {"Content-Type": "application/json"}}, 413, "body_too_large"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_orders_are_refused_in_json_logged_once_and_counted(shop, case):
    more, status, code = BAD[case]
    before = (
        shop.value("frontend", "http_requests_total", code=str(status)),
        shop.value("frontend", "shop_orders_total", result="rejected"),
    )
    answer = requests.post(f"{shop.urls['frontend']}/api/orders", timeout=20, **more)
    assert answer.status_code == status, answer.text
    error = answer.json()["error"]
    assert code in (None, error["code"]) and error["message"] and error["trace_id"] and error["request_id"]
    assert "Traceback" not in answer.text and ".py" not in answer.text
    lines = until(lambda: shop.lines("frontend", trace_id=error["trace_id"], message="request"), what="the refusal is logged")
    assert len(lines) == 1
    after = (
        shop.value("frontend", "http_requests_total", code=str(status)),
        shop.value("frontend", "shop_orders_total", result="rejected"),
    )
    assert after == (before[0] + 1, before[1] + 1)


@pytest.mark.parametrize("service", SERVICES)
def test_paths_that_do_not_exist_are_one_series_and_methods_are_a_closed_set(shop, service):
    before = shop.value(service, "http_requests_total", route="unmatched")
    for number in range(5):
        answer = requests.get(f"{shop.urls[service]}/scan/{number}/wp-login.php", timeout=10)
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")
    answer = requests.request("BREW", f"{shop.urls[service]}/coffee", timeout=10)
    assert answer.status_code in (400, 404, 405, 501)  # Node refuses what is no method of HTTP before anybody sees it
    routes = {sample.labels["route"] for sample in shop.families(service)["http_requests"].samples}
    assert not [route for route in routes if "wp-login" in route]
    assert shop.value(service, "http_requests_total", route="unmatched") >= before + 5
    methods = {sample.labels["method"] for sample in shop.families(service)["http_requests"].samples}
    assert methods <= {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "_OTHER"}


@pytest.mark.parametrize("service", SERVICES)
def test_an_address_without_an_end_is_refused_in_json_and_counted_once(shop, service):
    before = shop.value(service, "http_requests_total", route="unmatched")
    answer = requests.get(f"{shop.urls[service]}/{'a' * 9000}", timeout=10)
    assert answer.status_code in (404, 414) and len(answer.json()["error"]["trace_id"]) == 32
    assert shop.value(service, "http_requests_total", route="unmatched") == before + 1


@pytest.mark.parametrize("service", SERVICES)
def test_ids_of_a_caller_cannot_inject_anything(shop, service):
    for bad in ("x" * 500, "a b", "{}", '"><script>', "a\tb"):
        answer = requests.get(f"{shop.urls[service]}/healthz", headers={"X-Request-Id": bad}, timeout=10)
        assert bad not in answer.headers.get("X-Request-Id", "")
        found = requests.get(
            f"{shop.urls[service]}/nothing", headers={"X-Request-Id": bad, "traceparent": "00-zz-zz-01"}, timeout=10
        )
        assert found.json()["error"]["request_id"] != bad and len(found.json()["error"]["trace_id"]) == 32
    mine = requests.get(f"{shop.urls[service]}/nothing", headers={"X-Request-Id": "order-7.a_b"}, timeout=10)
    assert mine.json()["error"]["request_id"] == "order-7.a_b"


@pytest.mark.parametrize("service", SERVICES)
def test_switches_want_the_token_and_name_what_they_take(shop, service):
    url = f"{shop.urls[service]}/lab/faults"
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": shop.token}, {"Authorization": "Bearer "}):
        refused = requests.post(url, json={"name": "crash"}, headers=headers, timeout=10)
        assert (refused.status_code, refused.json()["error"]["code"]) == (401, "unauthorized"), headers
    for body, word in (
        ({"name": "slwo"}, "slow"),
        ({"name": "slow", "second": 1}, "seconds"),
        ({"name": "slow", "seconds": 1e9}, "60"),
        ({"name": "slow", "share": "all"}, "share"),
        ({"name": "slow", "lasting": 0}, "lasting"),
    ):
        answer = shop.switch(service, **body)
        assert answer.status_code == 400 and word in answer.json()["error"]["message"], answer.text
    assert shop.switch(service, "GET").json() == []


def test_the_stock_of_what_is_no_product_cannot_be_set(shop):
    for sku in ("NOPE-1", "%00", "'; DROP TABLE products; --", "%ff"):
        answer = shop.switch("inventory", "PUT", f"/lab/stock/{sku}", stock=1)
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "unknown_product"), sku


def test_nothing_personal_and_no_secret_stands_in_a_log(shop):
    secrets = [path.read_text().strip() for path in (shop.clone.state / "secrets").iterdir()]
    assert len(secrets) == 3
    for path in (shop.clone.state / "logs").glob("*.log"):
        text = path.read_text("utf-8", "replace")
        assert not [secret for secret in secrets if secret in text], path.name
