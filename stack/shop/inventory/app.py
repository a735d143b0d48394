"""The routes of the inventory."""

from flask import Flask, jsonify
from prometheus_client import REGISTRY
from psycopg import Error
from shopkit import config
from shopkit.faults import Faults
from shopkit.tracing import instrument_calls
from shopkit.upstream import Upstream
from shopkit.web import (
    ORDER_ID,
    SKU,
    Refusal,
    Service,
    fields,
    json_body,
    order_id_field,
    quantity_field,
    sku_field,
    whole_number,
)

from inventory.cache import Cache
from inventory.database import DOWN, Database
from inventory.gauges import Gauges
from inventory.outbox import Worker
from inventory.stock import Stock

EXTRA_FAULTS = {"pool": {}, "slow_sql": {"seconds": (0.001, 4.5, 1), "share": (0, 1, 1)}, "cache_down": {}}


def create() -> Flask:
    """The application, for gunicorn. It waits for its database."""
    settings = config.read("inventory")
    faults = Faults(EXTRA_FAULTS)
    service = Service(settings, faults)
    instrument_calls()
    database = Database(settings, faults)
    cache = Cache(settings, faults, service.log)
    stock = Stock(database, cache)
    payments = Upstream("payments", settings.payments_url, f"shop-inventory/{settings.version}")
    worker = Worker(database, cache, payments, service.log)
    try:
        database.open()
    except DOWN as error:
        service.log.error("database unavailable", reason=f"{type(error).__name__}: {error}"[:300])
        raise
    REGISTRY.register(Gauges(database))
    service.at_start.append(worker.start)

    @service.app.errorhandler(Error)
    def database_trouble(error: Error) -> object:
        if isinstance(error, DOWN):
            service.log.error("database unavailable", reason=f"{type(error).__name__}: {error}"[:200])
            return service.refuse(Refusal(503, "database_unavailable", "The database does not answer. Ask again later."))
        return service.refuse(error)

    @service.route("/products", "GET")
    def products() -> object:
        return jsonify(stock.products())

    @service.route("/products/{sku}", "GET")
    def product(sku: str) -> object:
        if not SKU.fullmatch(sku):
            raise Refusal(404, "unknown_product", "There is no such product.")
        return stock.product(sku)

    @service.route("/reservations", "POST", success=201)
    def reserve() -> object:
        order_id, sku, quantity, amount_cents = fields(
            json_body(), order_id=order_id_field, sku=sku_field, quantity=quantity_field, amount_cents=whole_number(1, 10_000_000)
        )
        order, repeated = stock.reserve(order_id, sku, quantity, amount_cents)
        told = {"order_id": order_id, "sku": sku, "quantity": quantity}
        service.log.info("reservation repeated" if repeated else "reserved", **told)
        worker.wake.set()
        return order, 200 if repeated else 201

    @service.route("/reservations/{order_id}", "GET")
    def order(order_id: str) -> object:
        return stock.order(_order_id(order_id))

    @service.route("/reservations/{order_id}/cancel", "POST")
    def cancel(order_id: str) -> object:
        order = stock.cancel(_order_id(order_id))
        service.log.warn("reservation cancelled", order_id=order_id)
        return order

    @service.app.put("/lab/stock/<sku>")
    def set_stock(sku: str) -> object:
        service.must_know_token()
        if not SKU.fullmatch(sku):
            raise Refusal(404, "unknown_product", "There is no such product.")
        [pieces] = fields(json_body(), stock=whole_number(0, 1_000_000))
        changed = stock.set_stock(sku, pieces)
        service.log.warn("stock set", sku=sku, quantity=pieces)
        return changed

    return service.app


def _order_id(text: str) -> str:
    if not ORDER_ID.fullmatch(text):
        raise Refusal(404, "unknown_order", "There is no such order.")
    return text
