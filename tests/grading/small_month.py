"""A small June 2026: two jobs that share metric names, an hour of errors, counter resets, an instance that goes away for a day."""

import json

import numpy as np

from monlab.archive.month import MINUTES, START_MS, minute
from monlab.archive.records import Month, Recorded, Series, Stream

TIMES_MS = START_MS + np.arange(MINUTES, dtype=np.int64) * 60_000
INSTANCES = {"shop": ("shop-1:8080", "shop-2:8080"), "backup": ("backup-1:8080",)}
BURST = slice(minute(15, "09:30"), minute(15, "10:15"))
AWAY = slice(minute(20, "00:00"), minute(21, "00:00"))  # shop-2
RESET = minute(10, "12:00")
BOUNDS = ("0.1", "0.5", "+Inf")


def series() -> list[tuple[dict[str, str], np.ndarray]]:
    """Labels and a value for every minute, NaN where there is no sample."""
    random = np.random.default_rng(7)
    day = (60 + 40 * np.sin(np.arange(MINUTES) * 2 * np.pi / 1440)) * (1 + np.arange(MINUTES) / MINUTES)  # more each day
    found: list[tuple[dict[str, str], np.ndarray]] = []
    for job, instances in INSTANCES.items():
        for number, instance in enumerate(instances):
            requests = random.poisson(day * (1 + number))
            failing = np.full(MINUTES, 0.004)
            failing[BURST] = 0.3
            errors = random.binomial(requests, failing)
            slow = random.binomial(requests - errors, 0.05)
            labels = {"job": job, "instance": instance}
            counters = [({"__name__": "requests_total", **labels, "code": "200"}, requests - errors)]
            counters += [({"__name__": "requests_total", **labels, "code": "500"}, errors)]
            counts = (requests - errors - slow, requests - errors, requests)
            counters += [({"__name__": "seconds_bucket", **labels, "le": le}, n) for le, n in zip(BOUNDS, counts, strict=True)]
            found += [(one, _gone(_counted(steps), instance)) for one, steps in counters]
            memory = 1e8 + 1e6 * random.integers(0, 50, MINUTES)
            found.append(({"__name__": "memory_bytes", **labels}, _gone(memory, instance)))
            up = np.ones(MINUTES)
            up[BURST] = number
            found.append(({"__name__": "up", **labels}, _gone(up, instance)))
    return found


def _counted(steps: np.ndarray) -> np.ndarray:
    """A counter that starts anew in the middle of the tenth."""
    return np.concatenate([steps[:RESET].cumsum(), steps[RESET:].cumsum()]).astype(float)


def _gone(values: np.ndarray, instance: str) -> np.ndarray:
    if instance == "shop-2:8080":
        values[AWAY] = np.nan
    return values


def streams() -> list[Stream]:
    """A line in ten minutes of each instance and level; while it burns, the shop writes an error a minute."""
    found = []
    for job, instances in INSTANCES.items():
        for number, instance in enumerate(instances):
            for level in ("info", "error"):
                minutes = set(range(number, MINUTES, 10 if level == "info" else 300))
                if job == "shop" and level == "error":
                    minutes |= set(range(BURST.start, BURST.stop))
                times = START_MS * 1_000_000 + np.array(sorted(minutes), np.int64) * 60_000_000_000 + 1_000_000 * (number + 1)
                lines = [json.dumps({"level": level, "ms": int(n % 977), "message": f"{level} {n}"}) for n in sorted(minutes)]
                found.append(Stream({"service": job, "instance": instance, "level": level}, times, lines))
    return found


def month() -> Month:
    """The same as the archive's loaders take it."""
    return Recorded(TIMES_MS, [Series(labels, values) for labels, values in series()], streams(), [], lambda: iter(()))
