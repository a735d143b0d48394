"""The stories of requests: a page, a look at the products, an order with all that can become of it."""

from typing import Any

from monlab.archive import simulation as sim
from monlab.archive.simulation import HOP_US, PAY_TIMEOUT_US
from monlab.archive.telling import Story

NO_ANSWER, ANSWERED_500, ANSWERED_503 = "no answer within 3 s", "answered 500", "answered 503"
REFUSED = "OperationalError: connection failed: connection to server at db-1, port 5432 failed: Connection refused"
DISK = "DiskFull: could not extend file base/16384/24601: No space left on device"
CACHE_AWAY = "ConnectionError: Error 111 connecting to valkey:6379. Connection refused."
NO_GATEWAY = "NewConnectionError"
REDIS: dict[str, str | int] = {"db.system.name": "redis", "server.address": "valkey", "server.port": 6379}
SQL: dict[str, str | int] = {
    "db.system.name": "postgresql",
    "db.namespace": "shop",
    "server.address": "postgres",
    "server.port": 5432,
}

Row = Any  # one row of a table of the simulation, its columns as attributes


def tell_browse(story: Story, row: Row) -> None:
    story.server("frontend", row.frontend, "GET", "/", 200, row.start, row.took, "")


def tell_stock(story: Story, row: Row) -> None:
    status = int(sim.STOCK_CODES[row.outcome])
    lost = row.outcome == sim.UNREACHABLE
    error = "" if status == 200 else "gateway_unreachable" if lost else "upstream_failed"
    root = story.server("frontend", row.frontend, "GET", "/api/products", status, row.start, row.took, "", error=error)
    if lost:
        story.client("frontend", row.frontend, "gateway", "GET", "/products", 0, row.start + 600, 1_500, root, NO_GATEWAY)
        return
    call_error = "status 502" if error else ""
    at = row.start + 600
    call = story.client(
        "frontend", row.frontend, "gateway", "GET", "/products", status, at, row.gateway_us + HOP_US, root, call_error
    )
    top = story.server("gateway", row.gateway, "GET", "/products", status, row.start + 900, row.gateway_us, call, error=error)
    _reads(story, row, top, "/products", "/products", "products", row.pause_us)


def tell_order(story: Story, row: Row) -> None:
    status = int(sim.ORDER_CODES[row.outcome])
    order = {"order_id": story.order_id, "sku": sim.SKUS[row.sku]}
    error = ORDER_ERRORS[row.outcome]
    root = story.server("frontend", row.frontend, "POST", "/api/orders", status, row.start, row.took, "", error=error)
    end = row.start + row.took - 200
    if row.outcome == sim.FINE:
        sold = {**order, "quantity": row.quantity, "amount_cents": row.amount_cents}
        story.line("frontend", row.frontend, "info", end, "order placed", root, **sold)
    else:
        level = "error" if status >= 500 else "warn"
        story.line("frontend", row.frontend, level, end, "order not placed", root, error=error, **order)
    at = row.start + 600
    if row.outcome == sim.UNREACHABLE:
        story.client("frontend", row.frontend, "gateway", "POST", "/orders", 0, at, 1_500, root, NO_GATEWAY)
        return
    call_error = f"status {status}" if status >= 500 else ""
    took = row.gateway_us + HOP_US
    call = story.client("frontend", row.frontend, "gateway", "POST", "/orders", status, at, took, root, call_error)
    top = story.server("gateway", row.gateway, "POST", "/orders", status, row.start + 900, row.gateway_us, call, error=error)
    _check_stock(story, row, top, error)
    if row.pay_start:
        _pay(story, row, top)
    if row.reserve_start:
        _reserve(story, row, top)


ORDER_ERRORS = {
    sim.FINE: "",
    sim.DECLINED: "card_declined",
    sim.OUT_OF_STOCK: "out_of_stock",
    sim.UNREACHABLE: "gateway_unreachable",
    sim.READ_FAILED: "upstream_failed",
    sim.PAY_FAILED: "upstream_failed",
    sim.PAY_TIMEOUT: "upstream_timeout",
    sim.RESERVE_UNKNOWN: "upstream_timeout",
}


def _check_stock(story: Story, row: Row, top: str, error: str) -> None:
    sku = sim.SKUS[row.sku]
    tries = 2 if row.outcome == sim.READ_FAILED else 1
    took = tries * (row.read_us + HOP_US) + row.read_pause_us
    attributes: dict[str, str | int] = {"shop.sku": sku, "shop.quantity": row.quantity}
    failed = error if row.outcome == sim.READ_FAILED else ""
    step = story.span("gateway", row.gateway, "check_stock", "internal", row.start + 1_100, took, top, attributes, failed)
    _reads(story, row, step, f"/products/{sku}", "/products/{sku}", f"product:{sku}", row.read_pause_us)


def _reads(story: Story, row: Row, parent: str, path: str, route: str, key: str, pause: int) -> None:
    """The gateway asks inventory, twice if the first answer was a failure; inventory asks its cache and its database."""
    failed = row.outcome == sim.READ_FAILED
    start = row.start + 1_400
    for attempt in (1, 2) if failed else (1,):
        status, error, reason = (503, "database_unavailable", ANSWERED_503) if failed else (200, "", "")
        took = row.read_us + HOP_US
        call = story.client(
            "gateway", row.gateway, "inventory", "GET", path, status, start - 300, took, parent, reason, attempt - 1
        )
        top = story.server("inventory", row.inventory, "GET", route, status, start, row.read_us, call, path, error)
        away = row.cache == sim.ERROR
        cache = {**REDIS, "db.query.text": f"GET {key}"}
        own = row.read_us - row.sql_us
        begin, lasted = start + own // 6, own // 4
        lookup = story.span("inventory", row.inventory, "GET", "client", begin, lasted, top, cache, CACHE_AWAY if away else "")
        if away and getattr(row, "complains", False):
            story.line("inventory", row.inventory, "warn", begin + lasted, "cache unavailable", lookup, reason=CACHE_AWAY)
        text = "SELECT sku, name, price_cents, stock FROM products"
        if row.sql_us or failed:
            query = {**SQL, "db.query.text": text + (" ORDER BY sku" if route == "/products" else " WHERE sku = %s")}
            lasted, why = row.sql_us or own // 3, REFUSED if failed else ""
            story.span("inventory", row.inventory, "SELECT", "client", start + own // 2, lasted, top, query, why)
        if failed:
            end = start + row.read_us - 100
            story.line("inventory", row.inventory, "error", end, "database unavailable", top, reason=REFUSED)
            _call_failed(story, row, "inventory", attempt, ANSWERED_503, call, start + row.read_us + 300)
        start += row.read_us + HOP_US + pause


def _call_failed(story: Story, row: Row, upstream: str, attempt: int, reason: str, span_id: str, when: int) -> None:
    story.line(
        "gateway", row.gateway, "warn", when, "upstream call failed", span_id, upstream=upstream, attempt=attempt, reason=reason
    )


def _pay(story: Story, row: Row, top: str) -> None:
    money: dict[str, str | int] = {"shop.order_id": story.order_id, "shop.amount_cents": row.amount_cents}
    failed = ORDER_ERRORS[row.outcome] if row.outcome in (sim.PAY_FAILED, sim.PAY_TIMEOUT) else ""
    waited = min(row.pay_us + HOP_US, PAY_TIMEOUT_US)
    again = row.pay_start + waited + row.pay_pause_us
    end = again + min(row.pay_again_us + HOP_US, PAY_TIMEOUT_US) if row.pay_pause_us else row.pay_start + waited
    undone = row.void_us + HOP_US if row.void_us else 0
    took = end + undone - row.pay_start + 100
    step = story.span("gateway", row.gateway, "pay", "internal", row.pay_start - 400, took, top, money, failed)
    _pay_try(story, row, step, 1, row.pay_start, row.pay_us, row.pay_500, charges=not row.pay_500)
    if row.pay_pause_us:
        _pay_try(story, row, step, 2, again, row.pay_again_us, row.pay_again_500, charges=row.pay_500 and not row.pay_again_500)
    if row.void_us:
        path = f"/payments/{story.order_id}/void"
        call = story.client("gateway", row.gateway, "payments", "POST", path, 200, end - 300, undone, top)
        route = "/payments/{order_id}/void"
        void = story.server("payments", row.payments, "POST", route, 200, end, row.void_us, call, path)
        told = {"order_id": story.order_id}
        story.line("payments", row.payments, "info", end + row.void_us, "payment voided", void, **told)
        reason = "the answer to the payment stayed unknown"
        story.line("gateway", row.gateway, "warn", end + undone, "payment voided", top, reason=reason, **told)


def _pay_try(story: Story, row: Row, step: str, attempt: int, start: int, took: int, broken: bool, charges: bool) -> None:
    """One try. One that takes too long goes on in payments after the gateway has hung up."""
    late = took + HOP_US > PAY_TIMEOUT_US
    declined = row.outcome == sim.DECLINED
    status, error = (500, "internal_error") if broken else (402, "card_declined") if declined else (201, "")
    reason = NO_ANSWER if late else ANSWERED_500 if broken else ""
    waited = PAY_TIMEOUT_US if late else took + HOP_US
    answered = 0 if late else status
    call = story.client(
        "gateway", row.gateway, "payments", "POST", "/payments", answered, start - 300, waited, step, reason, attempt - 1
    )
    top = story.server("payments", row.payments, "POST", "/payments", status, start, took, call, error=error)
    told = {"order_id": story.order_id, "amount_cents": row.amount_cents}
    if charges:
        events = ("card.declined",) if declined else ()
        money: dict[str, str | int] = {"shop.order_id": story.order_id, "shop.amount_cents": row.amount_cents}
        begin, lasted = start + took // 8, took * 3 // 4
        span = story.span("payments", row.payments, "charge_card", "internal", begin, lasted, top, money, events=events)
        level, message, more = ("warn", "payment declined", {"error": error}) if declined else ("info", "payment authorized", {})
        story.line("payments", row.payments, level, start + took, message, span, **told, **more)
    elif not broken:
        story.line("payments", row.payments, "info", start + took, "payment repeated", top, **told)
    if reason:
        _call_failed(story, row, "payments", attempt, reason, call, start + waited)


def _reserve(story: Story, row: Row, top: str) -> None:
    unknown = row.outcome == sim.RESERVE_UNKNOWN
    attributes: dict[str, str | int] = {"shop.order_id": story.order_id, "shop.sku": sim.SKUS[row.sku]}
    each = row.reserve_us + HOP_US
    took = 4 * each + 2 * row.reserve_pause_us if unknown else each
    failed = "Whether the order was placed is not known yet." if unknown else ""
    step = story.span("gateway", row.gateway, "reserve", "internal", row.reserve_start - 300, took, top, attributes, failed)
    start = row.reserve_start
    cancel = f"/reservations/{story.order_id}/cancel"
    for number in range(4 if unknown else 1):
        path, route = ("/reservations", "/reservations") if number < 2 else (cancel, "/reservations/{order_id}/cancel")
        status, error, reason = (503, "database_unavailable", ANSWERED_503) if unknown else (201, "", "")
        attempt = number % 2 + 1
        call = story.client(
            "gateway", row.gateway, "inventory", "POST", path, status, start - 300, each, step, reason, attempt - 1
        )
        server = story.server("inventory", row.reserver, "POST", route, status, start, row.reserve_us, call, path, error)
        _write(story, row, server, start, DISK if unknown else "")
        if unknown:
            _call_failed(story, row, "inventory", attempt, reason, call, start + each - 300)
        else:
            _reserved(story, row, server, start)
        start += each + (row.reserve_pause_us if number % 2 == 0 else 0)
    if unknown:
        reason = "inventory answered 503 to the cancellation"
        end = row.reserve_start + took - 300
        story.line(
            "gateway", row.gateway, "error", end, "reservation state unknown", step, order_id=story.order_id, reason=reason
        )


def _write(story: Story, row: Row, server: str, start: int, error: str) -> None:
    """The statements of the transaction, and the cache told to forget."""
    texts = ["UPDATE products SET stock = stock - %s WHERE sku = %s AND stock >= %s"]
    if not error:
        texts += ["INSERT INTO orders VALUES (%s, %s, %s, %s, %s)", "INSERT INTO outbox VALUES (%s, %s)"]
    part = row.reserve_sql_us // len(texts)
    own = row.reserve_us - row.reserve_sql_us
    for number, text in enumerate(texts):
        begin = start + own // 4 + number * part
        query = {**SQL, "db.query.text": text}
        story.span("inventory", row.reserver, text.split()[0], "client", begin, part, server, query, error)
    if error:
        when = start + row.reserve_us - 100
        story.line("inventory", row.reserver, "error", when, "database unavailable", server, reason=error)
        return
    forget = {**REDIS, "db.query.text": "DEL ? ?"}
    begin = start + row.reserve_sql_us + own // 2
    story.span("inventory", row.reserver, "DELETE", "client", begin, own // 4, server, forget)


def _reserved(story: Story, row: Row, server: str, start: int) -> None:
    """The reservation is made; the worker has its money captured, now or when it can."""
    told = {"order_id": story.order_id, "sku": sim.SKUS[row.sku], "quantity": row.quantity}
    story.line("inventory", row.reserver, "info", start + row.reserve_us - 100, "reserved", server, **told)
    attributes: dict[str, str | int] = {
        "shop.order_id": story.order_id,
        "messaging.system": "outbox",
        "messaging.operation.type": "process",
        "messaging.destination.name": "orders",
    }
    path = f"/payments/{story.order_id}/capture"
    for attempt, moment in enumerate(row.failed_at, 1):
        reason = "NewConnectionError"
        tried = story.span(
            "inventory", row.reserver, "confirm_order", "consumer", moment - 2_000, 2_000, server, attributes, reason
        )
        story.client("inventory", row.reserver, "payments", "POST", path, 0, moment - 1_800, 1_500, tried, reason)
        told_why = {"order_id": story.order_id, "reason": reason, "attempt": attempt}
        story.line("inventory", row.reserver, "error", moment, "confirmation failed", tried, **told_why)
    took = row.confirm_us + HOP_US + 400
    work = story.span("inventory", row.reserver, "confirm_order", "consumer", row.confirm_start - 200, took, server, attributes)
    call = story.client(
        "inventory", row.reserver, "payments", "POST", path, 200, row.confirm_start, row.confirm_us + HOP_US, work
    )
    route = "/payments/{order_id}/capture"
    top = story.server("payments", row.payments, "POST", route, 200, row.confirm_start + 300, row.confirm_us, call, path)
    captured = row.confirm_start + 300 + row.confirm_us
    amount = {"order_id": story.order_id, "amount_cents": row.amount_cents}
    story.line("payments", row.payments, "info", captured, "payment captured", top, **amount)
    story.line("inventory", row.reserver, "info", captured + 400, "order confirmed", work, order_id=story.order_id)
