"""What is in stock and who gets it. Every change is one transaction; the row of the product is locked while it changes."""

from typing import Any

import psycopg
from opentelemetry.propagate import inject
from prometheus_client import Counter
from shopkit import metrics
from shopkit.web import Refusal

from inventory.cache import Cache
from inventory.database import Database

PRODUCT = "SELECT sku, name, price_cents, stock FROM products"
ORDER = "SELECT order_id::text, sku, quantity, amount_cents, state FROM orders WHERE order_id = %s"

reservations = Counter("inventory_reservations_total", "Reservations by what became of them.", ["result"])


class Stock:
    """Products and reservations."""

    def __init__(self, database: Database, cache: Cache) -> None:
        self.database, self.cache = database, cache
        metrics.born(reservations, result=("reserved", "repeated", "out_of_stock", "cancelled"))

    def products(self) -> list[dict[str, Any]]:
        found = self.cache.get("products")
        if found is None:
            with self.database.transaction("list_products") as connection:
                found = list(connection.execute(f"{PRODUCT} ORDER BY sku"))
            self.cache.put("products", found)
        return found

    def product(self, sku: str) -> dict[str, Any]:
        """One product. Raises Refusal (404)."""
        found = self.cache.get(f"product:{sku}")
        if found is None:
            with self.database.transaction("get_product") as connection:
                found = connection.execute(f"{PRODUCT} WHERE sku = %s", [sku]).fetchone()
            if found is None:
                raise _unknown(sku)
            self.cache.put(f"product:{sku}", found)
        return found

    def order(self, order_id: str) -> dict[str, Any]:
        with self.database.transaction("get_order") as connection:
            found = connection.execute(ORDER, [order_id]).fetchone()
        if found is None:
            raise Refusal(404, "unknown_order", "There is no such order.")
        return found

    def reserve(self, order_id: str, sku: str, quantity: int, amount_cents: int) -> tuple[dict[str, Any], bool]:
        """The order, reserved, and whether it was so before. Raises Refusal (404, 409).

        Reservation and outbox row are one transaction: what is reserved will be confirmed, and nothing else.
        """
        with self.database.transaction("reserve") as connection:
            lock(connection, order_id)
            before = connection.execute(f"{ORDER} FOR UPDATE", [order_id]).fetchone()
            if before is None:
                _take(connection, sku, quantity)
                before = _insert(connection, order_id, sku, quantity, amount_cents)
                repeated = False
            else:
                repeated = True
        if before["state"] == "cancelled":
            raise Refusal(409, "order_cancelled", "This order was cancelled.")
        if (before["sku"], before["quantity"], before["amount_cents"]) != (sku, quantity, amount_cents):
            raise Refusal(409, "order_differs", "This order was reserved with other contents.")
        reservations.labels("repeated" if repeated else "reserved").inc()
        self.cache.forget("products", f"product:{sku}")
        return before, repeated

    def cancel(self, order_id: str) -> dict[str, Any]:
        """The order, cancelled, its pieces back in stock. One that never arrived is cancelled too, so that it cannot arrive later.

        Raises Refusal (409) when its money is taken or being taken: from then on it goes through.
        """
        with self.database.transaction("cancel") as connection:
            lock(connection, order_id)
            connection.execute("INSERT INTO orders (order_id, state) VALUES (%s, 'cancelled') ON CONFLICT DO NOTHING", [order_id])
            found = connection.execute(f"{ORDER} FOR UPDATE", [order_id]).fetchone()
            assert found is not None
            if found["state"] in ("confirming", "confirmed"):
                raise Refusal(409, "already_confirmed", "This order is confirmed and cannot be cancelled any more.")
            was_reserved = found["state"] == "reserved"
            if was_reserved:
                give_back(connection, order_id)
        if was_reserved:
            reservations.labels("cancelled").inc()
            self.cache.forget("products", f"product:{found['sku']}")
        return {**found, "state": "cancelled"}

    def set_stock(self, sku: str, stock: int) -> dict[str, Any]:
        """Sets a product's stock, for experiments. Raises Refusal (404)."""
        with self.database.transaction("set_stock") as connection:
            changed = connection.execute("UPDATE products SET stock = %s WHERE sku = %s", [stock, sku])
        if not changed.rowcount:
            raise _unknown(sku)
        self.cache.forget("products", f"product:{sku}")
        return self.product(sku)


def lock(connection: psycopg.Connection, order_id: str) -> None:
    """Whoever works on an order waits here for whoever else does, until the transaction ends."""
    connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [order_id])


def give_back(connection: psycopg.Connection, order_id: str) -> str:
    """Cancels a reserved order: its pieces return to stock, and nothing of it is confirmed any more. Returns its product."""
    connection.execute("DELETE FROM outbox WHERE order_id = %s", [order_id])
    [product] = connection.execute(
        "UPDATE products SET stock = stock + quantity FROM orders WHERE order_id = %s AND orders.sku = products.sku "
        "RETURNING products.sku",
        [order_id],
    )
    connection.execute("UPDATE orders SET state = 'cancelled', changed_at = now() WHERE order_id = %s", [order_id])
    return str(product["sku"])


def _take(connection: psycopg.Connection, sku: str, quantity: int) -> None:
    """Takes pieces out of stock if there are enough: one statement, so two buyers cannot both see the last one."""
    taken = connection.execute(
        "UPDATE products SET stock = stock - %(n)s WHERE sku = %(sku)s AND stock >= %(n)s", {"n": quantity, "sku": sku}
    )
    if taken.rowcount:
        return
    if connection.execute("SELECT 1 FROM products WHERE sku = %s", [sku]).fetchone() is None:
        raise _unknown(sku)
    reservations.labels("out_of_stock").inc()
    raise Refusal(409, "out_of_stock", "There are not enough pieces left.")


def _insert(connection: psycopg.Connection, order_id: str, sku: str, quantity: int, amount_cents: int) -> dict[str, Any]:
    connection.execute(
        "INSERT INTO orders (order_id, sku, quantity, amount_cents, state) VALUES (%s, %s, %s, %s, 'reserved')",
        [order_id, sku, quantity, amount_cents],
    )
    carrier: dict[str, str] = {}
    inject(carrier)
    connection.execute(
        "INSERT INTO outbox (order_id, traceparent) VALUES (%s, %s)", [order_id, carrier.get("traceparent", "")]
    )
    return {"order_id": order_id, "sku": sku, "quantity": quantity, "amount_cents": amount_cents, "state": "reserved"}


def _unknown(sku: str) -> Refusal:
    return Refusal(404, "unknown_product", f"There is no product {sku}.")
