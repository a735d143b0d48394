"""The whole month at once, and its fingerprint.

The record keeps what a shop of this kind keeps: every sample; every line of a warning or an error; traces and good news of a few
requests in a thousand, more of those that failed or took long (`KEPT_PERMILLE` and below).
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from types import SimpleNamespace
from typing import Any

import numpy as np
import yaml

from monlab.archive import draws, metrics, stories, surroundings
from monlab.archive import month as script
from monlab.archive import simulation as sim
from monlab.archive.recorder import Recorder, bound_text
from monlab.archive.records import Exemplar, Month, Series, Span, Stream, Trace
from monlab.archive.simulation import MINUTE_US, World
from monlab.archive.telling import Line, Story, written
from monlab.settings import settings

KEPT_PER_100000 = {"browse": 120, "stock": 450, "orders": 1_700}
SLOW_US = 1_000_000  # longer than this is kept like a failure
TROUBLED_A_MINUTE = 6  # at most so many failed or slow ones of a kind are kept from one minute
EXEMPLAR_MINUTES = 10  # a series gets one example in this time
COMPLAINT_US = 10_000_000  # a cache that is away is complained about once in this time
CHUNK = 4096

TELL: dict[str, Callable[[Story, Any], None]] = {
    "browse": stories.tell_browse,
    "stock": stories.tell_stock,
    "orders": stories.tell_order,
}


@dataclass(frozen=True)
class Chosen:
    """Rows of one kind of request that left more than numbers."""

    kind: str
    rows: np.ndarray  # ascending
    kept: np.ndarray  # those of which the trace was kept, and every line


class June:
    """The month; each kind of telemetry is made when it is first asked for."""

    def __init__(self) -> None:
        self.world = sim.play()
        self.chosen = [_chosen(self.world, kind) for kind in TELL]
        self.times_ms = script.START_MS + np.arange(script.MINUTES, dtype=np.int64) * 60_000

    @cached_property
    def series(self) -> list[Series]:
        return series(self.world)

    @cached_property
    def streams(self) -> list[Stream]:
        return _streams(self.world, self.chosen)

    @cached_property
    def exemplars(self) -> list[Exemplar]:
        return _exemplars(self.traces)

    def traces(self) -> Iterator[Trace]:
        for one in self.chosen:
            for story, _kept in _stories(self.world, one, one.rows[one.kept]):
                yield story.trace()


def month() -> Month:
    """Everything that the script of the month makes happen."""
    return June()


def series(world: World) -> list[Series]:
    """All series, sorted by their labels."""
    recorder = Recorder(world.fleet)
    metrics.record(world, recorder, _contract())
    surroundings.record(world, recorder)
    return sorted(recorder.series, key=lambda one: sorted(one.labels.items()))


def fingerprint(record: Month) -> dict[str, str]:
    """SHA-256 of all samples, all lines and all spans."""
    samples, lines, spans = hashlib.sha256(), hashlib.sha256(), hashlib.sha256()
    samples.update(record.times_ms.astype("<i8").tobytes())
    for one in record.series:
        samples.update(json.dumps(dict(one.labels)).encode())
        samples.update(one.values.astype("<f8").tobytes())
    for stream in record.streams:
        lines.update(json.dumps(dict(stream.labels)).encode())
        lines.update(stream.times_ns.astype("<i8").tobytes())
        lines.update("\n".join(stream.lines).encode())
    for trace in record.traces():
        spans.update(repr(trace).encode())
    return {"samples": samples.hexdigest(), "lines": lines.hexdigest(), "spans": spans.hexdigest()}


def _contract() -> dict[str, Any]:
    """Names, labels and bounds, as the live shop has them."""
    found: dict[str, Any] = yaml.safe_load((settings().repo / "stack" / "telemetry.yaml").read_text("utf-8"))
    return found


def _chosen(world: World, kind: str) -> Chosen:
    table: Any = getattr(world, kind)
    size = len(table)
    kept = draws.below(f"kept {kind}", size, 100_000) < KEPT_PER_100000[kind]
    if kind == "browse":
        return Chosen(kind, np.flatnonzero(kept), np.flatnonzero(kept[kept]))
    codes = (sim.STOCK_CODES if kind == "stock" else sim.ORDER_CODES)[table.outcome]
    troubled = (codes >= 500) | (table.took > SLOW_US)
    kept |= _first_of_a_minute(table.start, troubled)
    told = kept | (codes >= 400) | _complains(table)
    if kind == "orders":
        told |= table.tried_again  # a call that failed and was made again is a warning
        told[world.failed_confirmations[1]] = True
        stuck = np.unique(world.failed_confirmations[1])
        kept[stuck[::4]] = True  # the worker's failures show in traces, too
    rows = np.flatnonzero(told)
    return Chosen(kind, rows, np.flatnonzero(kept[rows]))


def _first_of_a_minute(start: np.ndarray, troubled: np.ndarray) -> np.ndarray:
    """The first few of the troubled ones of each minute. Rows are in order of arrival."""
    rows = np.flatnonzero(troubled)
    minutes = start[rows] // MINUTE_US
    first = np.searchsorted(minutes, minutes, "left")
    found = np.zeros(len(start), bool)
    found[rows[np.arange(len(rows)) - first < TROUBLED_A_MINUTE]] = True
    return found


def _complains(table: Any) -> np.ndarray:
    """Look-ups during which an instance says that its cache is away: the first in each ten seconds."""
    away = np.flatnonzero((table.cache == sim.ERROR) & (table.outcome != sim.UNREACHABLE))
    slot = table.start[away] // COMPLAINT_US * 8 + table.inventory[away]
    _slots, first = np.unique(slot, return_index=True)
    found = np.zeros(len(table), bool)
    found[away[first]] = True
    return found


def _stories(world: World, chosen: Chosen, rows: np.ndarray) -> Iterator[tuple[Story, bool]]:
    """The stories of these rows, and whether the trace of each is kept."""
    table: Any = getattr(world, chosen.kind)
    kept = set(chosen.rows[chosen.kept].tolist())
    high, low = draws.bits(f"{chosen.kind} trace", len(table)), draws.bits(f"{chosen.kind} trace low", len(table))
    extra: dict[str, np.ndarray] = {}
    failed_at: dict[int, list[int]] = {}
    if chosen.kind != "browse":
        extra["complains"] = _complains(table)
    if chosen.kind == "orders":
        extra["amount_cents"] = table.amount_cents
        for moment, row in zip(*(part.tolist() for part in world.failed_confirmations), strict=True):
            failed_at.setdefault(row, []).append(moment)
    columns = {**vars(table), **extra}
    for begin in range(0, len(rows), CHUNK):
        part = rows[begin : begin + CHUNK]
        picked = [column[part].tolist() for column in columns.values()]
        for row, one, two, *values in zip(part.tolist(), high[part].tolist(), low[part].tolist(), *picked, strict=True):
            story = Story(world, one, two)
            fields = SimpleNamespace(**dict(zip(columns, values, strict=True)), failed_at=failed_at.get(row, ()))
            TELL[chosen.kind](story, fields)
            yield story, row in kept


def _streams(world: World, chosen: list[Chosen]) -> list[Stream]:
    """Lines by instance and level, oldest first. Of a request whose trace was not kept, warnings and errors stay."""
    lines = list(_lines_of_processes(world))
    for one in chosen:
        for story, kept in _stories(world, one, one.rows):
            lines += story.lines if kept else [line for line in story.lines if line.level != "info"]
    lines = [line for line in lines if line.time_us < (script.MINUTES - 1) * MINUTE_US]
    lines.sort(key=lambda line: (line.service, line.instance, line.level, line.time_us, line.text))
    found: dict[tuple[str, str, str], list[Line]] = {}
    for line in lines:
        found.setdefault((line.service, line.instance, line.level), []).append(line)
    return [
        Stream(
            {"service": service, "instance": instance, "level": level},
            np.array([(script.START_MS * 1000 + line.time_us) * 1000 for line in mine], np.int64),
            [line.text for line in mine],
        )
        for (service, instance, level), mine in found.items()
    ]


def _lines_of_processes(world: World) -> Iterator[Line]:
    """What is written outside of any request: starts and stops, deliveries, holds that expire."""
    for service, all_of_it in world.fleet.services.items():
        for number, one in enumerate(all_of_it):
            address = f"0.0.0.0:{one.name.partition(':')[2]}"
            for start in one.starts:
                if start >= 0:
                    when = start * MINUTE_US + 3_000_000
                    yield written(world, service, number, "info", when, "listening", address=address)
            for end in one.ends:
                if end < script.MINUTES and end not in one.crashes:
                    yield written(world, service, number, "info", end * MINUTE_US - 1_000_000, "stopping")
    for one_restock in world.restocks:
        told = {"sku": sim.SKUS[one_restock.sku], "quantity": one_restock.quantity}
        yield written(world, "inventory", 0, "info", one_restock.minute * MINUTE_US + 1_000_000, "restocked", **told)
    rows, moments = dict(metrics.payment_steps(world.orders))["expired"]
    high, low = (draws.bits(name, len(world.orders))[rows].tolist() for name in ("orders trace", "orders trace low"))
    cents = world.orders.amount_cents[rows].tolist()
    payments = world.orders.payments[rows].tolist()
    for one_high, one_low, number, when, amount in zip(high, low, payments, moments.tolist(), cents, strict=True):
        ids = {"order_id": Story(world, one_high, one_low).order_id, "amount_cents": amount}
        yield written(world, "payments", number, "warn", when, "hold expired", **ids)


def _exemplars(traces: Callable[[], Iterator[Trace]]) -> list[Exemplar]:
    """Examples for the buckets of requests that went well, and for the counters of those that did not."""
    bounds = [round(bound * 1e6) for bound in _contract()["metrics"]["http_request_duration_seconds"]["buckets"]]
    best: dict[tuple[Any, ...], Exemplar] = {}
    for trace in traces():
        for span in trace.spans:
            if span.kind == "server":
                example = _exemplar(trace, span, bounds)
                slot = example.time_ms // (EXEMPLAR_MINUTES * 60_000)
                key = (slot, *example.labels.values())
                if key not in best or (example.time_ms, example.trace_id) < (best[key].time_ms, best[key].trace_id):
                    best[key] = example
    return sorted(best.values(), key=lambda one: (one.time_ms, one.trace_id, sorted(one.labels.items())))


def _exemplar(trace: Trace, span: Span, bounds: list[int]) -> Exemplar:
    took_us = (span.end_ns - span.start_ns) // 1000
    attributes = span.attributes
    code = int(attributes["http.response.status_code"])
    labels = {
        "job": span.service,
        "service": span.service,
        "instance": span.instance,
        "method": str(attributes["http.request.method"]),
        "route": str(attributes["http.route"]),
        "code": str(code),
    }
    time_ms = span.end_ns // 1_000_000
    if code >= 300 or labels["route"].endswith(("/void", "/capture")):
        return Exemplar({"__name__": "http_requests_total", **labels}, time_ms, 1.0, trace.trace_id)
    le = next((bound_text(bound, 1_000_000) for bound in bounds if took_us <= bound), "+Inf")
    named = {"__name__": "http_request_duration_seconds_bucket", **labels, "le": le}
    return Exemplar(named, time_ms, took_us / 1e6, trace.trace_id)
