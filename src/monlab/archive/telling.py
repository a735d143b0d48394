"""One request's story, told as spans and log lines at once: whoever writes a span here writes the lines that carry its ids."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from monlab.archive import month
from monlab.archive.records import Span, Trace
from monlab.archive.simulation import MINUTE_US, World

PORTS = {"gateway": 8081, "payments": 8082, "inventory": 8083}
START_US = month.START_MS * 1000
MIX = 0x9E3779B97F4A7C15  # an odd number: multiplied with it, whole numbers of 64 bits stay apart
ALL = (1 << 64) - 1

Attributes = Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class Line:
    """A log line before it is sorted into its stream."""

    service: str
    instance: str
    level: str
    time_us: int  # since the start of the month
    text: str


@dataclass
class Story:
    """Spans and lines of one request. Moments are microseconds since the start of the month."""

    world: World
    high: int  # 64 bits each, from which all ids of the story are made
    low: int
    spans: list[Span] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    made: int = 0

    @property
    def trace_id(self) -> str:
        return f"{self.high:016x}{self.low:016x}"

    @property
    def order_id(self) -> str:
        return uuid_text(self.high * MIX & ALL, self.low * MIX & ALL)

    @property
    def request_id(self) -> str:
        return uuid_text(self.low * MIX & ALL, self.high * MIX & ALL)

    def trace(self) -> Trace:
        return Trace(self.trace_id, tuple(self.spans))

    def span(
        self,
        service: str,
        number: int,
        name: str,
        kind: str,
        start: int,
        took: int,
        parent: str,
        attributes: Attributes,
        error: str = "",
        events: tuple[str, ...] = (),
    ) -> str:
        """Adds a span and returns its id, for its children and for lines."""
        self.made += 1
        span_id = f"{(self.low + self.made * MIX) & ALL:016x}"
        start_ns = (START_US + start) * 1000
        instance = self.world.fleet.services[service][number].name
        version = self.world.fleet.versions[service][number][start // MINUTE_US]
        end_ns = start_ns + took * 1000
        self.spans.append(
            Span(service, instance, version, name, kind, span_id, parent, start_ns, end_ns, attributes, error, events)
        )
        return span_id

    def line(self, service: str, number: int, level: str, when: int, message: str, span_id: str, **fields: Any) -> None:
        """Adds a line written while the request is worked on."""
        ids = {"trace_id": self.trace_id, "span_id": span_id, "request_id": self.request_id}
        self.lines.append(written(self.world, service, number, level, when, message, **ids, **fields))

    def server(
        self,
        service: str,
        number: int,
        method: str,
        route: str,
        status: int,
        start: int,
        took: int,
        parent: str,
        path: str = "",
        error: str = "",
    ) -> str:
        """A request that a service answers: its span, and the line `request` that it writes at the end."""
        attributes: Attributes = {
            "http.request.method": method,
            "http.route": route,
            "http.response.status_code": status,
            "url.path": path or route,
            "url.scheme": "http",
        }
        failed = error if status >= 500 else ""
        span_id = self.span(service, number, f"{method} {route}", "server", start, took, parent, attributes, failed)
        level = "error" if status >= 500 else "warn" if status >= 400 else "info"
        fields: dict[str, Any] = {"method": method, "route": route, "status": status, "duration_ms": (took + 50) // 100 / 10}
        if error:
            fields["error"] = error
        self.line(service, number, level, start + took, "request", span_id, **fields)
        return span_id

    def client(
        self,
        service: str,
        number: int,
        upstream: str,
        method: str,
        path: str,
        status: int,
        start: int,
        took: int,
        parent: str,
        error: str = "",
        resend: int = 0,
    ) -> str:
        """A call of another service. `status` 0: no answer came."""
        attributes: dict[str, str | int] = {
            "http.request.method": method,
            "server.address": upstream,
            "server.port": PORTS[upstream],
            "url.full": f"http://{upstream}:{PORTS[upstream]}{path}",
        }
        if status:
            attributes["http.response.status_code"] = status
        if resend:
            attributes["http.request.resend_count"] = resend
        return self.span(service, number, method, "client", start, took, parent, attributes, error)


def written(world: World, service: str, number: int, level: str, when: int, message: str, **fields: Any) -> Line:
    """A line of a service's log, as stack/telemetry.yaml says."""
    instance = world.fleet.services[service][number].name
    version = world.fleet.versions[service][number][when // MINUTE_US]
    body = {"time": clock(when), "level": level, "service": service, "version": version, "message": message, **fields}
    return Line(service, instance, level, when, json.dumps(body, separators=(",", ":")))


def clock(when: int) -> str:
    """A moment as the services write it: RFC 3339 with milliseconds."""
    minute, rest = divmod(when, MINUTE_US)
    return f"{_minute_text(minute)}{rest // 1_000_000:02}.{rest % 1_000_000 // 1000:03}Z"


@lru_cache(maxsize=4096)
def _minute_text(minute: int) -> str:
    return month.at(minute).strftime("%Y-%m-%dT%H:%M:")


def uuid_text(high: int, low: int) -> str:
    """A UUID of version 4 made of these bits."""
    high = high & ~0xF000 | 0x4000
    low = low & ~(0b11 << 62) | 0b10 << 62
    text = f"{high:016x}{low:016x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
