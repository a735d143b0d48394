"""The worker behind the reservations: it has the money of each order captured, and refills stock that runs low."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry import context, trace
from opentelemetry.instrumentation.utils import suppress_instrumentation
from opentelemetry.propagate import extract
from prometheus_client import Counter
from shopkit.logs import Log
from shopkit.tracing import tracer
from shopkit.upstream import Upstream

from inventory.cache import Cache
from inventory.database import DOWN, Database, backoff_seconds
from inventory.stock import give_back, lock, reservations

POLL_SECONDS = 0.5
REFILL_SECONDS = 10
CAPTURE_SECONDS = 3.0
NEXT = "SELECT order_id::text, traceparent, tries FROM outbox WHERE next_try_at <= now() ORDER BY created_at LIMIT 1"
# Answers after which no money will ever be taken for an order: its pieces go back.
FINAL = ("payment_not_authorized", "unknown_payment")

processed = Counter("inventory_outbox_processed_total", "Confirmations sent.")
failures = Counter("inventory_outbox_failures_total", "Attempts to send a confirmation that failed and will be made again.")
restocked = Counter("inventory_restocked_items_total", "Pieces that came in.")


@contextmanager
def _trace_of_the_order(traceparent: str) -> Iterator[None]:
    """Goes on in the trace of the order, with spans for calls and queries, which the worker's own polling does without."""
    token = context.attach(extract({"traceparent": traceparent}, context=context.Context()))
    try:
        yield
    finally:
        context.detach(token)


class Worker:
    """Drains the outbox in a thread of its own: at least once, so whoever is asked must take a repetition well."""

    def __init__(self, database: Database, cache: Cache, payments: Upstream, log: Log) -> None:
        self.database, self.cache, self.payments, self.log = database, cache, payments, log
        self.wake = threading.Event()

    def start(self) -> None:
        threading.Thread(target=self._run, name="outbox", daemon=True).start()

    def _run(self) -> None:
        refill_at = 0.0
        while True:
            self.wake.wait(POLL_SECONDS)
            self.wake.clear()
            try:
                while self._one():
                    pass
                if time.monotonic() > refill_at:
                    refill_at = time.monotonic() + REFILL_SECONDS
                    self._refill()
            except DOWN as error:
                self.log.error("database unavailable", reason=f"{type(error).__name__}: {error}"[:200])
                time.sleep(backoff_seconds(3))
            except Exception as error:  # whatever it was, the next order must not wait for it for ever
                self.log.error("unexpected error", reason=f"{type(error).__name__}: {error}"[:300])
                time.sleep(backoff_seconds(3))

    def _one(self) -> bool:
        """Confirms the oldest order that waits. False when none does.

        First it is marked, so that nobody cancels it any more; then, without any lock held, its money is captured; then it is
        confirmed. After a crash in between it is still marked, and is captured again, which payments does at most once.
        """
        with suppress_instrumentation(), self.database.pool.connection() as connection:
            row = connection.execute(NEXT).fetchone()
        if row is None:
            return False
        with suppress_instrumentation(), self.database.pool.connection() as connection, connection.transaction():
            lock(connection, row["order_id"])
            connection.execute(
                "UPDATE orders SET state = 'confirming', changed_at = now() WHERE order_id = %s AND state = 'reserved'",
                [row["order_id"]],
            )
            waits = connection.execute("SELECT 1 FROM outbox WHERE order_id = %s", [row["order_id"]]).fetchone()
        if waits:  # nobody has cancelled it in between
            self._confirm(row)
        return True

    def _confirm(self, row: dict) -> None:
        order_id = row["order_id"]
        attributes = {
            "shop.order_id": order_id,
            "messaging.system": "outbox",
            "messaging.operation.type": "process",
            "messaging.destination.name": "orders",
        }
        with (
            _trace_of_the_order(row["traceparent"]),
            tracer.start_as_current_span("confirm_order", kind=trace.SpanKind.CONSUMER, attributes=attributes) as span,
        ):
            answer = self.payments.call("POST", f"/payments/{order_id}/capture", CAPTURE_SECONDS)
            with self.database.pool.connection() as connection, connection.transaction():
                if answer.outcome == "ok":
                    done = "UPDATE orders SET state = 'confirmed', changed_at = now() WHERE order_id = %s"
                    connection.execute(done, [order_id])
                    connection.execute("DELETE FROM outbox WHERE order_id = %s", [order_id])
                elif answer.error_code() in FINAL:
                    sku = give_back(connection, order_id)
                else:
                    connection.execute(
                        "UPDATE outbox SET tries = tries + 1, next_try_at = now() + make_interval(secs => %s) WHERE order_id = %s",
                        [backoff_seconds(row["tries"]), order_id],
                    )
            if answer.outcome == "ok":
                processed.inc()
                self.log.info("order confirmed", order_id=order_id)
                return
            reason = answer.error_code() or answer.reason
            span.set_status(trace.StatusCode.ERROR, reason)
            failures.inc()
            self.log.error("confirmation failed", order_id=order_id, reason=reason, attempt=row["tries"] + 1)
            if answer.error_code() in FINAL:
                reservations.labels("cancelled").inc()
                self.cache.forget("products", f"product:{sku}")
                self.log.error("reservation cancelled", order_id=order_id, reason=reason)

    def _refill(self) -> None:
        with suppress_instrumentation(), self.database.pool.connection() as connection:
            low = connection.execute(
                "UPDATE products SET stock = stock + reorder_quantity WHERE stock < reorder_level AND reorder_quantity > 0 "
                "RETURNING sku, reorder_quantity"
            ).fetchall()
        for product in low:
            restocked.inc(product["reorder_quantity"])
            self.cache.forget("products", f"product:{product['sku']}")
            self.log.info("restocked", sku=product["sku"], quantity=product["reorder_quantity"])
