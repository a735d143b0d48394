"""What stands around the shop and is measured too: two hosts, PostgreSQL, Valkey, and a backup that reports by push."""

import numpy as np

from monlab.archive import draws, month
from monlab.archive.metrics import up
from monlab.archive.month import HOSTS, MINUTES, POSTGRES, PUSHGATEWAY, VALKEY
from monlab.archive.recorder import Recorder, running_total
from monlab.archive.simulation import World, during

GIB = 1 << 30
each_minute = np.arange(MINUTES)
CORES = 2
DISK_BYTES = 40 * GIB


def record(world: World, recorder: Recorder) -> None:
    tables = (world.browse, world.stock, world.orders)
    customers = np.diff(running_total(np.concatenate([table.start for table in tables])), prepend=0)
    for host in HOSTS:
        _host(recorder, host, customers)
    _postgres(world, recorder, customers)
    _valkey(world, recorder, customers)
    _backup(recorder)


def _host(recorder: Recorder, host: str, customers: np.ndarray) -> None:
    def add(name: str, values: np.ndarray, **labels: str) -> None:
        recorder.add({"__name__": name, "job": "node", "instance": host, **labels}, values.astype(np.float64))

    web = host == HOSTS[0]
    noise = draws.below(f"{host} noise", MINUTES, 600)
    slow, full = during("slow database", each_minute), during("disk full", each_minute)
    user_ms = (1_500 + noise + customers * 95) if web else (900 + noise + customers * 40)
    user_ms += np.where(slow & (not web), 9_000, 0)
    system_ms = user_ms // 3
    iowait_ms = np.where(slow & (not web), 38_000 + noise * 6, 60 + noise // 4) + np.where(full & (not web), 12_000, 0)
    for cpu in range(CORES):
        part = lambda total: (total + cpu) // CORES  # noqa: B023, E731
        modes = {"user": part(user_ms), "system": part(system_ms), "iowait": part(iowait_ms)}
        modes["idle"] = 60_000 - sum(modes.values())
        for mode, milliseconds in modes.items():
            add("node_cpu_seconds_total", np.cumsum(milliseconds) / 1000, cpu=str(cpu), mode=mode)
    running = (user_ms + system_ms + iowait_ms) * 100 // 60_000
    for minutes in (1, 5, 15):
        add(f"node_load{minutes}", _mean_of_last(running, minutes) / 100)
    total = 4 * GIB if web else 8 * GIB
    used = total * 38 // 100 + customers * 900_000 + noise * 100_000
    cache = total * 41 // 100 + draws.below(f"{host} cache", MINUTES, 64 << 20)
    add("node_memory_MemTotal_bytes", np.full(MINUTES, total))
    add("node_memory_MemAvailable_bytes", total - used)
    add("node_memory_MemFree_bytes", total - used - cache)
    root_used = 9 * GIB + each_minute * 20_000 % (3 * GIB)  # logs, rotated
    _disk(add, "/", "/dev/vda1", DISK_BYTES, DISK_BYTES - root_used)
    if not web:
        _disk(add, "/var/lib/postgresql", "/dev/vdb1", DISK_BYTES, _database_disk())
    for way, bytes_each in (("receive", 2_300), ("transmit", 21_000)):
        add(f"node_network_{way}_bytes_total", np.cumsum(customers * bytes_each + noise * 40), device="eth0")
    busy_ms = np.where(slow & (not web), 52_000, 300 + customers * 9)
    add("node_disk_io_time_seconds_total", np.cumsum(busy_ms) / 1000, device="vda" if web else "vdb")
    add("node_boot_time_seconds", np.full(MINUTES, month.START_MS // 1000 - 40 * 86_400))
    add("up", up("node", host, np.zeros(MINUTES, np.int64)))


def _disk(add, mountpoint: str, device: str, size: int, available: np.ndarray) -> None:  # type: ignore[no-untyped-def]
    labels = {"mountpoint": mountpoint, "device": device, "fstype": "ext4"}
    add("node_filesystem_size_bytes", np.full(MINUTES, size), **labels)
    add("node_filesystem_avail_bytes", available, **labels)


def _database_disk() -> np.ndarray:
    """Falls slowly from the 10th on, is empty at the end of the filling, and comes back when somebody cleans up."""
    begin, end = month.DISK_FILLS
    before = 27 * GIB - each_minute * 15_000
    filling = before[begin] * (end - each_minute) // (end - begin) + draws.below("wal", MINUTES, 24 << 20)
    cleaned = month.INCIDENTS["disk full"].end
    values = np.where(each_minute < begin, before, np.where(each_minute < end, filling, 0))
    return np.where(each_minute >= cleaned, 26 * GIB - (each_minute - cleaned) * 15_000, values)


def _mean_of_last(values: np.ndarray, minutes: int) -> np.ndarray:
    total = np.concatenate([np.zeros(minutes, np.int64), np.cumsum(values)])
    return (total[minutes:] - total[:-minutes]) // np.minimum(each_minute + 1, minutes)


def _postgres(world: World, recorder: Recorder, customers: np.ndarray) -> None:
    down = during("database outage", each_minute)
    slow = during("slow database", each_minute)

    def add(name: str, values: np.ndarray, **labels: str) -> None:
        values = values.astype(np.float64)
        if name not in ("pg_up", "up"):
            values = np.where(down, np.nan, values)
        recorder.add({"__name__": name, "job": "postgres", "instance": POSTGRES, **labels}, values)

    shop = {"datname": "shop"}
    work = np.where(down, 0, customers)
    add("pg_up", np.where(down, 0, 1))
    add("pg_stat_database_numbackends", np.where(slow, 21, 4 + draws.below("backends", MINUTES, 4)), **shop)
    add("pg_stat_database_numbackends", 1 + draws.below("own backends", MINUTES, 2), datname="postgres")
    add("pg_stat_database_xact_commit", np.cumsum(work * 2 + 6), **shop)
    add("pg_stat_database_xact_rollback", np.cumsum(work // 40), **shop)
    add("pg_stat_database_blks_hit", np.cumsum(work * 31), **shop)
    add("pg_stat_database_blks_read", np.cumsum(work // 3 + np.where(slow, 60_000, 0)), **shop)
    add("pg_database_size_bytes", (180 << 20) + np.cumsum(work) * 210, **shop)
    add("pg_settings_max_connections", np.full(MINUTES, 120))
    add("up", up("postgres", POSTGRES, np.zeros(MINUTES, np.int64)))


def _valkey(world: World, recorder: Recorder, customers: np.ndarray) -> None:
    """From month.ZONE_SINCE on its target has a label more, so every one of its series ends and another one begins."""
    down = during("cache down", each_minute)
    looks = np.where(down, 0, customers * 4 // 10)
    hits = looks * 2 // 3
    back = month.INCIDENTS["cache down"].end
    reset = lambda values: np.where(each_minute >= back, np.cumsum(values) - np.cumsum(values)[back - 1], np.cumsum(values))  # noqa: E731
    metrics = {
        "redis_up": np.where(down, 0, 1),
        "redis_connected_clients": 4 + draws.below("clients", MINUTES, 3),
        "redis_memory_used_bytes": (2 << 20) + customers * 310,
        "redis_keyspace_hits_total": reset(hits),
        "redis_keyspace_misses_total": reset(looks - hits),
        "redis_commands_processed_total": reset(looks * 2 + 3),
    }
    for name, values in metrics.items():
        shown = values.astype(np.float64)
        if name != "redis_up":
            shown = np.where(down, np.nan, shown)
        _two_lives(recorder, name, shown)
    _two_lives(recorder, "up", up("valkey", VALKEY, np.zeros(MINUTES, np.int64)))


def _two_lives(recorder: Recorder, name: str, values: np.ndarray) -> None:
    labels = {"__name__": name, "job": "valkey", "instance": VALKEY}
    recorder.add(labels, np.where(each_minute < month.ZONE_SINCE, values, np.nan))
    recorder.add({**labels, "zone": "b"}, np.where(each_minute >= month.ZONE_SINCE, values, np.nan))


def _backup(recorder: Recorder) -> None:
    """Pushed by the nightly job at 02:30; the gateway goes on showing the last push, whatever happened since."""
    nights = [day for day in range(1, 31) if not month.BACKUPS_FAIL[0] <= day < month.BACKUPS_FAIL[1]]
    pushed = np.array([month.minute(day, "02:30") for day in nights])
    last = pushed[np.maximum(np.searchsorted(pushed, each_minute, "right") - 1, 0)]
    last = np.where(each_minute < pushed[0], pushed[0] - 1440, last)
    seconds = month.START_MS // 1000 + last * 60
    lasted = draws.below("backup", 31, 60)[np.maximum(last // 1440, 0)] + 95
    push = {"job": "backup", "instance": "db-1"}
    recorder.add({"__name__": "backup_last_success_timestamp_seconds", **push}, (seconds + lasted).astype(np.float64))
    recorder.add({"__name__": "backup_duration_seconds", **push}, lasted.astype(np.float64))
    recorder.add({"__name__": "push_time_seconds", **push}, (seconds + lasted).astype(np.float64))
    labels = {"__name__": "up", "job": "pushgateway", "instance": PUSHGATEWAY}
    recorder.add(labels, up("pushgateway", PUSHGATEWAY, np.zeros(MINUTES, np.int64)))
