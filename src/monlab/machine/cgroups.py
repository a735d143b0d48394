"""Control groups: what the kernel counts and allows for this process and its siblings. cAdvisor reads the same files.

Two generations exist. In v2 all controllers share one tree; in v1 each has its own. Both may be mounted at once, and in a
container the path that the kernel tells may not be visible: then the group's files lie at the mount's root.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

ROOT = Path("/")
UNLIMITED_BYTES = 2**60  # v1 writes a number near 2^63 for "no limit"


@dataclass(frozen=True)
class Limits:
    """What this process's control group allows. None: no limit, or none that can be seen."""

    cores: float | None = None
    memory_bytes: float | None = None
    memory_used_bytes: float = 0.0


@dataclass(frozen=True)
class Question:
    """One thing a person asks of a container, the file that answers in each generation, and cAdvisor's name for it."""

    asks: str
    metric: str
    unit: str
    v2: Callable[["Group"], float | None]
    v1: Callable[["Group"], float | None]
    files: tuple[str, str]  # v2, v1: the names shown


class Group:
    """The control group of this process, under `root` (another one in tests)."""

    def __init__(self, root: Path = ROOT) -> None:
        self.root = root
        self._paths = _own_paths(root)
        self._mounts = _mounts(root)

    @property
    def version(self) -> int:
        """2, 1, or 0 when no control group can be seen. On a mixed machine the one that has the memory controller."""
        if self.folder("memory") is not None:
            return 1
        unified = self.folder("")
        return 2 if unified is not None and (unified / "cgroup.controllers").exists() else 0

    def folder(self, controller: str) -> Path | None:
        """Where a controller's files lie; the empty name is the v2 tree."""
        mount, path = self._mounts.get(controller), self._paths.get(controller)
        if mount is None or path is None:
            return None
        inside = mount / path.strip("/")
        return inside if inside.is_dir() else mount

    def number(self, controller: str, name: str, key: str = "", field: int = 0) -> float | None:
        """A number from a file: its n-th word, or the word behind `key`. None when there is none, or it says `max`."""
        folder = self.folder(controller)
        try:
            text = (folder / name).read_text("utf-8") if folder else ""
        except OSError:
            return None
        if key:
            return next((_number(line.split()[1]) for line in text.splitlines() if line.split()[:1] == [key]), None)
        words = text.split()
        return _number(words[field]) if len(words) > field else None

    def total(self, name: str, key: str) -> float | None:
        """The sum of `key=number` over the lines of a v2 file, one line a device."""
        folder = self.folder("")
        try:
            words = (folder / name).read_text("utf-8").split() if folder else []
        except OSError:
            return None
        found = [float(word.partition("=")[2]) for word in words if word.startswith(f"{key}=")]
        return sum(found) if found else None

    def written(self, name: str) -> float | None:
        """The sum of the lines `device Write number` of a v1 file."""
        folder = self.folder("blkio")
        try:
            lines = (folder / name).read_text("utf-8").splitlines() if folder else None
        except OSError:
            return None
        return None if lines is None else sum(float(line.split()[2]) for line in lines if line.split()[1:2] == ["Write"])


def limits(root: Path = ROOT) -> Limits:
    """The limits of this process's control group."""
    group = Group(root)
    known = {question.asks: _answer(question, group) for question in QUESTIONS}
    return Limits(known[CORES], known[MEMORY_LIMIT], known[MEMORY_USED] or 0.0)


def questions(root: Path = ROOT) -> pd.DataFrame:
    """cAdvisor's questions, answered from the files of this process's own control group: one row a question."""
    group = Group(root)
    rows = [
        {
            "question": question.asks,
            "file": question.files[0 if group.version == 2 else 1] if group.version else "",
            "value": _words(_answer(question, group), question),
            "unit": question.unit,
            "cAdvisor calls it": question.metric,
        }
        for question in QUESTIONS
    ]
    return pd.DataFrame(rows)


def sentence(root: Path = ROOT) -> str:
    """Which control group this process is in."""
    group = Group(root)
    if not group.version:
        return "No control group can be seen here: this kernel or this container hides them."
    place = group.folder("" if group.version == 2 else "memory")
    return f"Control groups, version {group.version}; this kernel's memory is counted in {place}"


def _answer(question: Question, group: Group) -> float | None:
    if not group.version:
        return None
    return question.v2(group) if group.version == 2 else question.v1(group)


def _cores_v2(group: Group) -> float | None:
    quota, period = group.number("", "cpu.max"), group.number("", "cpu.max", field=1)
    return quota / period if quota and period else None


def _cores_v1(group: Group) -> float | None:
    quota, period = group.number("cpu", "cpu.cfs_quota_us"), group.number("cpu", "cpu.cfs_period_us")
    return quota / period if quota and quota > 0 and period else None


def _working_set(used: float | None, inactive: float | None) -> float | None:
    """What cAdvisor calls the working set: memory in use without the file cache that could go at once."""
    return None if used is None else max(0.0, used - (inactive or 0.0))


def _scaled(value: float | None, by: float) -> float | None:
    return None if value is None else value * by


def _limit_v1(group: Group) -> float | None:
    limit = group.number("memory", "memory.limit_in_bytes")
    return limit if limit is not None and limit < UNLIMITED_BYTES else None


CORES = "How many cores may it use?"
MEMORY_LIMIT = "How much memory may it use?"
MEMORY_USED = "How much memory does it use, cache aside?"
QUESTIONS = (
    Question(
        "How much CPU has it used?",
        "container_cpu_usage_seconds_total",
        "seconds",
        lambda group: _scaled(group.number("", "cpu.stat", "usage_usec"), 1e-6),
        lambda group: _scaled(group.number("cpuacct", "cpuacct.usage"), 1e-9),
        ("cpu.stat usage_usec", "cpuacct.usage"),
    ),
    Question(
        CORES,
        "container_spec_cpu_quota / container_spec_cpu_period",
        "cores",
        _cores_v2,
        _cores_v1,
        ("cpu.max", "cpu.cfs_quota_us"),
    ),
    Question(
        "How often was it held back?",
        "container_cpu_cfs_throttled_periods_total",
        "periods",
        lambda group: group.number("", "cpu.stat", "nr_throttled"),
        lambda group: group.number("cpu", "cpu.stat", "nr_throttled"),
        ("cpu.stat nr_throttled", "cpu.stat nr_throttled"),
    ),
    Question(
        MEMORY_USED,
        "container_memory_working_set_bytes",
        "bytes",
        lambda group: _working_set(group.number("", "memory.current"), group.number("", "memory.stat", "inactive_file")),
        lambda group: _working_set(
            group.number("memory", "memory.usage_in_bytes"), group.number("memory", "memory.stat", "total_inactive_file")
        ),
        ("memory.current", "memory.usage_in_bytes"),
    ),
    Question(
        MEMORY_LIMIT,
        "container_spec_memory_limit_bytes",
        "bytes",
        lambda group: group.number("", "memory.max"),
        _limit_v1,
        ("memory.max", "memory.limit_in_bytes"),
    ),
    Question(
        "How often was something killed for memory?",
        "container_oom_events_total",
        "kills",
        lambda group: group.number("", "memory.events", "oom_kill"),
        lambda group: group.number("memory", "memory.oom_control", "oom_kill"),
        ("memory.events oom_kill", "memory.oom_control oom_kill"),
    ),
    Question(
        "How many threads does it have?",
        "container_threads",
        "threads",
        lambda group: group.number("", "pids.current"),
        lambda group: group.number("pids", "pids.current"),
        ("pids.current", "pids.current"),
    ),
    Question(
        "How much has it written?",
        "container_fs_writes_bytes_total",
        "bytes",
        lambda group: group.total("io.stat", "wbytes"),
        lambda group: group.written("blkio.throttle.io_service_bytes"),
        ("io.stat wbytes", "blkio.throttle.io_service_bytes"),
    ),
)


def _number(word: str) -> float | None:
    try:
        return float(word)
    except ValueError:
        return None  # "max"


def _words(value: float | None, question: Question) -> str:
    if value is None:
        return "no limit that can be seen" if question.asks in (CORES, MEMORY_LIMIT) else "not shown here"
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.2f}"


def _own_paths(root: Path) -> dict[str, str]:
    """Controller -> this process's path in its tree; the empty name is the v2 tree."""
    try:
        lines = (root / "proc/self/cgroup").read_text("utf-8").splitlines()
    except OSError:
        return {}
    found = {}
    for line in lines:
        _number, names, path = line.split(":", 2)
        found.update(dict.fromkeys(names.split(","), path))
    return found


def _mounts(root: Path) -> dict[str, Path]:
    """Controller -> where its tree is mounted."""
    try:
        lines = (root / "proc/self/mountinfo").read_text("utf-8").splitlines()
    except OSError:
        return {}
    found: dict[str, Path] = {}
    for line in lines:
        before, _, after = line.partition(" - ")
        kind, _source, options = after.split(" ", 2)
        place = root / before.split(" ")[4].lstrip("/")
        if kind == "cgroup2":
            found.setdefault("", place)
        elif kind == "cgroup":
            found.update({name: place for name in options.split(",") if name not in ("rw", "ro")})
    return found
