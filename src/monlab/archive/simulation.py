"""Plays the script: every request of the month, with its times and its outcome, as columns of whole numbers.

What the metrics count, what the logs say and what the traces show is read from these columns, so the three cannot disagree. Times
are microseconds since the start of the month.
"""

from dataclasses import dataclass, fields

import numpy as np

from monlab.archive import draws, month
from monlab.archive.fleet import Fleet, fleet
from monlab.archive.month import INCIDENTS, MINUTES, MIX_PERMILLE, PRODUCTS

MINUTE_US = 60_000_000
HOP_US = 600  # there and back between two services
PAY_TIMEOUT_US = 3_000_000
HOLD_US = 30 * MINUTE_US  # an authorization that nobody captures expires
SKUS = tuple(PRODUCTS)
MOST_READ_US, MOST_RESERVE_US = 960_000, 1_430_000  # just within the gateway's patience: slow, and no time-out

# What becomes of a request.
FINE, DECLINED, OUT_OF_STOCK, UNREACHABLE, READ_FAILED, PAY_FAILED, PAY_TIMEOUT, RESERVE_UNKNOWN = range(8)
ORDER_CODES = np.array([201, 402, 409, 502, 502, 502, 504, 504])
STOCK_CODES = np.array([200, 0, 0, 502, 502])
HIT, MISS, ERROR = range(3)  # of the cache


@dataclass
class Table:
    """Requests of one kind, a row each, by time of arrival."""

    def __len__(self) -> int:
        return len(getattr(self, fields(self)[0].name))


@dataclass
class Browse(Table):
    start: np.ndarray
    frontend: np.ndarray  # number of the instance, as in month.INSTANCES
    took: np.ndarray  # at the frontend


@dataclass
class Stock(Table):
    start: np.ndarray
    outcome: np.ndarray
    frontend: np.ndarray
    gateway: np.ndarray
    inventory: np.ndarray
    cache: np.ndarray
    sql_us: np.ndarray  # the transaction, waiting for a connection included; 0 where there was none
    read_us: np.ndarray  # inventory's answer; of each of two tries where it failed
    pause_us: np.ndarray  # before a second try; 0 where there was none
    gateway_us: np.ndarray
    took: np.ndarray

    gateway_start = property(lambda self: self.start + 900)
    read_start = property(lambda self: self.gateway_start + 500)
    again_start = property(lambda self: self.read_start + self.read_us + HOP_US + self.pause_us)


@dataclass
class Orders(Table):
    start: np.ndarray
    outcome: np.ndarray
    frontend: np.ndarray
    gateway: np.ndarray
    inventory: np.ndarray  # that answers the look-up
    payments: np.ndarray
    reserver: np.ndarray  # the instance of inventory that reserves and confirms
    sku: np.ndarray
    quantity: np.ndarray
    cache: np.ndarray
    sql_us: np.ndarray
    read_us: np.ndarray
    read_pause_us: np.ndarray
    pay_start: np.ndarray
    pay_us: np.ndarray  # payments' work for the first try
    pay_500: np.ndarray  # the first try was answered with 500
    pay_again_us: np.ndarray  # for the second try; 0 where there was none
    pay_again_500: np.ndarray
    pay_pause_us: np.ndarray
    void_us: np.ndarray
    reserve_start: np.ndarray
    reserve_us: np.ndarray
    reserve_sql_us: np.ndarray
    reserve_pause_us: np.ndarray
    gateway_us: np.ndarray
    took: np.ndarray
    confirm_start: np.ndarray  # 0 where there was no order to confirm
    confirm_us: np.ndarray  # payments' work for the capture

    gateway_start = Stock.gateway_start
    read_start = Stock.read_start
    amount_cents = property(lambda self: _prices()[self.sku] * self.quantity)
    reached_pay = property(lambda self: self.pay_start > 0)
    tried_again = property(lambda self: self.pay_pause_us > 0)
    pay_waited = property(lambda self: np.minimum(self.pay_us + HOP_US, PAY_TIMEOUT_US))
    pay_again_start = property(lambda self: self.pay_start + self.pay_waited + self.pay_pause_us)


@dataclass(frozen=True)
class Restock:
    """Pieces that came in."""

    minute: int
    sku: int
    quantity: int


@dataclass(frozen=True)
class World:
    """All that happened."""

    fleet: Fleet
    browse: Browse
    stock: Stock
    orders: Orders
    restocks: list[Restock]
    stock_levels: np.ndarray  # [products, MINUTES], at the moment of each sample
    failed_confirmations: tuple[np.ndarray, np.ndarray]  # moments, and rows of `orders`


def play() -> World:
    those = fleet()
    minutes, starts = _arrivals()
    kinds = draws.below("kind", len(starts), 1000)
    first, second = MIX_PERMILLE["browse"], MIX_PERMILLE["browse"] + MIX_PERMILLE["stock"]
    browse = _browse(those, minutes[kinds < first], starts[kinds < first])
    looks = (kinds >= first) & (kinds < second)
    stock = _stock(those, minutes[looks], starts[looks])
    orders = _orders(those, minutes[kinds >= second], starts[kinds >= second])
    restocks, levels = _sell(orders)
    _finish(orders)
    return World(those, browse, stock, orders, restocks, levels, _failed_confirmations(orders))


def expected_thousandths() -> np.ndarray:
    """Customers expected in each minute, in thousandths."""
    clock = np.arange(MINUTES) % 1440
    hour, past = clock // 60, clock % 60
    now, then = np.array(month.BY_HOUR)[hour], np.array(month.BY_HOUR)[(hour + 1) % 24]
    weight = now * 60 + (then - now) * past  # sixtieths
    weekday = np.array(month.BY_WEEKDAY)[np.arange(MINUTES) // 1440 % 7]
    rate = weight * weekday * month.REQUESTS_A_MINUTE * 1000 // (60 * sum(month.BY_HOUR) // 24 * 104)
    for begin, end, times in month.SALES:
        rate[begin:end] *= times
    return rate


def during(name: str, minutes: np.ndarray) -> np.ndarray:
    """Which of these minutes lie in an incident."""
    one = INCIDENTS[name]
    return (minutes >= one.start) & (minutes < one.end)


def _arrivals() -> tuple[np.ndarray, np.ndarray]:
    """Minute and moment of each customer, by time; none in the last two minutes, so that all are served within the month."""
    rate = expected_thousandths()
    rate[-2:] = 0
    minutes = np.repeat(np.arange(MINUTES), draws.counts("arrivals", rate))
    starts = np.sort(minutes * MINUTE_US + draws.below("moment", len(minutes), MINUTE_US))
    return minutes, starts


def _browse(those: Fleet, minutes: np.ndarray, start: np.ndarray) -> Browse:
    instance = those.pick("frontend", minutes, draws.bits("browse frontend", len(start)))
    return Browse(start, instance, draws.times_us("browse", len(start), 3_200))


def _looked_up(
    kind: str, those: Fleet, minutes: np.ndarray, frontend: np.ndarray, hit_permille: int, sql_us: int
) -> tuple[np.ndarray, ...]:
    """Outcome, cache result, time of the SQL and of the whole answer of inventory, and the pause before a second try."""
    size = len(minutes)
    outcome = np.full(size, FINE)
    outcome[draws.below(f"{kind} lost", size, 100_000) < month.BACKGROUND_UNREACHABLE_PER_100000] = UNREACHABLE
    outcome[during("partition", minutes) & (frontend == 1)] = UNREACHABLE
    crash = np.zeros(MINUTES, bool)
    crash[[minute for one in those.services["gateway"] for minute in one.crashes]] = True
    at_once = draws.below(f"{kind} crash", size, 12) == 0  # five seconds long half of the calls meet the dead one
    outcome[crash[minutes] & at_once] = UNREACHABLE
    down = during("database outage", minutes)
    cache = np.where(draws.chosen(f"{kind} cache", size, hit_permille), HIT, MISS)
    cache[during("cache down", minutes)] = ERROR
    cache[down] = MISS  # what was in it has expired
    outcome[down & (outcome == FINE)] = READ_FAILED
    sql = draws.times_us(f"{kind} sql", size, sql_us)
    slow = during("slow database", minutes)
    sql += np.where(slow, draws.times_us(f"{kind} wait", size, 260_000), 0)
    sql = np.where(cache == ERROR, sql * 2, sql)
    sql = np.where((cache == HIT) | (outcome != FINE), 0, np.minimum(sql, MOST_READ_US))
    read = draws.times_us(f"{kind} inventory", size, 2_100) + sql + np.where(cache == ERROR, 3_000, 0)
    read = np.where(outcome == READ_FAILED, draws.times_us(f"{kind} refused", size, 24_000), read)
    read[outcome == UNREACHABLE] = 0
    pause = np.where(outcome == READ_FAILED, 100_000 + draws.below(f"{kind} pause", size, 100_000), 0)
    return outcome, cache, sql, read, pause


def _stock(those: Fleet, minutes: np.ndarray, start: np.ndarray) -> Stock:
    size = len(start)
    frontend = those.pick("frontend", minutes, draws.bits("stock frontend", size))
    gateway = those.pick("gateway", minutes, draws.bits("stock gateway", size))
    inventory = those.pick("inventory", minutes, draws.bits("stock inventory", size))
    outcome, cache, sql, read, pause = _looked_up("stock", those, minutes, frontend, 700, 2_600)
    tries = np.where(outcome == READ_FAILED, 2, 1)
    behind = tries * (read + HOP_US) + pause + draws.times_us("stock gateway own", size, 1_300)
    behind[outcome == UNREACHABLE] = 0
    own = draws.times_us("stock own", size, 1_900)
    took = own + 900 + np.where(outcome == UNREACHABLE, 1_500, behind + HOP_US)
    return Stock(start, outcome, frontend, gateway, inventory, cache, sql, read, pause, behind, took)


def _orders(those: Fleet, minutes: np.ndarray, start: np.ndarray) -> Orders:
    size = len(start)
    nothing = np.zeros(size, np.int64)
    pick = lambda service, what: those.pick(service, minutes, draws.bits(f"order {what}", size))  # noqa: E731
    frontend = pick("frontend", "frontend")
    outcome, cache, sql, read, pause = _looked_up("order", those, minutes, frontend, 550, 1_700)
    weights = np.cumsum([weight for _price, weight, _days in PRODUCTS.values()])
    made = Orders(
        start=start,
        outcome=outcome,
        frontend=frontend,
        gateway=pick("gateway", "gateway"),
        inventory=pick("inventory", "inventory"),
        payments=pick("payments", "payments"),
        reserver=pick("inventory", "reserver"),
        sku=np.searchsorted(weights, draws.below("sku", size, int(weights[-1])), "right"),
        quantity=1 + (draws.below("quantity", size, 10) >= 7) + (draws.below("quantity more", size, 30) >= 27),
        cache=cache,
        sql_us=sql,
        read_us=read,
        read_pause_us=pause,
        **{
            name: nothing.copy()
            for name in ("pay_start", "pay_us", "pay_again_us", "pay_pause_us", "void_us", "reserve_start", "reserve_us")
        },
        **{name: nothing.copy() for name in ("reserve_sql_us", "reserve_pause_us", "gateway_us", "took", "confirm_start")},
        confirm_us=nothing.copy(),
        pay_500=np.zeros(size, bool),
        pay_again_500=np.zeros(size, bool),
    )
    _pay(made, those, minutes)
    made.outcome[(made.outcome == FINE) & during("disk full", minutes)] = RESERVE_UNKNOWN
    return made


def _pay(orders: Orders, those: Fleet, minutes: np.ndarray) -> None:
    """How the card provider and payments answer, for those that get so far."""
    size = len(orders)
    storm = during("retry storm", minutes)
    work = draws.times_us("pay", size, 46_000)
    work = np.where(storm, 1_900_000 + draws.times_us("pay in the storm", size, 1_300_000), work)
    orders.pay_us = np.minimum(work, 6_900_000)
    bad = those.runs_version("payments", "1.5.0")[orders.payments, minutes]
    chance = np.where(bad, month.BAD_DEPLOY_PERMILLE, month.BACKGROUND_PAYMENT_ERROR_PERMILLE)
    chance[storm] = 0
    orders.pay_500 = draws.chosen("pay fails", size, chance)
    orders.pay_us = np.where(orders.pay_500, draws.times_us("pay failing", size, 1_400), orders.pay_us)
    late = orders.pay_us + HOP_US > PAY_TIMEOUT_US
    orders.pay_pause_us = np.where(orders.pay_500 | late, 100_000 + draws.below("pay pause", size, 100_000), 0)
    orders.pay_again_500 = orders.pay_500 & draws.chosen("pay fails again", size, chance)
    # The second try of a late one waits until the first is done, and is told its result.
    rest = np.maximum(orders.pay_us - PAY_TIMEOUT_US - orders.pay_pause_us, 0) + draws.times_us("pay repeated", size, 1_500)
    again = np.where(late, rest, draws.times_us("pay again", size, 46_000))
    again = np.where(orders.pay_again_500, draws.times_us("pay failing again", size, 1_400), again)
    orders.pay_again_us = np.where(orders.pay_pause_us > 0, again, 0)
    going = orders.outcome == FINE
    orders.outcome[going & orders.pay_again_500] = PAY_FAILED
    too_late = going & late & (orders.pay_again_us + HOP_US > PAY_TIMEOUT_US)
    orders.outcome[too_late] = PAY_TIMEOUT
    going = orders.outcome == FINE
    orders.outcome[going & draws.chosen("card", size, month.DECLINED_PERMILLE)] = DECLINED


def capacity() -> list[int]:
    """Full stock of each product: it lasts the days that month.PRODUCTS gives, on average."""
    daily = month.REQUESTS_A_MINUTE * 1440 * MIX_PERMILLE["order"] // 1000
    weights = sum(weight for _price, weight, _days in PRODUCTS.values())
    return [int(days * 1000) * daily * weight * 14 // (weights * 10 * 1000) for _price, weight, days in PRODUCTS.values()]


def restock_minutes() -> list[int]:
    """When the nightly job ran, and when somebody did its work by hand."""
    silent = INCIDENTS["silent restock"]
    nights = [day * 1440 + month.RESTOCK_CLOCK for day in range(30)]
    return sorted([night for night in nights if not silent.start <= night < silent.end] + [silent.end])


def _sell(orders: Orders) -> tuple[list[Restock], np.ndarray]:
    """Takes pieces out of stock in the order of arrival; who finds too few goes home. Returns what came in, and the levels."""
    edges = np.array([*restock_minutes(), MINUTES]) * MINUTE_US
    levels = np.zeros((len(SKUS), MINUTES), np.int64)
    samples = np.arange(MINUTES) * MINUTE_US
    restocks = []
    for sku, full in enumerate(capacity()):
        rows = np.flatnonzero(orders.sku == sku)
        begin, left = 0, full
        for number, edge in enumerate(edges):
            if number:
                restocks += [Restock(int(begin // MINUTE_US), sku, full - left)] if left < full else []
                left = full
            mine = rows[(orders.start[rows] >= begin) & (orders.start[rows] < edge)]
            buys = np.where(orders.outcome[mine] == FINE, orders.quantity[mine], 0)
            sold_out = np.cumsum(buys) > left
            reached = np.isin(orders.outcome[mine], (FINE, DECLINED, PAY_FAILED, PAY_TIMEOUT, RESERVE_UNKNOWN))
            orders.outcome[mine[sold_out & reached]] = OUT_OF_STOCK
            taken = np.cumsum(np.where(sold_out, 0, buys))
            seen = (samples >= begin) & (samples < edge)
            before = np.searchsorted(orders.start[mine], samples[seen], "right")
            levels[sku, seen] = left - np.concatenate([[0], taken])[before]
            left -= int(taken[-1]) if len(taken) else 0
            begin = edge
    return sorted(restocks, key=lambda one: (one.minute, one.sku)), levels


def _finish(orders: Orders) -> None:
    """The times of what happened one after the other, now that it is known how far each order came."""
    size, outcome = len(orders), orders.outcome
    minutes = orders.start // MINUTE_US
    paid = np.isin(outcome, (FINE, DECLINED, PAY_FAILED, PAY_TIMEOUT, RESERVE_UNKNOWN))
    reserved = np.isin(outcome, (FINE, RESERVE_UNKNOWN))
    reads = np.where(outcome == READ_FAILED, 2, 1) * (orders.read_us + HOP_US) + orders.read_pause_us
    orders.pay_start = np.where(paid, orders.read_start + reads + 300, 0)
    for column in ("pay_us", "pay_again_us", "pay_pause_us"):
        setattr(orders, column, np.where(paid, getattr(orders, column), 0))
    orders.pay_500 &= paid
    orders.pay_again_500 &= paid
    again = orders.pay_pause_us > 0
    paying = np.where(paid, orders.pay_waited, 0) + orders.pay_pause_us
    paying += np.where(again, np.minimum(orders.pay_again_us + HOP_US, PAY_TIMEOUT_US), 0)
    undone = np.isin(outcome, (PAY_FAILED, PAY_TIMEOUT))
    orders.void_us = np.where(undone, draws.times_us("void", size, 2_400), 0)
    left = np.maximum(orders.pay_us - paying, 0)  # a void waits for a charge that is still being worked on
    orders.void_us += np.where(outcome == PAY_TIMEOUT, left, 0)
    paying += np.where(undone, orders.void_us + HOP_US, 0)
    slow = during("slow database", minutes)
    sql = draws.times_us("reserve sql", size, 6_200) + np.where(slow, draws.times_us("reserve wait", size, 560_000), 0)
    orders.reserve_sql_us = np.where(reserved, np.minimum(sql, MOST_RESERVE_US), 0)
    own = draws.times_us("reserve own", size, 2_300)
    orders.reserve_us = np.where(reserved, orders.reserve_sql_us + own, 0)
    orders.reserve_start = np.where(reserved, orders.pay_start + paying + 300, 0)
    unknown = outcome == RESERVE_UNKNOWN
    orders.reserve_pause_us = np.where(unknown, 100_000 + draws.below("reserve pause", size, 100_000), 0)
    # Two tries to reserve and two to cancel, all refused, with a pause in each pair.
    reserving = np.where(reserved, orders.reserve_us + HOP_US, 0)
    reserving += np.where(unknown, 3 * (orders.reserve_us + HOP_US) + 2 * orders.reserve_pause_us, 0)
    orders.gateway_us = reads + np.where(paid, 300, 0) + paying + np.where(reserved, 300, 0) + reserving
    orders.gateway_us += draws.times_us("order gateway own", size, 1_500)
    orders.gateway_us[outcome == UNREACHABLE] = 0
    own = draws.times_us("order own", size, 2_200)
    orders.took = own + 900 + np.where(outcome == UNREACHABLE, 1_500, orders.gateway_us + HOP_US)
    _confirm(orders)


def _confirm(orders: Orders) -> None:
    """When the money of each order is captured: at once, but for the hours in which the outbox is stuck."""
    fine = orders.outcome == FINE
    done = orders.reserve_start + orders.reserve_us
    start = done + 20_000 + draws.times_us("confirm pause", len(orders), 90_000)
    stuck = INCIDENTS["stuck outbox"]
    begin, end = stuck.start * MINUTE_US, stuck.end * MINUTE_US
    waits = np.flatnonzero(fine & (done >= begin) & (done < end))
    waits = waits[np.argsort(done[waits], kind="stable")]
    start[waits] = end + np.arange(len(waits)) * 40_000  # 25 a second, the oldest first
    orders.confirm_start = np.where(fine, start, 0)
    orders.confirm_us = np.where(fine, draws.times_us("capture", len(orders), 7_500), 0)


def _failed_confirmations(orders: Orders) -> tuple[np.ndarray, np.ndarray]:
    """While the outbox is stuck one waiting order after the other is tried, each six seconds, in vain."""
    stuck = INCIDENTS["stuck outbox"]
    moments = np.arange(stuck.start * MINUTE_US, stuck.end * MINUTE_US, 6_000_000)
    done = np.where(orders.outcome == FINE, orders.reserve_start + orders.reserve_us, 0)
    waits = np.flatnonzero((done >= moments[0]) & (done < stuck.end * MINUTE_US))
    waits = waits[np.argsort(done[waits], kind="stable")]
    waiting = np.searchsorted(done[waits], moments)
    moments, waiting = moments[waiting > 0], waiting[waiting > 0]
    return moments, waits[np.arange(len(moments)) % waiting]


def _prices() -> np.ndarray:
    return np.array([price for price, _weight, _days in PRODUCTS.values()])
