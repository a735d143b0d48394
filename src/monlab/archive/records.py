"""What the archived month is made of: series of samples, log lines and traces. Values only; nothing here asks or starts anything."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

# Prometheus' mark for "this series has ended", a NaN of its own (prometheus/model/value/value.go). Compare by bits, never by ==.
STALE = np.array([0x7FF0000000000002], np.uint64).view(np.float64)[0]


@dataclass(frozen=True)
class Series:
    """One time series of the month."""

    labels: Mapping[str, str]  # `__name__` included
    values: np.ndarray  # float64, one a minute of the month; an ordinary NaN means no sample, STALE the end of the series


@dataclass(frozen=True)
class Stream:
    """The log lines of one instance of one service and level, oldest first."""

    labels: Mapping[str, str]  # service, instance, level
    times_ns: np.ndarray  # int64, nanoseconds since 1970
    lines: list[str]  # one JSON object each, as stack/telemetry.yaml says


@dataclass(frozen=True)
class Span:
    """One span of a trace."""

    service: str
    instance: str
    version: str
    name: str
    kind: str  # internal, server, client, consumer
    span_id: str  # 16 hexadecimal digits
    parent_id: str  # empty for the root
    start_ns: int
    end_ns: int
    attributes: Mapping[str, str | int]
    error: str = ""  # the status message; empty: the span is not an error
    events: tuple[str, ...] = field(default=())


@dataclass(frozen=True)
class Trace:
    trace_id: str  # 32 hexadecimal digits
    spans: tuple[Span, ...]


@dataclass(frozen=True)
class Exemplar:
    """A sample's example: the trace behind one observation. Blocks hold none, so the archive keeps them itself."""

    labels: Mapping[str, str]  # of the bucket series, `__name__` and `le` included
    time_ms: int
    value: float  # seconds observed
    trace_id: str


class Month(Protocol):
    """The whole month. `series`, `streams` and `traces` agree: one set of requests lies behind them."""

    @property
    def times_ms(self) -> np.ndarray: ...  # int64, the minute of each sample

    @property
    def series(self) -> list[Series]: ...

    @property
    def streams(self) -> list[Stream]: ...

    @property
    def exemplars(self) -> list[Exemplar]: ...

    def traces(self) -> Iterator[Trace]: ...  # made while they are read: 200,000 spans at once would be a lot of memory


@dataclass(frozen=True)
class Recorded:
    """A month given whole."""

    times_ms: np.ndarray
    series: list[Series]
    streams: list[Stream]
    exemplars: list[Exemplar]
    tell: Callable[[], Iterator[Trace]]

    def traces(self) -> Iterator[Trace]:
        return self.tell()
