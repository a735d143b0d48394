"""Which facts are compared: each once by a tool of this machine, once by a metric.

Tolerances: totals and sizes 1 %, counts 2. (Shares of CPU time are compared in `sidebyside.py`: 3 points.)
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from monlab.machine import tools
from monlab.machine.readings import Reading, Sample
from monlab.machine.tools import Answer

MIB, GIB = 2.0**20, 2.0**30
SIZE, COUNT = "size", "count"  # what sort of figure; decides how far apart the two may be
MEMORY, NETWORK, CPU, DISK = "memory", "network", "cpu", "disk"  # which condition could excuse a difference


@dataclass(frozen=True)
class Pair:
    fact: str
    unit: str
    scale: float  # base units in one `unit`
    sort: str
    about: str
    ask: Callable[[], Answer]
    metric: str  # PromQL; a plain sum when it is read from the page
    through: str = "page"  # or Prometheus, where the figure does not move between two scrapes


def pairs(page: Reading) -> list[Pair]:
    """The facts that this machine's page has something to say about."""
    mount, device, card = _mount(page), _device(page), _card(page)
    prometheus = "Prometheus"
    found = [
        Pair("memory, all", "MiB", MIB, SIZE, MEMORY, lambda: tools.memory("total", "MemTotal"),
             "node_memory_MemTotal_bytes", prometheus),
        Pair("memory, available", "MiB", MIB, SIZE, MEMORY, lambda: tools.memory("available", "MemAvailable"),
             "node_memory_MemAvailable_bytes"),
        Pair("memory, cache", "MiB", MIB, SIZE, MEMORY, tools.page_cache,
             "node_memory_Buffers_bytes + node_memory_Cached_bytes + node_memory_SReclaimable_bytes"),
        Pair("swap, all", "MiB", MIB, SIZE, MEMORY, tools.swap_total, "node_memory_SwapTotal_bytes", prometheus),
        Pair("cores", "", 1, COUNT, CPU, tools.cores, 'count(node_cpu_seconds_total{mode="idle"})', prometheus),
        Pair("load average, 1 minute", "", 1, SIZE, CPU, tools.load_average, "node_load1"),
        Pair("time since boot", "hours", 3600, SIZE, CPU, tools.uptime_seconds, "time() - node_boot_time_seconds", prometheus),
        Pair("context switches since boot", "million", 1e6, SIZE, CPU, lambda: tools.since_boot("CPU context switches", "ctxt"),
             "node_context_switches_total"),
        Pair("processes started since boot", "", 1, SIZE, CPU, lambda: tools.since_boot("forks", "processes"),
             "node_forks_total"),
        Pair("interrupts since boot", "million", 1e6, SIZE, CPU, lambda: tools.since_boot("interrupts", "intr"),
             "node_intr_total"),
        Pair("read from disks since boot", "GiB", GIB / 1024, SIZE, DISK, lambda: tools.paged("K paged in", "pgpgin"),
             "node_vmstat_pgpgin"),
        Pair("some task waited for CPU", "seconds", 1, SIZE, CPU, lambda: tools.waiting_seconds("cpu"),
             "node_pressure_cpu_waiting_seconds_total"),
        Pair("sockets in use", "", 1, COUNT, NETWORK, tools.sockets_used, "node_sockstat_sockets_used"),
        Pair("TCP connections", "", 1, COUNT, NETWORK, tools.established, "node_netstat_Tcp_CurrEstab"),
    ]  # fmt: skip
    if mount:
        labels = f'{{mountpoint="{mount}"}}'
        found += [
            Pair(f"file system {mount}, size", "GiB", GIB, SIZE, DISK, lambda: tools.disk("size", mount),
                 f"max(node_filesystem_size_bytes{labels})", prometheus),
            Pair(f"file system {mount}, available", "GiB", GIB, SIZE, DISK, lambda: tools.disk("avail", mount),
                 f"node_filesystem_avail_bytes{labels}"),
            Pair(f"file system {mount}, inodes", "thousand", 1000, SIZE, DISK, lambda: tools.disk("itotal", mount),
                 f"max(node_filesystem_files{labels})", prometheus),
        ]  # fmt: skip
    if device:
        found.append(
            Pair(f"written to {device} since boot", "GiB", GIB, SIZE, DISK, lambda: tools.written_bytes(device),
                 f'node_disk_written_bytes_total{{device="{device}"}}')
        )  # fmt: skip
    if card:
        found.append(
            Pair(f"received by {card} since boot", "MiB", MIB, SIZE, NETWORK, lambda: tools.received_bytes(card),
                 f'node_network_receive_bytes_total{{device="{card}"}}')
        )  # fmt: skip
    return found


def cards() -> set[str]:
    """The network cards that this process sees."""
    try:
        return {line.partition(":")[0].strip() for line in tools.file("net/dev").splitlines() if ":" in line}
    except tools.Missing:
        return set()


def _mount(page: Reading) -> str:
    """A file system that both know: the root if it is one of them, else the largest."""
    known = [one for one in page.of("node_filesystem_size_bytes") if one.labels.get("fstype") not in ("tmpfs", "ramfs")]
    # A file of a container may be a mount as well; `df` of it tells of the file system below.
    shared = [one for one in known if one.value > 0 and Path(one.labels.get("mountpoint", "")).is_mount()]
    if any(one.labels["mountpoint"] == "/" for one in shared):
        return "/"
    return _largest(shared, "mountpoint")


def _device(page: Reading) -> str:
    try:
        here = {line.split()[2] for line in tools.file("diskstats").splitlines()}
    except tools.Missing:
        return ""
    return _largest([one for one in page.of("node_disk_written_bytes_total") if one.labels["device"] in here], "device")


def _card(page: Reading) -> str:
    here = cards()
    known = [one for one in page.of("node_network_receive_bytes_total") if one.labels["device"] in here]
    return _largest([one for one in known if one.labels["device"] != "lo"] or known, "device")


def _largest(found: list[Sample], label: str) -> str:
    return max(found, key=lambda one: one.value).labels[label] if found else ""
