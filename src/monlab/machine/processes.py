"""Processes ranked by what they do now: two looks, a moment apart.

`ps` divides a process's CPU time by its whole life, so one that sleeps all day and spins now looks idle there.
"""

import time
from dataclasses import dataclass

import pandas as pd
import psutil

from monlab.problem import LabProblem, nearest

ORDERS = {"cpu": "cores", "memory": "memory_mb", "files": "files", "writing": "written_mb_per_s"}
MB = 10**6


@dataclass(frozen=True)
class _Look:
    """One process at one moment. None: only its owner or root may know."""

    name: str
    cpu_seconds: float
    memory_mb: float
    files: int | None
    written_bytes: int | None


def ranked(by: str = "cpu", top: int = 8, seconds: float = 1.0) -> pd.DataFrame:
    """The `top` processes over the last `seconds`: pid, name, cores, memory (MB), open files and sockets, MB written a second.

    What this user may not see of a process is NaN. Raises LabProblem for an unknown order.
    """
    if by not in ORDERS:
        raise LabProblem(f"Processes are not sorted by {by!r}.{nearest(by, ORDERS)} There are: {', '.join(ORDERS)}.")
    start, before = time.monotonic(), _look()
    time.sleep(seconds)  # the time that is measured over
    after, passed = _look(), time.monotonic() - start
    rows = [_row(pid, before[pid], now, passed) for pid, now in after.items() if pid in before]
    frame = pd.DataFrame(rows).sort_values(ORDERS[by], ascending=False, na_position="last")
    return frame.head(top).reset_index(drop=True)


def _row(pid: int, before: _Look, now: _Look, passed: float) -> dict[str, object]:
    known = now.written_bytes is not None and before.written_bytes is not None
    written = (now.written_bytes - before.written_bytes) / MB / passed if known else None  # type: ignore[operator]
    return {
        "pid": pid,
        "name": now.name,
        "cores": round((now.cpu_seconds - before.cpu_seconds) / passed, 2),
        "memory_mb": round(now.memory_mb, 1),
        "files": now.files,
        "written_mb_per_s": None if written is None else round(written, 1),
    }


def _look() -> dict[int, _Look]:
    found = {}
    for process in psutil.process_iter():
        try:
            with process.oneshot():
                times = process.cpu_times()
                found[process.pid] = _Look(
                    process.name(),
                    times.user + times.system,
                    process.memory_info().rss / MB,
                    _if_allowed(process, "num_fds"),
                    getattr(_if_allowed(process, "io_counters"), "write_bytes", None),
                )
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue
    return found


def _if_allowed(process: psutil.Process, what: str):  # type: ignore[no-untyped-def]
    """A figure that the kernel tells the owner of a process, and root."""
    try:
        return getattr(process, what)()
    except (psutil.AccessDenied, AttributeError, OSError):
        return None
