"""Random series of everything the shop and its exporters emit: names and labels as the contract says, values by chance.

Nothing here knows the archive. What two queries make of these values tells whether they mean the same.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import yaml

from monlab.archive.records import STALE

Labels = dict[str, str]
MINUTES_A_DAY = 1440
COMBINATIONS, BUCKETED = 7, 4  # label sets of one metric, or histogram, on one instance, drawn anew each day
CODES = ("200", "201", "400", "402", "404", "409", "500", "502", "503", "504")
# What the contract leaves open, and labels of the exporters.
OPEN_LABELS: Mapping[str, Sequence[str]] = {
    "code": CODES,
    "sku": ("TEA-001", "TEA-002", "CUP-001", "POT-001"),
    "query": ("list_products", "get_product", "reserve"),
    "version": ("1.4.0", "1.4.1", "1.5.0"),
    "language": ("python", "node", "go"),
    "cpu": ("0", "1"),
    "mode": ("idle", "user", "system", "iowait"),
    "device": ("vda", "vdb", "eth0", "lo"),
    "mountpoint": ("/", "/var/lib/postgresql", "/boot"),
    "fstype": ("ext4", "tmpfs"),
    "zone": ("", "b"),
    "datname": ("shop", "postgres"),
    "state": ("active", "idle", "idle in transaction"),
    "db": ("db0", "db1"),
}
# job: its instances. The shop's carry a label `service` besides.
TARGETS: Mapping[str, Sequence[str]] = {
    "frontend": ("frontend-1:8080", "frontend-2:8080", "frontend-3:8080"),
    "gateway": ("gateway-1:8081", "gateway-2:8081"),
    "payments": ("payments-1:8082", "payments-2:8082"),
    "inventory": ("inventory-1:8083", "inventory-2:8083"),
    "node": ("web-1:9100", "db-1:9100"),
    "postgres": ("postgres_exporter:9187",),
    "valkey": ("redis_exporter:9121",),
    "pushgateway": ("pushgateway:9091",),
    "backup": ("db-1",),
}
# job: names of its metrics with labels of their own. Counters end in _total or are named in COUNTERS.
EXPORTERS: Mapping[str, Mapping[str, Sequence[str]]] = {
    "node": {
        "node_cpu_seconds_total": ("cpu", "mode"),
        "node_load1": (),
        "node_load5": (),
        "node_load15": (),
        "node_memory_MemFree_bytes": (),
        "node_memory_MemAvailable_bytes": (),
        "node_memory_MemTotal_bytes": (),
        "node_filesystem_avail_bytes": ("device", "fstype", "mountpoint"),
        "node_filesystem_free_bytes": ("device", "fstype", "mountpoint"),
        "node_filesystem_size_bytes": ("device", "fstype", "mountpoint"),
        "node_disk_io_time_seconds_total": ("device",),
        "node_disk_written_bytes_total": ("device",),
        "node_network_receive_bytes_total": ("device",),
        "node_network_transmit_bytes_total": ("device",),
        "node_boot_time_seconds": (),
        "node_time_seconds": (),
    },
    "postgres": {
        "pg_up": (),
        "pg_stat_activity_count": ("datname", "state"),
        "pg_stat_database_numbackends": ("datname",),
        "pg_stat_database_xact_commit": ("datname",),
        "pg_stat_database_xact_rollback": ("datname",),
        "pg_stat_database_blks_hit": ("datname",),
        "pg_stat_database_blks_read": ("datname",),
        "pg_database_size_bytes": ("datname",),
        "pg_settings_max_connections": (),
    },
    "valkey": {
        "redis_up": ("zone",),
        "redis_connected_clients": ("zone",),
        "redis_memory_used_bytes": ("zone",),
        "redis_keyspace_hits_total": ("zone",),
        "redis_keyspace_misses_total": ("zone",),
        "redis_commands_processed_total": ("zone",),
    },
    "pushgateway": {},
    "backup": {"backup_last_success_timestamp_seconds": (), "backup_duration_seconds": (), "push_time_seconds": ()},
}
EVERYWHERE = ("up", "scrape_duration_seconds", "scrape_samples_scraped")
PROCESS = (
    "process_start_time_seconds",
    "process_resident_memory_bytes",
    "process_cpu_seconds_total",
    "process_open_fds",
    "process_max_fds",
)
COUNTERS = tuple(f"pg_stat_database_{what}" for what in ("xact_commit", "xact_rollback", "blks_hit", "blks_read"))
BUCKETS = (0.005, 0.025, 0.1, 0.5, 1, 2.5, 10)


@dataclass(frozen=True)
class Metric:
    name: str  # of a histogram: without _bucket
    kind: str  # counter, gauge, histogram, info or clock
    jobs: Sequence[str]
    labels: Mapping[str, Sequence[str]] = field(default_factory=dict)  # label: the values it may take
    buckets: Sequence[float] = BUCKETS


def contract(path: Any) -> list[Metric]:
    """The shop's metrics of stack/telemetry.yaml and what its exporters and Prometheus itself add."""
    given = yaml.safe_load(path.read_text("utf-8"))
    services = list(given["services"])
    found = []
    for name, one in given["metrics"].items():
        jobs = services if one["services"] == "all" else one["services"]
        labels = {label: one.get("values", {}).get(label) or OPEN_LABELS.get(label, ()) for label in one["labels"]}
        kind = "info" if name.endswith("_info") else one["type"]
        found.append(Metric(name, kind, jobs, labels, one.get("buckets", BUCKETS)))
    for job, metrics in EXPORTERS.items():
        found += [
            Metric(name, kind_of(name), [job], {label: OPEN_LABELS[label] for label in labels})
            for name, labels in metrics.items()
        ]
    everyone = [job for job in TARGETS if job != "backup"]
    found += [Metric(name, kind_of(name), everyone) for name in EVERYWHERE]
    found += [Metric(name, kind_of(name), [*services, "node"]) for name in PROCESS]
    return found


def routes(path: Any) -> dict[str, list[tuple[str, str]]]:
    """Method and route of each service's requests."""
    given = yaml.safe_load(path.read_text("utf-8"))["routes"]
    return {service: [tuple(route.split(" ", 1)) for route in names] for service, names in given.items()}


def kind_of(name: str) -> str:
    """What a metric is, told by its name as the naming rules say."""
    if name.endswith(("_total", "_count", "_sum")) or name in COUNTERS:
        return "counter"
    if name.endswith(("_time_seconds", "_timestamp_seconds", "_timestamp")):
        return "clock"
    return "info" if name.endswith("_info") else "gauge"


class RandomSeries:
    """One day's random series. Another seed gives other values, other label sets, other gaps."""

    def __init__(self, seed: int, start_s: int, routes: Mapping[str, Sequence[tuple[str, str]]]) -> None:
        self.draw = np.random.default_rng(seed)
        self.times_s = start_s + 60.0 * np.arange(MINUTES_A_DAY)
        self.routes = routes
        self._quiet: dict[tuple[str, str], np.ndarray] = {}

    def series(self, metrics: Sequence[Metric]) -> Iterator[tuple[Labels, np.ndarray]]:
        for metric in metrics:
            for job in metric.jobs:
                service = {"service": job} if job in self.routes else {}
                for instance in TARGETS.get(job, (f"{job}-1:9000", f"{job}-2:9000")):
                    yield from self._of(metric, {"job": job, "instance": instance, **service})

    def _of(self, metric: Metric, target: Labels) -> Iterator[tuple[Labels, np.ndarray]]:
        if len(TARGETS.get(target["job"], "12")) > 1 and self.draw.random() < 0.06:
            return  # this instance does not show the metric today
        sets = self._label_sets(metric, target["job"])
        if metric.kind == "info":
            yield from self._infos(metric, target, sets)
            return
        for labels in sets:
            whole = {"__name__": metric.name, **target, **labels}
            if metric.kind == "histogram":
                yield from self._histogram(metric, whole)
            else:
                values = {"counter": self._counter, "clock": self._clock, "gauge": self._gauge}[metric.kind]
                yield whole, self._with_gaps(values(whole))

    def _label_sets(self, metric: Metric, job: str) -> list[Labels]:
        most = 1 if not metric.labels else BUCKETED if metric.kind == "histogram" else COMBINATIONS
        pairs = self.routes.get(job) or [("GET", "unmatched")]
        found: list[Labels] = []
        for _ in range(most):
            labels = {label: str(self.draw.choice(values)) for label, values in metric.labels.items() if len(values)}
            if "route" in metric.labels:
                labels["method"], labels["route"] = pairs[self.draw.integers(len(pairs))]
            if labels not in found:
                found.append(labels)
        return found

    def _levels(self, low: float, high: float) -> np.ndarray:
        """Steps between powers of ten, each 10 to 90 minutes long."""
        out = np.empty(MINUTES_A_DAY)
        at = 0
        while at < MINUTES_A_DAY:
            until = at + int(self.draw.integers(10, 90))
            out[at:until] = 10 ** self.draw.uniform(low, high)
            at = until
        return out

    def _busy(self, labels: Labels) -> np.ndarray:
        """Minutes in which something happens: a job, or one value of a label, is quiet everywhere at times."""
        busy = np.ones(MINUTES_A_DAY, bool)
        for key in labels.items():
            if key[0] not in ("__name__", "instance", "service"):
                busy &= ~self._quiet_minutes(key)
        return busy

    def _quiet_minutes(self, key: tuple[str, str]) -> np.ndarray:
        if key not in self._quiet:
            self._quiet[key] = np.zeros(MINUTES_A_DAY, bool)
            for at in self.draw.integers(0, MINUTES_A_DAY, 2 if key[0] == "job" else 5):
                self._quiet[key][at : at + int(self.draw.integers(30, 180))] = True
        return self._quiet[key]

    def _counter(self, labels: Labels) -> np.ndarray:
        steps = self.draw.poisson(self._levels(-1, 2.5) * self.draw.choice([0.1, 1, 10])) * self._busy(labels)
        return self._reset(steps.astype(float).cumsum() + self.draw.integers(0, 1000))

    def _reset(self, *rows: np.ndarray) -> np.ndarray:
        """Begins again at 0 a few times a day; all rows at once, when several are one histogram."""
        out = np.array(rows)
        for at in self.draw.integers(0, MINUTES_A_DAY, self.draw.integers(0, 4)):
            out[:, at:] -= out[:, at : at + 1]
        return np.maximum(out, 0) if len(rows) > 1 else np.maximum(out[0], 0)

    def _clock(self, labels: Labels) -> np.ndarray:
        """A time that stands still and jumps to the present now and then."""
        out = np.full(MINUTES_A_DAY, self.times_s[0] - self.draw.integers(100, 100_000))
        cluster = self.draw.integers(0, MINUTES_A_DAY - 120)
        jumps = [*self.draw.integers(0, MINUTES_A_DAY, 5), *self.draw.integers(cluster, cluster + 120, 8)]
        for at in sorted(jumps):
            out[at:] = self.times_s[at] - self.draw.integers(0, 60)
        return out

    def _gauge(self, labels: Labels) -> np.ndarray:
        name = labels["__name__"]
        if name == "up" or name.endswith("_up"):
            return (self._levels(0, 1) > 2.2).astype(float)
        if "bytes" in name:
            return np.round(self._levels(7.5, 9.5) * np.exp(0.02 * self.draw.standard_normal(MINUTES_A_DAY).cumsum()))
        if name.endswith(("_ratio", "duration_seconds")):
            return self._levels(-3, 0)
        noise = 1 + 0.1 * self.draw.standard_normal(MINUTES_A_DAY)
        return np.maximum(np.round(self._levels(-0.5, 3) * noise), 0)

    def _histogram(self, metric: Metric, labels: Labels) -> Iterator[tuple[Labels, np.ndarray]]:
        """Buckets that agree with each other, a count and a sum; the middle of the observations wanders."""
        edges = np.array([*metric.buckets, np.inf])
        count = self.draw.poisson(self._levels(-0.5, 2)) * self._busy(labels)
        middle = np.log(self._levels(np.log10(edges[0]), np.log10(edges[-2])))
        shares = 1 / (1 + np.exp(-(np.log(edges)[:, None] - middle) * self.draw.uniform(3, 8)))
        within = np.floor(shares * count)
        rows = self._reset(*within.cumsum(axis=1), (count * np.exp(middle)).cumsum())
        rows[:, np.isnan(self._with_gaps(np.zeros(MINUTES_A_DAY)))] = np.nan
        name = labels["__name__"]
        for edge, row in zip(edges, rows, strict=False):
            bound = "+Inf" if np.isinf(edge) else f"{float(edge)}"  # as Prometheus 3 writes them: 1.0
            yield {**labels, "__name__": f"{name}_bucket", "le": bound}, row
        yield {**labels, "__name__": f"{name}_count"}, rows[-2]
        yield {**labels, "__name__": f"{name}_sum"}, rows[-1]

    def _infos(self, metric: Metric, target: Labels, sets: list[Labels]) -> Iterator[tuple[Labels, np.ndarray]]:
        """Labels that change with each deploy: one of them at a time."""
        turns = np.sort(self.draw.integers(0, MINUTES_A_DAY, len(sets) - 1))
        edges = [0, *turns, MINUTES_A_DAY]
        for labels, begin, end in zip(sets, edges, edges[1:], strict=False):
            values = np.full(MINUTES_A_DAY, np.nan)
            values[begin:end] = 1
            if begin < end < MINUTES_A_DAY:
                values[end] = STALE
            elif begin < end:
                values[-1] = STALE
            yield {"__name__": metric.name, **target, **labels}, values

    def _with_gaps(self, values: np.ndarray) -> np.ndarray:
        """Missing scrapes, a late birth, an early end."""
        out = values.astype(float)
        for at in self.draw.integers(0, MINUTES_A_DAY, self.draw.integers(0, 5)):
            out[at : at + int(self.draw.integers(1, 25))] = np.nan
        if self.draw.random() < 0.2:
            out[: self.draw.integers(1, MINUTES_A_DAY)] = np.nan
        if self.draw.random() < 0.2:
            end = int(self.draw.integers(1, MINUTES_A_DAY))
            out[end:] = np.nan
            out[end] = STALE
        return out


def examples(pattern: str) -> list[str]:
    """Texts that a regular expression of a matcher fits, where it is simple enough to tell."""
    plain = re.sub(r"\\(.)", r"\1", re.sub(r"\[(.)[^\]]*\]", r"\1", pattern))
    guesses = [re.sub(r"\.[*+]|\.", "0", part.strip("()^$")) for part in [*plain.split("|"), plain]]
    for head, options, tail in re.findall(r"^([^()]*)\(([^()]*)\)([^()]*)$", plain):
        guesses += [re.sub(r"\.[*+]|\.", "0", head + option + tail) for option in options.split("|")]
    return [guess for guess in dict.fromkeys(guesses) if re.fullmatch(pattern, guess)]
