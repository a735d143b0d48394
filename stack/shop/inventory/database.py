"""PostgreSQL: the pool, migrations, and the switches that make it slow or exhaust it."""

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files

import psycopg
from opentelemetry.instrumentation.psycopg import PsycopgInstrumentor
from opentelemetry.instrumentation.utils import suppress_instrumentation
from prometheus_client import Histogram
from psycopg import sql
from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool, PoolTimeout
from shopkit.config import Config
from shopkit.faults import Fault, Faults

POOL_SIZE = 10
WAIT_SECONDS = 2.0  # a request waits so long for a connection
STATEMENT_SECONDS = 5
CONNECT_SECONDS = 3
START_SECONDS = 30  # longest wait for the database when the service starts
MIGRATION_LOCK = 4201  # any number, the same in every instance
DOWN = (psycopg.OperationalError, PoolTimeout)

duration = Histogram(
    "inventory_db_query_duration_seconds",
    "Time of a database transaction, waiting for a connection included.",
    ["query"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5),
)


class Database:
    """The service's connections."""

    def __init__(self, config: Config, faults: Faults) -> None:
        self.faults = faults
        PsycopgInstrumentor().instrument()
        self.options = {
            "conninfo": config.database,
            "password": config.database_password or None,
            "connect_timeout": CONNECT_SECONDS,
            "tcp_user_timeout": STATEMENT_SECONDS * 1000,
            "options": f"-c statement_timeout={STATEMENT_SECONDS}s",
            "row_factory": dict_row,
        }
        keywords = {key: value for key, value in self.options.items() if key != "conninfo"}
        self.exporter_password = config.exporter_password
        self.pool = ConnectionPool(
            config.database, kwargs=keywords, min_size=2, max_size=POOL_SIZE, timeout=WAIT_SECONDS, open=False, max_idle=300
        )
        self.aside = _Aside(self.options)
        faults.workers["pool"] = self._exhaust

    def open(self) -> None:
        """Waits for the database, brings it up to date and opens the pool. Raises psycopg.OperationalError."""
        deadline = time.monotonic() + START_SECONDS
        with suppress_instrumentation():
            while True:
                try:
                    self._migrate()
                    break
                except psycopg.OperationalError:
                    if time.monotonic() > deadline:
                        raise
                    time.sleep(0.1)  # the database starts too
            self.pool.open(wait=True, timeout=CONNECT_SECONDS)

    @contextmanager
    def transaction(self, query: str) -> Iterator[psycopg.Connection]:
        """A connection in a transaction, timed under the name `query`."""
        start = time.monotonic()
        try:
            with self.pool.connection() as connection, connection.transaction():
                slow = self.faults.strikes("slow_sql")
                if slow:
                    connection.execute("SELECT pg_sleep(%s)", [slow.values["seconds"]])
                yield connection
        finally:
            duration.labels(query).observe(time.monotonic() - start)

    def _migrate(self) -> None:
        with psycopg.connect(**self.options) as connection:
            connection.execute("SELECT pg_advisory_xact_lock(%s)", [MIGRATION_LOCK])
            connection.execute("CREATE TABLE IF NOT EXISTS migrations (name text PRIMARY KEY, at timestamptz DEFAULT now())")
            done = {row["name"] for row in connection.execute("SELECT name FROM migrations")}
            for file in sorted(files("inventory").joinpath("migrations").iterdir(), key=lambda file: file.name):
                if file.name not in done:
                    connection.execute(file.read_text("utf-8"))
                    connection.execute("INSERT INTO migrations (name) VALUES (%s)", [file.name])
            if self.exporter_password:
                self._let_exporter_in(connection)

    def _let_exporter_in(self, connection: psycopg.Connection) -> None:
        """A role for postgres_exporter: it reads statistics, and no table of ours."""
        if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = 'exporter'").fetchone() is None:
            connection.execute("CREATE ROLE exporter LOGIN IN ROLE pg_monitor")
        connection.execute(sql.SQL("ALTER ROLE exporter PASSWORD {}").format(sql.Literal(self.exporter_password)))

    def _exhaust(self, fault: Fault) -> None:
        """Takes every connection it can get and gives them back when the fault ends."""
        taken: list[psycopg.Connection] = []
        while not fault.ended.wait(0.05):
            try:
                taken.append(self.pool.getconn(timeout=0.2))
            except PoolTimeout:
                continue
        for connection in taken:
            self.pool.putconn(connection)


class _Aside:
    """One connection beside the pool, for what must work when the pool is exhausted: scrapes."""

    def __init__(self, options: dict) -> None:
        self.options = {**options, "connect_timeout": 1, "options": "-c statement_timeout=1s", "autocommit": True}
        self.lock = threading.Lock()
        self.connection: psycopg.Connection | None = None

    def rows(self, query: str) -> list[dict]:
        """The rows of a query. Raises psycopg.OperationalError when the database cannot be asked."""
        if not self.lock.acquire(timeout=1):
            raise psycopg.OperationalError("the last question is still without an answer")
        try:
            return self._asked(query)
        finally:
            self.lock.release()

    def _asked(self, query: str) -> list[dict]:
        with suppress_instrumentation():
            if self.connection is None or self.connection.closed:
                self.connection = psycopg.connect(**self.options)
            try:
                return list(self.connection.execute(query))
            except psycopg.Error:
                self.connection.close()
                raise


def backoff_seconds(tries: int) -> float:
    """0.2 s, doubled with each try up to 10 s, with jitter."""
    return min(10.0, 0.2 * 2 ** min(tries, 10)) * (0.5 + random.random() / 2)
