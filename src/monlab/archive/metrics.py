"""What the shop's services count and measure, as stack/telemetry.yaml says."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from monlab.archive import draws, month
from monlab.archive import simulation as sim
from monlab.archive.month import INSTANCES, LANGUAGES, MINUTES
from monlab.archive.recorder import Recorder, running_total
from monlab.archive.simulation import HOP_US, MINUTE_US, PAY_TIMEOUT_US, World

MICRO = 1_000_000


@dataclass(frozen=True)
class Answers:
    """What a service answered to one kind of request."""

    service: str
    method: str
    route: str
    code: int
    instance: np.ndarray
    start: np.ndarray
    took: np.ndarray

    @property
    def end(self) -> np.ndarray:
        return self.start + self.took


def answers(world: World) -> Iterator[Answers]:
    """Every request that every service answered, by kind."""
    yield Answers("frontend", "GET", "/", 200, world.browse.frontend, world.browse.start, world.browse.took)
    yield from _looks(world.stock)
    yield from _front(world.orders)
    yield from _reservations(world.orders)
    yield from _payments(world.orders)


def _looks(stock: sim.Stock) -> Iterator[Answers]:
    for code in (200, 502):
        rows = sim.STOCK_CODES[stock.outcome] == code
        yield Answers("frontend", "GET", "/api/products", code, stock.frontend[rows], stock.start[rows], stock.took[rows])
        rows &= stock.outcome != sim.UNREACHABLE
        start, took = stock.gateway_start[rows], stock.gateway_us[rows]
        yield Answers("gateway", "GET", "/products", code, stock.gateway[rows], start, took)
    yield from _reads(stock, "/products")


def _reads(table: sim.Stock | sim.Orders, route: str) -> Iterator[Answers]:
    """Look-ups at inventory; one that failed was tried twice."""
    asked = ~np.isin(table.outcome, (sim.UNREACHABLE, sim.READ_FAILED))
    yield Answers("inventory", "GET", route, 200, table.inventory[asked], table.read_start[asked], table.read_us[asked])
    rows = table.outcome == sim.READ_FAILED
    pause = table.pause_us if isinstance(table, sim.Stock) else table.read_pause_us
    again = table.read_start + table.read_us + HOP_US + pause
    start = np.concatenate([table.read_start[rows], again[rows]])
    yield Answers("inventory", "GET", route, 503, np.tile(table.inventory[rows], 2), start, np.tile(table.read_us[rows], 2))


def _front(orders: sim.Orders) -> Iterator[Answers]:
    codes = sim.ORDER_CODES[orders.outcome]
    for code in (201, 402, 409, 502, 504):
        rows = codes == code
        yield Answers("frontend", "POST", "/api/orders", code, orders.frontend[rows], orders.start[rows], orders.took[rows])
        rows = rows & (orders.outcome != sim.UNREACHABLE)
        start, took = orders.gateway_start[rows], orders.gateway_us[rows]
        yield Answers("gateway", "POST", "/orders", code, orders.gateway[rows], start, took)


def _reservations(orders: sim.Orders) -> Iterator[Answers]:
    yield from _reads(orders, "/products/{sku}")
    rows = orders.outcome == sim.FINE
    start, took = orders.reserve_start[rows], orders.reserve_us[rows]
    yield Answers("inventory", "POST", "/reservations", 201, orders.reserver[rows], start, took)
    rows = orders.outcome == sim.RESERVE_UNKNOWN
    tries = refused_writes(orders, rows)
    twice, took = np.tile(orders.reserver[rows], 2), np.tile(orders.reserve_us[rows], 2)
    yield Answers("inventory", "POST", "/reservations", 503, twice, np.concatenate(tries[:2]), took)
    yield Answers("inventory", "POST", "/reservations/{order_id}/cancel", 503, twice, np.concatenate(tries[2:]), took)


def refused_writes(orders: sim.Orders, rows: np.ndarray) -> list[np.ndarray]:
    """When the two tries to reserve, and then the two to cancel, of orders that could not be written began."""
    step, pause = orders.reserve_us[rows] + HOP_US, orders.reserve_pause_us[rows]
    first = orders.reserve_start[rows]
    return [first, first + step + pause, first + 2 * step + pause, first + 3 * step + 2 * pause]


def payment_tries(orders: sim.Orders) -> Iterator[tuple[str, np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
    """First and second tries to pay: which, rows, start, work of payments, and the code it answered in the end."""
    charged = np.where(orders.outcome == sim.DECLINED, 402, 201)
    for which, rows, start, took, failed in (
        ("first", orders.reached_pay, orders.pay_start, orders.pay_us, orders.pay_500),
        ("retry", orders.tried_again, orders.pay_again_start, orders.pay_again_us, orders.pay_again_500),
    ):
        yield which, np.flatnonzero(rows), start[rows], took[rows], np.where(failed, 500, charged)[rows]


def _payments(orders: sim.Orders) -> Iterator[Answers]:
    found = list(payment_tries(orders))
    rows, start, took, codes = (np.concatenate([one[column] for one in found]) for column in (1, 2, 3, 4))
    for code in (201, 402, 500):
        these = codes == code
        yield Answers("payments", "POST", "/payments", code, orders.payments[rows[these]], start[these], took[these])
    voided = orders.void_us > 0
    start = void_start(orders)[voided]
    yield Answers("payments", "POST", "/payments/{order_id}/void", 200, orders.payments[voided], start, orders.void_us[voided])
    fine = orders.confirm_start > 0
    route = "/payments/{order_id}/capture"
    yield Answers(
        "payments", "POST", route, 200, orders.payments[fine], orders.confirm_start[fine] + 300, orders.confirm_us[fine]
    )


def void_start(orders: sim.Orders) -> np.ndarray:
    """When an order that could not be paid was taken back."""
    return orders.pay_again_start + np.minimum(orders.pay_again_us + HOP_US, PAY_TIMEOUT_US)


def record(world: World, recorder: Recorder, contract: dict[str, Any]) -> None:
    """Every series of the four services."""
    all_answers = list(answers(world))
    metrics = contract["metrics"]
    bounds = [round(bound * MICRO) for bound in metrics["http_request_duration_seconds"]["buckets"]]
    for one in all_answers:
        labels = {"method": one.method, "route": one.route, "code": str(one.code)}
        born = not (one.service == "inventory" and one.code == 503)  # this service makes an error's series at the first error
        recorder.counter(one.service, "http_requests_total", labels, one.instance, one.end, born=born)
        if born:
            # Buckets of refused requests, and of what no customer waits for, were dropped at the scrape to save series.
            full = one.code < 300 and not one.route.endswith(("/void", "/capture"))
            name = "http_request_duration_seconds"
            recorder.histogram(one.service, name, labels, one.instance, one.end, one.took, bounds, MICRO, full)
    _in_flight(all_answers, recorder)
    _calls(world, recorder)
    _business(world, recorder, metrics)
    _inventory(world, recorder, metrics)
    _processes(all_answers, recorder)


def _in_flight(all_answers: list[Answers], recorder: Recorder) -> None:
    for service, names in INSTANCES.items():
        mine = [one for one in all_answers if one.service == service]
        for number in range(len(names)):
            come = running_total(np.concatenate([one.start[one.instance == number] for one in mine]))
            gone = running_total(np.concatenate([one.end[one.instance == number] for one in mine]))
            recorder.gauge(service, "http_requests_in_flight", {}, number, come - gone)


def calls(world: World) -> Iterator[tuple[str, str, str, str, np.ndarray, np.ndarray]]:
    """Calls between services: caller, called, try, outcome, instance of the caller, end."""
    stock, orders = world.stock, world.orders
    for table, code_of in ((stock, sim.STOCK_CODES), (orders, sim.ORDER_CODES)):
        codes = code_of[table.outcome]
        lost = table.outcome == sim.UNREACHABLE
        end = table.start + table.took
        outcomes = {"ok": codes < 300, "client_error": (codes >= 400) & (codes < 500), "server_error": (codes >= 500) & ~lost}
        for outcome, rows in {**outcomes, "unreachable": lost}.items():
            yield "frontend", "gateway", "first", outcome, table.frontend[rows], end[rows]
        fine = ~lost & (table.outcome != sim.READ_FAILED)
        yield "gateway", "inventory", "first", "ok", table.gateway[fine], (table.read_start + table.read_us + 300)[fine]
        failed = table.outcome == sim.READ_FAILED
        for attempt, moment in (("first", table.read_start + table.read_us), ("retry", table.gateway_start + table.gateway_us)):
            yield "gateway", "inventory", attempt, "server_error", table.gateway[failed], moment[failed]
    yield from _order_calls(orders)
    moments, rows = world.failed_confirmations
    yield "inventory", "payments", "first", "unreachable", orders.reserver[rows], moments
    fine = orders.confirm_start > 0
    done = (orders.confirm_start + orders.confirm_us + HOP_US)[fine]
    yield "inventory", "payments", "first", "ok", orders.reserver[fine], done


def _order_calls(orders: sim.Orders) -> Iterator[tuple[str, str, str, str, np.ndarray, np.ndarray]]:
    for attempt, rows, start, took, codes in payment_tries(orders):
        late = took + HOP_US > PAY_TIMEOUT_US
        end = start - 300 + np.minimum(took + HOP_US, PAY_TIMEOUT_US)
        outcomes = {"ok": codes == 201, "client_error": codes == 402, "server_error": codes == 500}
        for outcome, these in {**{name: these & ~late for name, these in outcomes.items()}, "timeout": late}.items():
            yield "gateway", "payments", attempt, outcome, orders.gateway[rows[these]], end[these]
    voided = orders.void_us > 0
    end = (void_start(orders) + orders.void_us + 300)[voided]
    yield "gateway", "payments", "first", "ok", orders.gateway[voided], end
    fine = orders.outcome == sim.FINE
    end = (orders.reserve_start + orders.reserve_us + 300)[fine]
    yield "gateway", "inventory", "first", "ok", orders.gateway[fine], end
    unknown = orders.outcome == sim.RESERVE_UNKNOWN
    for number, start in enumerate(refused_writes(orders, unknown)):
        end = start + orders.reserve_us[unknown] + 300
        yield "gateway", "inventory", "retry" if number % 2 else "first", "server_error", orders.gateway[unknown], end


def _calls(world: World, recorder: Recorder) -> None:
    merged: dict[tuple[str, ...], list[tuple[np.ndarray, np.ndarray]]] = {}
    for *key, instance, end in calls(world):
        merged.setdefault(tuple(map(str, key)), []).append((instance, end))
    for (service, upstream, attempt, outcome), parts in sorted(merged.items()):
        instance, end = (np.concatenate(part) for part in zip(*parts, strict=True))
        labels = {"upstream": upstream, "attempt": attempt, "outcome": outcome}
        recorder.counter(service, "upstream_requests_total", labels, instance, end)


def _business(world: World, recorder: Recorder, metrics: dict[str, Any]) -> None:
    orders = world.orders
    end, outcome = orders.start + orders.took, orders.outcome
    results = {"placed": [sim.FINE], "declined": [sim.DECLINED], "out_of_stock": [sim.OUT_OF_STOCK], "rejected": []}
    results["failed"] = [sim.UNREACHABLE, sim.READ_FAILED, sim.PAY_FAILED, sim.PAY_TIMEOUT, sim.RESERVE_UNKNOWN]
    for result, outcomes in results.items():
        rows = np.isin(outcome, outcomes)
        recorder.counter("frontend", "shop_orders_total", {"result": result}, orders.frontend[rows], end[rows])
    fine = outcome == sim.FINE
    cents = orders.amount_cents
    recorder.counter("frontend", "shop_revenue_cents_total", {}, orders.frontend[fine], end[fine], cents[fine])
    steps = dict(payment_steps(orders))
    for result, (rows, moment) in steps.items():
        recorder.counter("payments", "payments_total", {"result": result}, orders.payments[rows], moment)
    rows, moment = steps["authorized"]
    bounds = metrics["payment_amount_cents"]["buckets"]
    recorder.histogram("payments", "payment_amount_cents", {}, orders.payments[rows], moment, cents[rows], bounds, 1)


def payment_steps(orders: sim.Orders) -> Iterator[tuple[str, tuple[np.ndarray, np.ndarray]]]:
    """What became of payments: result -> rows of orders, and when."""
    charge_end = np.where(orders.pay_500, orders.pay_again_start + orders.pay_again_us, orders.pay_start + orders.pay_us)
    charged = orders.reached_pay & ~(orders.pay_500 & orders.pay_again_500)
    declined = charged & (orders.outcome == sim.DECLINED)
    for result, rows, moment in (
        ("authorized", charged & ~declined, charge_end),
        ("declined", declined, charge_end),
        ("repeated", orders.tried_again & ~orders.pay_500, orders.pay_again_start + orders.pay_again_us),
        ("captured", orders.confirm_start > 0, orders.confirm_start + orders.confirm_us + 300),
        ("voided", orders.void_us > 0, void_start(orders) + orders.void_us),
        ("expired", orders.outcome == sim.RESERVE_UNKNOWN, charge_end + sim.HOLD_US),
    ):
        yield result, (np.flatnonzero(rows), moment[rows])


def _inventory(world: World, recorder: Recorder, metrics: dict[str, Any]) -> None:
    stock, orders = world.stock, world.orders
    fine = orders.outcome == sim.FINE
    reserved = (orders.reserve_start + orders.reserve_us)[fine]
    nobody = np.zeros(0, np.int64)
    for result in metrics["inventory_reservations_total"]["values"]["result"]:
        who, when = (orders.reserver[fine], reserved) if result == "reserved" else (nobody, nobody)
        recorder.counter("inventory", "inventory_reservations_total", {"result": result}, who, when)
    for result, wanted in (("hit", sim.HIT), ("miss", sim.MISS), ("error", sim.ERROR)):
        who, when = _look_ups(stock, wanted, stock.pause_us), _look_ups(orders, wanted, orders.read_pause_us)
        instance, end = (np.concatenate(part) for part in zip(who, when, strict=True))
        recorder.counter("inventory", "inventory_cache_requests_total", {"result": result}, instance, end)
    bounds = [round(bound * MICRO) for bound in metrics["inventory_db_query_duration_seconds"]["buckets"]]
    for query, instance, end, took in transactions(world):
        name = "inventory_db_query_duration_seconds"
        recorder.histogram("inventory", name, {"query": query}, instance, end, took, bounds, MICRO)
    when = np.array([one.minute for one in world.restocks]) * MINUTE_US + 1_000_000
    pieces = np.array([one.quantity for one in world.restocks])
    recorder.counter("inventory", "inventory_restocked_items_total", {}, np.zeros(len(when), np.int64), when, pieces)
    _pool_and_stock(world, recorder)
    _outbox(world, recorder, reserved)


def _look_ups(table: sim.Stock | sim.Orders, wanted: int, pause: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Instance and moment of look-ups in the cache with this result."""
    rows = (table.cache == wanted) & (table.outcome != sim.UNREACHABLE)
    twice = rows & (table.outcome == sim.READ_FAILED)
    again = table.read_start + table.read_us + HOP_US + pause
    instance = np.concatenate([table.inventory[rows], table.inventory[twice]])
    return instance, np.concatenate([table.read_start[rows] + 700, again[twice] + 700])


def transactions(world: World) -> Iterator[tuple[str, np.ndarray, np.ndarray, np.ndarray]]:
    """Transactions in PostgreSQL: name, instance, end, time."""
    stock, orders = world.stock, world.orders
    for query, table in (("list_products", stock), ("get_product", orders)):
        rows = table.sql_us > 0
        yield query, table.inventory[rows], (table.read_start + table.read_us)[rows], table.sql_us[rows]
    rows = orders.outcome == sim.FINE
    yield "reserve", orders.reserver[rows], (orders.reserve_start + orders.reserve_us)[rows], orders.reserve_sql_us[rows]


def _pool_and_stock(world: World, recorder: Recorder) -> None:
    minutes = np.arange(MINUTES)
    slow, down = sim.during("slow database", minutes), sim.during("database outage", minutes)
    for number in range(2):
        used = draws.below(f"pool {number}", MINUTES, 3)
        used = np.where(slow, 10, np.where(down, 0, used))
        recorder.gauge("inventory", "inventory_db_connections", {"state": "used"}, number, used)
        recorder.gauge("inventory", "inventory_db_connections", {"state": "idle"}, number, np.where(down, 0, 10 - used))
        recorder.gauge("inventory", "inventory_db_connections_max", {}, number, np.full(MINUTES, 10))
        waiting = np.where(slow, 1 + draws.below(f"waiting {number}", MINUTES, 14), 0)
        recorder.gauge("inventory", "inventory_db_waiting_requests", {}, number, waiting)
        # Read from the database at each scrape: nothing to show while it is down.
        for sku, levels in zip(sim.SKUS, world.stock_levels, strict=True):
            recorder.gauge("inventory", "inventory_stock", {"sku": sku}, number, np.where(down, np.nan, levels))
        recorder.gauge("inventory", "inventory_stock", {"sku": month.SOLD_OUT}, number, np.where(down, np.nan, 0))


def _outbox(world: World, recorder: Recorder, reserved: np.ndarray) -> None:
    orders = world.orders
    fine = orders.confirm_start > 0
    done = (orders.confirm_start + orders.confirm_us + HOP_US)[fine]
    recorder.counter("inventory", "inventory_outbox_processed_total", {}, orders.reserver[fine], done)
    moments, rows = world.failed_confirmations
    recorder.counter("inventory", "inventory_outbox_failures_total", {}, orders.reserver[rows], moments)
    come, gone = running_total(reserved), running_total(done)
    oldest = np.append(np.sort(reserved), 0)[gone]
    age_us = np.where(come > gone, np.arange(MINUTES) * MINUTE_US - oldest, 0)
    down = sim.during("database outage", np.arange(MINUTES))
    for number in range(2):  # both read the same table
        recorder.gauge("inventory", "inventory_outbox_queue_length", {}, number, np.where(down, np.nan, come - gone))
        age = np.where(down, np.nan, age_us / MICRO)
        recorder.gauge("inventory", "inventory_outbox_oldest_age_seconds", {}, number, age)


MEMORY_MIB = {"frontend": 74, "gateway": 88, "payments": 31, "inventory": 82}
CPU_US = {"frontend": 2_400, "gateway": 1_600, "payments": 700, "inventory": 2_900}  # a request


def _processes(all_answers: list[Answers], recorder: Recorder) -> None:
    """What the client libraries say of the process, and `up`, which Prometheus writes itself."""
    for service, all_of_it in recorder.fleet.services.items():
        mine = [one for one in all_answers if one.service == service]
        who, when = (np.concatenate(part) for part in zip(*((one.instance, one.end) for one in mine), strict=True))
        spent_us = np.full(len(who), CPU_US[service])
        recorder.counter(service, "process_cpu_seconds_total", {}, who, when, spent_us, MICRO)
        for number, one in enumerate(all_of_it):
            process = one.process()
            starts = np.array([max(start, -1440) * 60 for start in one.starts])
            began = month.START_MS // 1000 + starts[process] + 3
            recorder.gauge(service, "process_start_time_seconds", {}, number, began)
            recorder.gauge(service, "process_resident_memory_bytes", {}, number, _memory(service, one, number))
            for version in sorted(set(one.versions)):
                runs = np.array([text == version for text in one.versions])[process]
                shown = np.where(runs, 1.0, np.nan)
                recorder.gauge(service, "shop_build_info", {"version": version, "language": LANGUAGES[service]}, number, shown)
            recorder.add(
                {"__name__": "up", "job": service, "instance": one.name, "service": service},
                up(service, one.name, process, one.starts[0] >= 0),
            )


def _memory(service: str, one: Any, number: int) -> np.ndarray:
    process = one.process()
    noise = draws.below(f"memory {service} {number}", MINUTES, 3 << 20)
    leaks = np.array([(service, version) == ("gateway", "1.4.1") for version in one.versions])[process]
    age = np.arange(MINUTES) - np.array(one.starts)[process]
    grown = np.where(leaks, np.maximum(age, 0) * month.LEAK_BYTES_A_MINUTE, 0)
    return ((MEMORY_MIB[service] << 20) + noise + grown) // 4096 * 4096


def up(job: str, instance: str, process: np.ndarray, comes_and_goes: bool = False) -> np.ndarray:
    """1 where the scrape worked, 0 where it failed; nothing where it was not made, or the target was not there."""
    found = np.where(process >= 0, 1.0, np.nan if comes_and_goes else 0.0)
    for gap_job, gap_instance, first, length, how in month.SCRAPE_GAPS:
        if (gap_job, gap_instance) == (job, instance):
            found[first : first + length] = 0.0 if how == "down" else np.nan
    return found
