"""Switches that break the service on purpose. Each ends by itself."""

import os
import random
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from prometheus_client import Counter

LEAK_MEGABYTES = 300  # no leak grows beyond this
LASTING = (1.0, 3600.0, 60.0)  # lowest, highest, default: seconds until a fault ends by itself

Bounds = tuple[float, float, float]
# name -> parameter -> lowest, highest, default
COMMON: Mapping[str, Mapping[str, Bounds]] = {
    "slow": {"seconds": (0.001, 60, 1), "share": (0, 1, 1)},
    "errors": {"share": (0, 1, 1)},
    "crash": {},
    "leak": {"megabytes_per_second": (1, 50, 5)},
    "burn": {"share": (0, 1, 1)},
    "clock_skew": {"seconds": (-86400, 86400, -3600)},
    "cardinality": {},
    "bad_deploy": {"share": (0, 1, 0.3)},
}


class Refused(ValueError):
    """A switch that does not exist, or a value it does not take; the text tells which do."""


@dataclass
class Fault:
    name: str
    values: dict[str, float]
    until: float  # time.monotonic() at which it ends
    ended: threading.Event = field(default_factory=threading.Event)
    timer: threading.Timer | None = None

    def shown(self) -> dict[str, Any]:
        return {"name": self.name, **self.values, "ends_in_seconds": round(max(0.0, self.until - time.monotonic()), 1)}


class Faults:
    """The faults that are on. `begin` and `end` are told of each; a worker runs in a thread of its own while its fault is on."""

    def __init__(self, extra: Mapping[str, Mapping[str, Bounds]] | None = None) -> None:
        self.known = {**COMMON, **(extra or {})}
        self.workers: dict[str, Callable[[Fault], None]] = {"leak": _leak, "burn": _burn}
        self.begin: Callable[[str], None] = lambda name: None
        self.end: Callable[[str], None] = lambda name: None
        self._active: dict[str, Fault] = {}
        self._lock = threading.RLock()

    def switch_on(self, asked: Any) -> None:
        """Switches on what the JSON value `asked` describes; one of the same name is replaced. Raises Refused."""
        fault = self._fault(asked)
        if fault.name != "crash":
            fault.timer = threading.Timer(fault.until - time.monotonic(), self._expire, [fault])
            fault.timer.daemon = True
            fault.timer.start()
        with self._lock:
            self._drop(fault.name)
            self._active[fault.name] = fault
        self.begin(fault.name)
        if fault.name in self.workers:
            threading.Thread(target=self.workers[fault.name], args=[fault], daemon=True).start()

    def clear(self) -> None:
        with self._lock:
            for name in list(self._active):
                self._drop(name)

    def active(self) -> list[dict[str, Any]]:
        return [fault.shown() for fault in list(self._active.values())]

    def get(self, name: str) -> Fault | None:
        return self._active.get(name)

    def value(self, name: str, parameter: str, otherwise: float = 0.0) -> float:
        fault = self._active.get(name)
        return fault.values[parameter] if fault else otherwise

    def strikes(self, name: str) -> Fault | None:
        """The fault, when it is on and this request belongs to its share."""
        fault = self._active.get(name)
        return fault if fault and random.random() < fault.values.get("share", 1.0) else None

    def count_client(self, counter: Counter, usual: str) -> None:
        """Counts a client: of a kind of its own while `cardinality` is on. Locked, so that no such kind comes after the fault's end."""
        with self._lock:
            counter.labels(f"client-{uuid.uuid4()}" if "cardinality" in self._active else usual).inc()

    def _fault(self, asked: Any) -> Fault:
        if not isinstance(asked, dict) or not isinstance(asked.get("name"), str):
            raise Refused('A switch looks like {"name": "slow", "seconds": 1, "share": 0.3, "lasting": 60}.')
        name = asked["name"]
        if name not in self.known:
            raise Refused(f"There is no fault {name!r} here. Known: {', '.join(sorted(self.known))}.")
        bounds = {**self.known[name], "lasting": LASTING}
        for key in asked:
            if key not in bounds and key != "name":
                raise Refused(f"{name} does not take {key!r}. It takes: {', '.join(bounds)}.")
        values = {key: _within(key, asked.get(key), bound) for key, bound in bounds.items()}
        return Fault(name, values, time.monotonic() + values.pop("lasting"))

    def _expire(self, fault: Fault) -> None:
        with self._lock:
            if self._active.get(fault.name) is fault:
                self._drop(fault.name)

    def _drop(self, name: str) -> None:
        fault = self._active.pop(name, None)
        if fault:
            if fault.timer:
                fault.timer.cancel()
            fault.ended.set()
            self.end(name)


def _within(key: str, value: Any, bound: Bounds) -> float:
    low, high, default = bound
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise Refused(f"{key} is a number from {low:g} to {high:g}.")
    return float(value)


def crash() -> None:
    """Ends the process without a word, as a fault in native code would."""
    os._exit(1)


def _leak(fault: Fault) -> None:
    kept = []
    while not fault.ended.wait(1.0) and len(kept) * fault.values["megabytes_per_second"] < LEAK_MEGABYTES:
        kept.append(os.urandom(1) * (int(fault.values["megabytes_per_second"]) << 20))  # written, so it is resident
    fault.ended.wait()


def _burn(fault: Fault) -> None:
    share = fault.values["share"]
    while not fault.ended.is_set():
        slice_end = time.monotonic() + 0.02 * share
        while time.monotonic() < slice_end:
            pass
        fault.ended.wait(0.02 * (1 - share))
