"""Questions and the queries that answer them, asked live and shown as a table. What a machine does not show is said."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import pandas as pd

from monlab.archive import asking as archive
from monlab.telemetry.prometheus import prom

ABSENT = "not shown by this machine"
REAL_DISKS = 'fstype!~"tmpfs|ramfs|squashfs|overlay"'
_USED = f"(node_filesystem_size_bytes{{{REAL_DISKS}}} - node_filesystem_free_bytes)"
DISK_USED = f"max({_USED} / ({_USED} + node_filesystem_avail_bytes))"  # as `df` counts: what is kept for root is no space


@dataclass(frozen=True)
class Line:
    """One row of the USE checklist."""

    about: str  # a resource
    asks: str  # utilization, saturation or errors
    query: str
    unit: str


USE = (
    Line("CPU", "utilization", '1 - avg(rate(node_cpu_seconds_total{mode="idle"}[30s]))', "share of all cores"),
    Line("CPU", "saturation", "rate(node_pressure_cpu_waiting_seconds_total[30s])", "share of time in which a task waited"),
    Line("CPU", "errors", "sum(node_cpu_core_throttles_total)", "times slowed down for heat"),
    Line("memory", "utilization", "1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes", "share"),
    Line("memory", "saturation", "rate(node_pressure_memory_waiting_seconds_total[30s])", "share of time in which a task waited"),
    Line("memory", "errors", "node_vmstat_oom_kill", "processes killed since boot"),
    Line("disk, its time", "utilization", "max(rate(node_disk_io_time_seconds_total[30s]))", "share of time, busiest disk"),
    Line("disk, its time", "saturation", "max(rate(node_disk_io_time_weighted_seconds_total[30s]))", "requests waiting, mean"),
    Line("disk, its space", "utilization", DISK_USED, "share, fullest"),
    Line("disk", "errors", "sum(node_filesystem_device_error)", "file systems that cannot be read"),
    Line("network", "utilization", 'sum(rate(node_network_receive_bytes_total{device!="lo"}[30s]))', "bytes received a second"),
    Line("network", "saturation", "sum(rate(node_network_receive_drop_total[30s]) + rate(node_network_transmit_drop_total[30s]))", "packets dropped a second"),
    Line("network", "errors", "sum(rate(node_network_receive_errs_total[30s]) + rate(node_network_transmit_errs_total[30s]))", "broken packets a second"),
)  # fmt: skip

RED = {
    "requests a second": "sum by (service) (rate(http_requests_total[5m]))",
    "failed, share": 'sum by (service) (rate(http_requests_total{code=~"5.."}[5m])) / sum by (service) (rate(http_requests_total[5m]))',
    "p95, seconds": "histogram_quantile(0.95, sum by (service, le) (rate(http_request_duration_seconds_bucket[5m])))",
}


def use() -> pd.DataFrame:
    """The USE checklist of this machine: a row a resource and question, with its query and what it answers now."""
    return pd.DataFrame(
        {"of": line.about, "asks": line.asks, "value": _value(line.query), "unit": line.unit, "query": line.query} for line in USE
    )


def red(day: int, *times: str) -> pd.DataFrame:
    """The RED checklist of the shop at moments of a day of the archived month: a row a service and time.

    Columns: requests a second, share of failures (5xx), the duration in seconds that 95 % stay within. Raises LabProblem.
    """
    rows = []
    for time in times:
        moment = archive.at(day, time)
        found = {name: _by_service(query, moment) for name, query in RED.items()}
        services = sorted({service for values in found.values() for service in values})
        rows += [{"service": one, "time": time, **{name: found[name].get(one) for name in RED}} for one in services]
    return pd.DataFrame(rows).sort_values(["service", "time"], ignore_index=True).round(3)


def answers(queries: Mapping[str, str]) -> pd.DataFrame:
    """Name -> query, as a table with what each answers now; the query is shown, too."""
    return pd.DataFrame({"fact": fact, "value": _value(query), "query": query} for fact, query in queries.items())


def _value(query: str) -> str:
    found = prom.query(query)
    if found.empty:
        return ABSENT
    value = float(found["value"].max())
    return f"{value:,.0f}" if abs(value) >= 1000 or value == int(value) else f"{value:.3g}"


def _by_service(query: str, moment: datetime) -> dict[str, float]:
    found = archive.query(query, moment)
    return {} if found.empty else dict(zip(found["service"], found["value"], strict=True))
