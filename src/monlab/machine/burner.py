"""Load on this machine, bounded in size and time, that ends with the notebook's kernel: `machine.burn("cpu", cores=1)`.

The work is done by a process of its own (`burning.py`); this module decides how much may be asked for, starts and ends it.
"""

import contextlib
import json
import math
import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, cast

import psutil

from monlab.machine import cgroups
from monlab.problem import LabProblem, nearest
from monlab.settings import CLONE_MARK, REPO, Settings, child_environment, settings
from monlab.stack import helpers

MB = 10**6
LONGEST_SECONDS = 300.0
LARGEST_DISK_MB = 1000.0
INTERPRETER_MB = 24.0  # what one Python process may take by itself
END_SECONDS = 2.0


@dataclass(frozen=True)
class Asked:
    """What a burner may take, all its processes together."""

    kind: str
    cores: float
    memory_mb: float  # resident memory, in millions of bytes
    disk_mb: float
    seconds: float


# kind -> what it takes when nothing is said: cores, memory, disk; and what it does, in words
KINDS = {
    "cpu": (Asked("cpu", 1.0, 0.0, 0.0, 60), "computes"),
    "memory": (Asked("memory", 0.3, 300.0, 0.0, 60), "takes memory and keeps it"),
    "disk": (Asked("disk", 0.3, INTERPRETER_MB, 100.0, 60), "writes a file over and over"),
    "system": (Asked("system", 1.0, 0.0, 0.0, 60), "asks the kernel for zeros"),
    "connections": (Asked("connections", 0.3, INTERPRETER_MB, 0.0, 60), "opens connections"),
    "idle": (Asked("idle", 0.1, INTERPRETER_MB, 0.0, 60), "does nothing"),
}
OPEN_KINDS = ("cpu", "memory", "disk")  # those a learner asks for by name


class Burn:
    """A burner that was started. It ends by itself, by `stop()`, by an interrupt, and with the kernel."""

    def __init__(self, process: subprocess.Popen[bytes], asked: Asked) -> None:
        self._process = process
        self.asked = asked
        self.started = time.monotonic()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    @property
    def resident_mb(self) -> float:
        """The memory that its first process holds now, in millions of bytes; 0 when it has ended."""
        try:
            return float(psutil.Process(self.pid).memory_info().rss) / MB
        except psutil.Error:
            return 0.0

    def stop(self) -> str:
        """Ends it now; returns a sentence."""
        if not self.running:
            return "The burner had ended."
        self._process.kill()  # it holds nothing that wants tidying: its file has no name, its workers follow it
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(END_SECONDS)
        return f"The burner ended after {time.monotonic() - self.started:.0f} s."

    def __repr__(self) -> str:
        one = self.asked
        disk = f", {one.disk_mb:g} MB of disk" if one.disk_mb else ""
        bounds = f"{one.cores:g} cores, {one.memory_mb:g} MB of memory{disk}, {one.seconds:g} s"
        return f"Process {self.pid} {KINDS[one.kind][1]}. At most: {bounds}."


_started: list[Burn] = []


def burn(
    kind: str,
    cores: float | None = None,
    memory_mb: float | None = None,
    disk_mb: float | None = None,
    seconds: float = 60,
) -> Burn:
    """Starts a burner of one kind (cpu, memory or disk) and returns at once. One that runs already is ended.

    `cores`, `memory_mb` and `disk_mb` bound all its processes together. Raises LabProblem when more is asked for than this machine
    should give.
    """
    if kind not in OPEN_KINDS:
        raise LabProblem(f"There is no burner {kind!r}.{nearest(kind, OPEN_KINDS)} There are: {', '.join(OPEN_KINDS)}.")
    asked = bounded(kind, cores, memory_mb, disk_mb, seconds)
    stop()
    return start(asked, "burner")


def stop() -> str:
    """Ends what `burn` or `mystery` started."""
    ended = [one.stop() for one in _started if one.running]
    _started.clear()
    return "\n".join(ended) or "Nothing was burning."


def bounded(kind: str, cores: float | None, memory_mb: float | None, disk_mb: float | None, seconds: float) -> Asked:
    """What was asked for, with the rest filled in. Raises LabProblem when it is too much, or no number."""
    usual = KINDS[kind][0]
    many = usual.cores if cores is None else cores
    least = INTERPRETER_MB * max(1, math.ceil(many)) if _number(many) else 0
    asked = Asked(
        kind,
        many,
        max(usual.memory_mb, least) if memory_mb is None else memory_mb,
        usual.disk_mb if disk_mb is None else disk_mb,
        seconds,
    )
    most = {
        "cores": (0.05, _cores()),
        "memory_mb": (least, _free_memory_bytes() / 2 / MB),
        "disk_mb": (0.0 if kind != "disk" else 1.0, min(LARGEST_DISK_MB, _free_disk_bytes(_folder(settings())) / 10 / MB)),
        "seconds": (1.0, LONGEST_SECONDS),
    }
    for name, (low, high) in most.items():
        value = getattr(asked, name)
        if not _number(value) or not low <= value <= high:
            raise LabProblem(
                f"{name}={value!r} was asked for; on this machine, now, it may be {low:g} to {max(low, high):.4g}. "
                "A lesson must leave room for what else runs here."
            )
    return asked


def start(asked: Asked, name: str) -> Burn:
    """Starts the process. `name` is what `ps` calls it; nothing on its command line says what it does."""
    config = settings()
    command = [sys.executable, "-S", "-m", "monlab.machine.burning"]
    mark = {CLONE_MARK: config.clone_id, helpers.MARK: "1", "PYTHONPATH": str(REPO / "src")}
    # In the kernel's process group: an interrupt of the notebook reaches it as well. It inherits that interrupts wait, and takes
    # them when it is ready: Python, while it starts, may lose one (an exception in a callback of an import is ignored).
    usual = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        process = subprocess.Popen(
            command, env=child_environment(**mark), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, usual)
    order = {**asdict(asked), "name": name, "parent": os.getpid(), "folder": str(_folder(config))}
    with contextlib.suppress(BrokenPipeError), cast(IO[bytes], process.stdin) as order_pipe:
        order_pipe.write(json.dumps(order).encode() + b"\n")
    made = Burn(process, asked)
    _started.append(made)
    return made


def _folder(config: Settings) -> Path:
    """Where the disk burner's file lies: on a real disk, and never in the learner's folder."""
    config.state.mkdir(parents=True, exist_ok=True)
    return config.state


def _cores() -> float:
    """The cores this process may use: those it is bound to, or fewer by its control group."""
    bound = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(float(bound), cgroups.limits().cores or math.inf)


def _free_memory_bytes() -> float:
    limits = cgroups.limits()
    inside = limits.memory_bytes - limits.memory_used_bytes if limits.memory_bytes else math.inf
    return min(float(psutil.virtual_memory().available), inside)


def _free_disk_bytes(folder: Path) -> float:
    return float(psutil.disk_usage(str(folder)).free)


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
