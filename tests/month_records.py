"""A month that is made up, for tests of what loads and serves it: small, with what is hard to load in it.

A clone under test gets this file in place of its generator, with a function `month` at the end.
"""

import json
from collections.abc import Iterator

import numpy as np

from monlab.archive.records import STALE, Exemplar, Month, Recorded, Series, Span, Stream, Trace

START_MS = 1_780_272_000_000  # 2026-06-01T00:00:00Z
SERVICES = ("frontend", "gateway", "payments", "inventory")
MINUTES = 30 * 1440


def made_up(series: int, lines: int, traces: int, minutes: int = MINUTES) -> Month:
    """`lines` and `traces` are spread over the month evenly."""
    times_ms = START_MS + np.arange(minutes, dtype=np.int64) * 60_000
    return Recorded(
        times_ms,
        [_series(number, minutes) for number in range(series)],
        [_stream(number, lines // 24, minutes) for number in range(24)],
        [
            Exemplar({"__name__": "made_up_bucket", "le": "0.5"}, START_MS + n * 60_000, n / 1000, trace_id(n))
            for n in range(min(traces, 1000))
        ],
        lambda: _traces(traces, minutes),
    )


def _series(number: int, minutes: int) -> Series:
    """A counter for every other number, a gauge else; the third has a gap, the fourth ends after a day."""
    random = np.random.Generator(np.random.PCG64(number))
    values = random.integers(0, 50, minutes).astype(float)
    if number % 2:
        values = values.cumsum()
    if number == 2:
        values[100:110] = np.nan
    if number == 3:
        values[1440] = STALE
        values[1441:] = np.nan
    service = SERVICES[number % 4]
    return Series({"__name__": f"made_up_{number % 10}", "service": service, "n": str(number)}, values)


def _stream(number: int, lines: int, minutes: int) -> Stream:
    service, instance, level = SERVICES[number % 4], f"{SERVICES[number % 4]}-{number // 12}", ("info", "error")[number // 4 % 2]
    instance = f"{instance}-{number // 8}"
    step = minutes * 60_000_000_000 // lines
    times = START_MS * 1_000_000 + number + np.arange(lines, dtype=np.int64) * step
    text = [
        json.dumps({"ts": n, "level": level, "service": service, "trace_id": trace_id(n), "msg": "order accepted", "ms": n % 977})
        for n in range(lines)
    ]
    return Stream({"service": service, "instance": instance, "level": level}, times, text)


def trace_id(number: int) -> str:
    return f"{number + 1:032x}"


def _traces(count: int, minutes: int) -> Iterator[Trace]:
    """Ten spans each, an error in every twentieth."""
    step = minutes * 60_000_000_000 // count
    for number in range(count):
        yield Trace(trace_id(number), tuple(_span(number, child, START_MS * 1_000_000 + number * step) for child in range(10)))


def _span(number: int, child: int, start_ns: int) -> Span:
    service = SERVICES[child % 4]
    return Span(
        service=service,
        instance=f"{service}-{number % 2}",
        version="1.4.0",
        name="POST /orders" if child == 0 else f"step {child}",
        kind="server" if child % 2 == 0 else "client",
        span_id=f"{number + 1:012x}{child + 1:04x}",
        parent_id="" if child == 0 else f"{number + 1:012x}{(child + 1) // 2:04x}",
        start_ns=start_ns + child * 1_000_000,
        end_ns=start_ns + 40_000_000 - child * 1_000_000 + number % 97 * 1000,
        attributes={"http.request.method": "POST", "http.response.status_code": 200, "shop.order": f"o-{number}", "n": number},
        error="payment refused" if child == 9 and number % 20 == 0 else "",
        events=("retry",) if child == 5 else (),
    )
