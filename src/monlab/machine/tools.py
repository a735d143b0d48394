"""What Linux tools say of this machine, and the files in /proc that say the same where a tool is missing.

Every function here returns an `Answer` or raises Missing with a sentence. Tools speak English with points as decimals
(LC_ALL=C) and are read by their headings, never by the place of a word alone.
"""

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from monlab.settings import child_environment

PROC = Path("/proc")
TOOL_SECONDS = 10
SECTOR_BYTES = 512  # in /proc/diskstats, whatever the disk's own sectors are


class Missing(Exception):
    """This machine cannot say; the text tells why."""


@dataclass(frozen=True)
class Answer:
    value: float
    how: str  # the command or the file, as a person would write it


def first(*ways: Callable[[], Answer]) -> Answer:
    """The answer of the first way that works here. Raises Missing with the last reason."""
    reason = Missing("no way to ask")
    for way in ways:
        try:
            return way()
        except Missing as missing:
            reason = missing
    raise reason


def path_of(tool: str) -> str | None:
    return shutil.which(tool)


def english() -> dict[str, str]:
    """An environment in which tools speak English, with points as decimals."""
    return child_environment(LC_ALL="C")


def said(*command: str) -> str:
    """What a tool prints. Raises Missing when it is not here or refuses."""
    path = path_of(command[0])
    if path is None:
        raise Missing(f"{command[0]} is not installed")
    try:
        done = subprocess.run(
            [path, *command[1:]],
            env=english(),
            capture_output=True,
            text=True,
            timeout=TOOL_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Missing(f"{command[0]} does not answer") from error
    if done.returncode:
        raise Missing(f"{command[0]} refuses: {done.stderr.strip()[:80] or done.returncode}")
    return done.stdout


def file(name: str) -> str:
    """A file under /proc. Raises Missing."""
    try:
        return (PROC / name).read_text("utf-8")
    except OSError as error:
        raise Missing(f"there is no /proc/{name} here") from error


def under_heading(text: str, heading: str, row: str = "") -> float:
    """The number under a column's heading: in the row that begins with `row`, or in the last one. Raises Missing.

    A first column without a heading, as `free` has it, is allowed for.
    """
    lines = [line.split() for line in text.splitlines() if line.strip()]
    heads = [number for number, words in enumerate(lines) if heading in words]
    if not heads:
        raise Missing(f"no column {heading}")
    names = lines[heads[-1]]
    rows = [words for words in lines[heads[-1] + 1 :] if not row or words[0] == row]
    if not rows:
        raise Missing(f"no row {row}")
    words = rows[-1]
    place = names.index(heading) + (1 if row.endswith(":") else 0)
    return _number(words[place]) if place < len(words) else _missing(heading)


def labelled(text: str, label: str) -> float:
    """The number that stands before a label, as `vmstat -s` prints it. Raises Missing."""
    for line in text.splitlines():
        number, _, rest = line.strip().partition(" ")
        if rest.strip() == label:
            return _number(number)
    return _missing(label)


def keyed(text: str, key: str) -> float:
    """The number behind a key, as in `MemTotal:  1 kB` or `ctxt 5`. Raises Missing."""
    for line in text.splitlines():
        words = line.replace(":", " ").split()
        if words[:1] == [key] and len(words) > 1:
            return _number(words[1])
    return _missing(key)


def memory(heading: str, key: str) -> Answer:
    return first(
        lambda: Answer(under_heading(said("free", "-b"), heading, "Mem:"), "free -b"),
        lambda: Answer(keyed(file("meminfo"), key) * 1024, f"/proc/meminfo {key}"),
    )


def swap_total() -> Answer:
    return first(
        lambda: Answer(under_heading(said("free", "-b"), "total", "Swap:"), "free -b"),
        lambda: Answer(keyed(file("meminfo"), "SwapTotal") * 1024, "/proc/meminfo SwapTotal"),
    )


def page_cache() -> Answer:
    """`free` adds buffers, page cache and what the kernel's own caches would give back."""

    def by_file() -> Answer:
        text = file("meminfo")
        kept = sum(keyed(text, key) for key in ("Buffers", "Cached", "SReclaimable"))
        return Answer(kept * 1024, "/proc/meminfo Buffers + Cached + SReclaimable")

    return first(lambda: Answer(under_heading(said("free", "-b"), "buff/cache", "Mem:"), "free -b"), by_file)


def cores() -> Answer:
    return first(
        lambda: Answer(_number(said("nproc", "--all").strip()), "nproc --all"),
        lambda: Answer(float(os.cpu_count() or _missing("cores")), "/proc/cpuinfo"),
    )


def since_boot(label: str, key: str) -> Answer:
    """A counter of the kernel: context switches, forks, interrupts, the second of the start."""
    return first(
        lambda: Answer(labelled(said("vmstat", "-s"), label), f"vmstat -s, {label}"),
        lambda: Answer(keyed(file("stat"), key), f"/proc/stat {key}"),
    )


def paged(label: str, key: str) -> Answer:
    """KiB moved between memory and disk since boot."""
    return first(
        lambda: Answer(labelled(said("vmstat", "-s"), label), f"vmstat -s, {label}"),
        lambda: Answer(keyed(file("vmstat"), key), f"/proc/vmstat {key}"),
    )


def load_average() -> Answer:
    def by_tool() -> Answer:
        text = said("uptime").partition("load average:")[2]
        return Answer(_number(text.split(",")[0].strip()), "uptime")

    return first(by_tool, lambda: Answer(_number(file("loadavg").split()[0]), "/proc/loadavg"))


def uptime_seconds() -> Answer:
    return Answer(_number(file("uptime").split()[0]), "/proc/uptime")


def disk(heading: str, mount: str) -> Answer:
    """A figure of `df` for one file system: size, avail, itotal."""

    def by_kernel() -> Answer:
        try:
            found = os.statvfs(mount)
        except OSError as error:
            raise Missing(f"{mount} cannot be looked at") from error
        figures = {"size": found.f_blocks * found.f_frsize, "avail": found.f_bavail * found.f_frsize, "itotal": found.f_files}
        return Answer(float(figures[heading]), f"statvfs {mount}")

    return first(
        lambda: Answer(_number(said("df", "-B1", f"--output={heading}", mount).split()[-1]), f"df -B1 {mount}"), by_kernel
    )


def written_bytes(device: str) -> Answer:
    def by_file() -> Answer:
        for line in file("diskstats").splitlines():
            words = line.split()
            if words[2] == device:
                return Answer(_number(words[9]) * SECTOR_BYTES, "/proc/diskstats")
        return _missing(device)

    return first(
        lambda: Answer(under_heading(said("iostat", "-d", "-k"), "kB_wrtn", device) * 1024, f"iostat -d -k {device}"), by_file
    )


def received_bytes(card: str) -> Answer:
    for line in file("net/dev").splitlines():
        name, _, numbers = line.partition(":")
        if name.strip() == card:
            return Answer(_number(numbers.split()[0]), f"/proc/net/dev {card}")
    return _missing(card)


def sockets_used() -> Answer:
    def by_tool() -> Answer:
        for line in said("ss", "-s").splitlines():
            if line.startswith("Total:"):
                return Answer(_number(line.split()[1]), "ss -s")
        return _missing("Total")

    return first(by_tool, lambda: Answer(_number(file("net/sockstat").split()[2]), "/proc/net/sockstat"))


def established() -> Answer:
    """TCP connections that are open, or closed by the other side only: what the kernel calls CurrEstab."""

    def by_tool() -> Answer:
        text = said("ss", "-Hta")
        return Answer(float(sum(line.split()[0] in ("ESTAB", "CLOSE-WAIT") for line in text.splitlines() if line)), "ss -Hta")

    def by_file() -> Answer:
        lines = [line for name in ("net/tcp", "net/tcp6") if (PROC / name).exists() for line in file(name).splitlines()[1:]]
        return Answer(float(sum(line.split()[3] in ("01", "08") for line in lines)), "/proc/net/tcp, tcp6")

    return first(by_tool, by_file)


def waiting_seconds(resource: str) -> Answer:
    """How long, since boot, some task waited for cpu, memory or io: pressure stall information."""
    for word in file(f"pressure/{resource}").splitlines()[0].split():
        if word.startswith("total="):
            return Answer(_number(word.partition("=")[2]) / 1e6, f"/proc/pressure/{resource}")
    return _missing("total")


def _number(word: str) -> float:
    try:
        return float(word)
    except ValueError as error:
        raise Missing(f"{word!r} is no number") from error


def _missing(what: str) -> NoReturn:
    raise Missing(f"{what} is not there")
