"""The page and the API beside it. Orders go to the gateway; what became of them is counted here, where the customer sees it."""

import uuid
from importlib.resources import files

from flask import Flask, Response
from prometheus_client import Counter
from shopkit import config, metrics
from shopkit.faults import Faults
from shopkit.tracing import instrument_calls
from shopkit.upstream import Answer, Upstream
from shopkit.web import (
    INTERNAL,
    ORDER_ID,
    Refusal,
    Service,
    fields,
    json_body,
    quantity_field,
    sku_field,
)

LIST_SECONDS = 3.0
ORDER_SECONDS = 20.0  # longer than all the gateway's tries together
RESULTS = ("placed", "declined", "out_of_stock", "rejected", "failed")

orders = Counter("shop_orders_total", "Orders by what became of them.", ["result"])
revenue = Counter("shop_revenue_cents_total", "Value of the orders placed.")


def create() -> Flask:
    """The application, for gunicorn."""
    settings = config.read("frontend")
    service = Service(settings, Faults())
    instrument_calls()
    gateway = Upstream("gateway", settings.gateway_url, f"shop-frontend/{settings.version}")
    metrics.born(orders, result=RESULTS)
    page = files("frontend").joinpath("page.html").read_text("utf-8")

    @service.route("/", "GET")
    def show_page() -> Response:
        return Response(page, content_type="text/html; charset=utf-8", headers={"Content-Security-Policy": POLICY})

    @service.route("/api/products", "GET")
    def products() -> object:
        return _passed_on(gateway.call("GET", "/products", LIST_SECONDS))

    @service.route("/api/orders/{order_id}", "GET")
    def order(order_id: str) -> object:
        if not ORDER_ID.fullmatch(order_id):
            raise Refusal(404, "unknown_order", "There is no such order.")
        return _passed_on(gateway.call("GET", f"/orders/{order_id}", LIST_SECONDS))

    @service.route("/api/orders", "POST", success=201)
    def place_order() -> object:
        wanted: dict[str, object] = {}
        try:
            wanted = _order()
            answer = gateway.call("POST", "/orders", ORDER_SECONDS, wanted)
            body = _passed_on(answer)
        except Refusal as refusal:
            result = _result(refusal)
            orders.labels(result).inc()
            level = service.log.error if result == "failed" else service.log.warn
            level("order not placed", error=refusal.code, **{k: wanted[k] for k in ("order_id", "sku") if k in wanted})
            if result == "failed":
                refusal.details = {"order_id": wanted["order_id"], "state": "unknown", **refusal.details}
            raise
        orders.labels("placed").inc()
        revenue.inc(answer.body["amount_cents"])
        told = ("order_id", "sku", "quantity", "amount_cents")
        service.log.info("order placed", **{name: answer.body[name] for name in told})
        return body, 201

    return service.app


POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; base-uri 'none'"


def _order() -> dict[str, object]:
    """The order that the request asks for, with an id of its own. Raises Refusal (4xx)."""
    sku, quantity, simulate = fields(json_body(), sku=sku_field, quantity=quantity_field, simulate=_simulation)
    order = {"order_id": str(uuid.uuid4()), "sku": sku, "quantity": quantity}
    return {**order, "simulate": simulate} if simulate else order


def _simulation(value: object) -> str | None:
    return None if value in (None, "", "slow", "decline") else 'must be "slow" or "decline", or be left out'


def _passed_on(answer: Answer) -> object:
    """The gateway's answer as ours. Raises Refusal when it refuses, and a 5xx of our own when it does not know."""
    if answer.outcome == "ok":
        return answer.body
    error = answer.body.get("error") if isinstance(answer.body, dict) else None
    error = error if isinstance(error, dict) else {}
    details = error.get("details") if isinstance(error.get("details"), dict) else {}
    if answer.outcome == "client_error":
        raise Refusal(answer.status, str(error.get("code", "refused")), str(error.get("message", "Refused.")), **details)
    if answer.outcome == "timeout":
        raise Refusal(504, "gateway_timeout", "The shop takes too long to answer. Ask again later.")
    if answer.outcome == "unreachable":
        raise Refusal(502, "gateway_unreachable", "The shop does not answer. Ask again later.")
    status = answer.status if answer.status in (502, 503, 504) else 502
    raise Refusal(status, str(error.get("code") or "gateway_failed"), INTERNAL, **details)


def _result(refusal: Refusal) -> str:
    if refusal.status >= 500:
        return "failed"
    return {"card_declined": "declined", "out_of_stock": "out_of_stock"}.get(refusal.code, "rejected")
