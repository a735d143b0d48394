"""The script of the month: what stands where, how many customers come, what is rolled out, and what goes wrong.

June 2026 begins on a Monday. Everything that happens in the archive happens because a line of this file says so; `simulation.py`
plays it. All times are UTC.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

SEED = 20260601
START = datetime(2026, 6, 1, tzinfo=UTC)
END = datetime(2026, 7, 1, tzinfo=UTC)
MINUTES = 43_200
START_MS = 1_780_272_000_000

# Who is there all month. A service's two instances share the customers evenly.
INSTANCES: Mapping[str, tuple[str, ...]] = {
    "frontend": ("frontend-1:8080", "frontend-2:8080", "frontend-3:8080"),
    "gateway": ("gateway-1:8081", "gateway-2:8081"),
    "payments": ("payments-1:8082", "payments-2:8082"),
    "inventory": ("inventory-1:8083", "inventory-2:8083"),
}
LANGUAGES = {"frontend": "python", "gateway": "node", "payments": "go", "inventory": "python"}
HOSTS = ("web-1:9100", "db-1:9100")  # node_exporter: the services run on web-1, PostgreSQL and Valkey on db-1
POSTGRES, VALKEY, PUSHGATEWAY = "postgres_exporter:9187", "redis_exporter:9121", "pushgateway:9091"


def minute(day: int, clock: str) -> int:
    """Minutes since the start of the month at a time of a day of June: minute(15, "09:30")."""
    hours, minutes = clock.split(":")
    return (day - 1) * 1440 + int(hours) * 60 + int(minutes)


def at(index: int) -> datetime:
    """The time of a minute of the month."""
    return START + timedelta(minutes=index)


# --- customers -----------------------------------------------------------------------------------------------------------

REQUESTS_A_MINUTE = 80  # at the frontend, on average
# The share of an hour, against each other, and of a weekday in percent of a Monday. Between full hours the rate moves evenly.
BY_HOUR = (25, 18, 14, 12, 14, 22, 38, 60, 85, 105, 115, 120, 118, 115, 112, 110, 112, 120, 130, 135, 120, 95, 65, 40)
BY_WEEKDAY = (100, 98, 100, 104, 112, 125, 90)
SALES = ((minute(20, "17:00"), minute(20, "19:00"), 3),)  # from, to, times as many customers: busy, and nothing breaks
THIRD_FRONTEND = (minute(20, "16:30"), minute(20, "19:30"))  # an instance that comes for the sale and goes again

MIX_PERMILLE = {"browse": 600, "stock": 300, "order": 100}
DECLINED_PERMILLE = 50  # cards
# sku: price in cents, weight among orders, days that a full stock lasts. SET-001 was a last batch, gone in May.
PRODUCTS: Mapping[str, tuple[int, int, float]] = {
    "TEA-001": (790, 5, 2.6),
    "TEA-002": (690, 4, 3.0),
    "CUP-001": (1250, 3, 3.4),
    "POT-001": (3900, 2, 6.0),
    "KET-001": (6900, 1, 9.0),
}
SOLD_OUT = "SET-001"
RESTOCK_CLOCK = 2 * 60  # the nightly job of inventory fills every stock again at 02:00


# --- what is rolled out --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Deploy:
    """One roll-out: each instance is down for a minute, the second one five minutes after the first."""

    service: str
    version: str
    minute: int


FIRST_VERSION = "1.4.0"
DEPLOYS = (
    Deploy("payments", "1.4.1", minute(2, "10:00")),
    Deploy("gateway", "1.4.1", minute(5, "09:00")),  # brings the leak
    Deploy("frontend", "1.4.1", minute(9, "13:00")),
    Deploy("gateway", "1.4.2", minute(11, "10:00")),  # mends it
    Deploy("inventory", "1.4.1", minute(17, "13:45")),  # twenty minutes before the bad one, and innocent
    Deploy("payments", "1.5.0", minute(17, "14:05")),  # the bad one
    Deploy("payments", "1.4.1", minute(17, "14:40")),  # rolled back
    Deploy("frontend", "1.4.2", minute(22, "12:30")),  # half an hour before the slow database, and innocent
    Deploy("inventory", "1.4.2", minute(23, "09:00")),
    Deploy("payments", "1.5.1", minute(24, "10:00")),
)

# --- what goes wrong -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Trail:
    """Spans in which an incident shows, as one would search for them."""

    service: str
    name: str
    error: bool = False  # those that failed
    slower_than_us: int = 0
    status: int = 0  # those answered with this HTTP status


@dataclass(frozen=True)
class Incident:
    """Something that went wrong, and how a person can see it."""

    name: str
    start: int  # minute of the month
    end: int
    service: str  # where the cause is
    cause: str
    metric: str  # a query that has an answer while it lasts, and none in the hour before
    logs: str  # LogQL behind {service="..."} that finds lines of these minutes
    traces: Trail  # which of its spans show it

    @property
    def minutes(self) -> int:
        return self.end - self.start

    @property
    def began(self) -> datetime:
        return at(self.start)

    @property
    def ended(self) -> datetime:
        return at(self.end)


INCIDENTS = {
    one.name: one
    for one in (
        Incident(
            "leak",
            minute(5, "09:00"),
            minute(11, "10:06"),
            "gateway",
            "version 1.4.1 keeps every request's body; the kernel ends it at 512 MB, about once a day",
            'process_resident_memory_bytes{job="gateway"} > 480e6',
            '| json | message="listening" | version="1.4.1"',
            Trail("frontend", "POST", error=True),
        ),
        Incident(
            "retry storm",
            minute(8, "18:00"),
            minute(8, "18:25"),
            "payments",
            "the card provider takes seconds; the gateway gives up after 3 s and asks again, so payments works twice",
            'rate(upstream_requests_total{job="gateway",upstream="payments",attempt="retry"}[5m]) > 0.02',
            '|= "amount_cents" | json | message="payment repeated"',
            Trail("payments", "POST /payments", slower_than_us=3_000_000),
        ),
        Incident(
            "cache down",
            minute(12, "11:00"),
            minute(12, "11:40"),
            "inventory",
            "Valkey is away; every look-up is answered by PostgreSQL, slower, and no customer sees an error",
            'rate(inventory_cache_requests_total{result="error"}[5m]) > 0',
            '|= "cache unavailable"',
            Trail("inventory", "GET", error=True),
        ),
        Incident(
            "database outage",
            minute(15, "09:30"),
            minute(15, "10:15"),
            "inventory",
            "PostgreSQL is down for 45 minutes: nothing can be looked up or sold",
            'rate(http_requests_total{job="inventory",code="503"}[5m]) > 0',
            '|= "database unavailable" |= "Connection refused"',
            Trail("inventory", "GET /products/{sku}", error=True),
        ),
        Incident(
            "bad deploy",
            minute(17, "14:06"),
            minute(17, "14:46"),
            "payments",
            "version 1.5.0 answers a quarter of the payments with 500",
            'rate(http_requests_total{job="payments",code="500"}[5m]) > 0.01',
            '| json | version="1.5.0" | status="500"',
            Trail("payments", "POST /payments", error=True),
        ),
        Incident(
            "silent restock",
            minute(18, "02:00"),
            minute(21, "09:10"),
            "inventory",
            "the nightly job does not run, says nothing, and from the 19th on products are sold out",
            'increase(shop_orders_total{result="out_of_stock"}[1h]) > 0',
            '| json | message="restocked" | quantity > 8000',
            Trail("gateway", "POST /orders", status=409),
        ),
        Incident(
            "slow database",
            minute(22, "13:00"),
            minute(22, "15:00"),
            "inventory",
            "a report reads the orders table for two hours; transactions wait for it, and the pool of ten connections is used up",
            "inventory_db_waiting_requests > 0",
            '| json | route="/reservations" | duration_ms > 300',
            Trail("inventory", "POST /reservations", slower_than_us=300_000),
        ),
        Incident(
            "disk full",
            minute(25, "05:20"),
            minute(25, "06:00"),
            "inventory",
            "old WAL files fill PostgreSQL's disk from the 10th on; from 05:20 reads work and writes do not",
            'rate(http_requests_total{job="inventory",route="/reservations",code="503"}[5m]) > 0',
            '|= "No space left on device"',
            Trail("inventory", "POST /reservations", error=True),
        ),
        Incident(
            "partition",
            minute(27, "20:10"),
            minute(27, "20:25"),
            "frontend",
            "frontend-2 does not reach the gateway: half of what asks for more than a page fails",
            'rate(upstream_requests_total{job="frontend",outcome="unreachable"}[5m]) > 0.02',
            '| json | message="request" | error="gateway_unreachable"',
            Trail("frontend", "POST", error=True),
        ),
        Incident(
            "stuck outbox",
            minute(29, "03:00"),
            minute(29, "05:30"),
            "inventory",
            "confirmations cannot be sent; orders are taken all the same, and wait for up to two and a half hours",
            "inventory_outbox_oldest_age_seconds > 60",
            '|= "confirmation failed"',
            Trail("inventory", "confirm_order", error=True),
        ),
    )
}

LEAK_BYTES_A_MINUTE = 300_000
MEMORY_LIMIT_BYTES = 512 << 20
BAD_DEPLOY_PERMILLE = 250  # of payments answered with 500 by version 1.5.0
BACKGROUND_PAYMENT_ERROR_PERMILLE = 2  # on any day; the gateway's second try nearly always succeeds
BACKGROUND_UNREACHABLE_PER_100000 = 25  # calls of the gateway that a frontend loses on any day

# Holes in the record, as every record has them: (job, instance, first minute, minutes, does `up` say 0 or is it missing too).
SCRAPE_GAPS = (
    ("frontend", "frontend-1:8080", minute(4, "13:07"), 1, "missing"),
    ("postgres", POSTGRES, minute(9, "04:12"), 3, "down"),
    ("node", "web-1:9100", minute(13, "22:40"), 10, "down"),
    ("payments", "payments-2:8082", minute(19, "08:31"), 1, "missing"),
    ("inventory", "inventory-1:8083", minute(26, "16:03"), 2, "down"),
)
ZONE_SINCE = minute(12, "15:00")  # from then on the target of redis_exporter carries a label `zone`
DISK_FILLS = (minute(10, "00:00"), minute(25, "05:20"))
BACKUPS_FAIL = (18, 21)  # days of June on which the nightly backup at 02:30 did not run, the first included, the last not
