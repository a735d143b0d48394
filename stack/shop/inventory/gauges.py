"""What is true of the database at the moment of a scrape. While it cannot be asked, these series are left out, not guessed."""

from collections.abc import Iterator

import psycopg
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from inventory.database import POOL_SIZE, Database

STOCK = "SELECT sku, stock FROM products ORDER BY sku"
QUEUE = "SELECT count(*) AS n, coalesce(extract(epoch FROM now() - min(created_at)), 0)::float AS age FROM outbox"


class Gauges(Collector):
    def __init__(self, database: Database) -> None:
        self.database = database

    def describe(self) -> list[Metric]:
        return []  # so that registering does not ask the database

    def collect(self) -> Iterator[Metric]:
        yield from self._pool()
        try:
            stock, [queue] = self.database.aside.rows(STOCK), self.database.aside.rows(QUEUE)
        except psycopg.Error:
            return
        pieces = GaugeMetricFamily("inventory_stock", "Pieces in stock, read from the database at each scrape.", labels=["sku"])
        for row in stock:
            pieces.add_metric([row["sku"]], row["stock"])
        yield pieces
        yield GaugeMetricFamily("inventory_outbox_queue_length", "Confirmations that wait.", queue["n"])
        yield GaugeMetricFamily(
            "inventory_outbox_oldest_age_seconds", "Age of the oldest confirmation that waits, 0 when none does.", queue["age"]
        )

    def _pool(self) -> Iterator[Metric]:
        now = self.database.pool.get_stats()
        idle = now.get("pool_available", 0)
        connections = GaugeMetricFamily("inventory_db_connections", "Connections of the pool.", labels=["state"])
        connections.add_metric(["idle"], idle)
        connections.add_metric(["used"], now.get("pool_size", 0) - idle)
        yield connections
        yield GaugeMetricFamily("inventory_db_connections_max", "Size of the pool.", POOL_SIZE)
        yield GaugeMetricFamily(
            "inventory_db_waiting_requests", "Requests that wait for a connection.", now.get("requests_waiting", 0)
        )
