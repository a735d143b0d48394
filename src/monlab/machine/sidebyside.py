"""One table: what this machine's tools say, and what the metrics say of the same moment.

A tool is asked right before and right after the page is read, and the nearer answer counts: on a busy machine a figure moves
between two looks. Where the two differ all the same, that fact alone is looked at again. Where they still differ, a condition may
excuse it, if it is detected here and named.
"""

import subprocess
import time
from dataclasses import dataclass

import pandas as pd

from monlab.endpoints import must_be_ours
from monlab.machine import pairs as facts
from monlab.machine import readings, tools
from monlab.machine.readings import Reading
from monlab.problem import Elsewhere
from monlab.settings import settings
from monlab.telemetry.prometheus import prom
from monlab.waiting import wait_until

SIZE_SHARE, CPU_POINTS, COUNT = 0.01, 3.0, 2.0
MODES = {  # what vmstat calls it -> node_exporter's modes, which are the kernel's
    "us": ("user", "nice"),
    "sy": ("system", "irq", "softirq"),
    "id": ("idle",),
    "wa": ("iowait",),
    "st": ("steal",),
}
WORDS = {"us": "user", "sy": "kernel", "id": "idle", "wa": "waiting for a disk", "st": "taken by the hypervisor"}
LOOKS = 10  # at a fact on which the two differ: sockets come and go
BOOT_SECONDS = 5  # two clocks of one machine may tell the moment of its start this far apart


@dataclass(frozen=True)
class Row:
    fact: str
    unit: str
    tool: str
    tool_value: float | None
    metric: str
    metric_value: float | None
    asked: str  # Prometheus, or the page
    agree: str  # yes, no, excused, cannot be shown
    why: str = ""

    @property
    def difference(self) -> float | None:
        known = self.tool_value is not None and self.metric_value is not None
        return self.metric_value - self.tool_value if known else None  # type: ignore[operator]


def compare(seconds: float = 10) -> pd.DataFrame:
    """One row a fact: by the tool, by the metric, the difference, and whether they agree. CPU shares are of the same `seconds`.

    What cannot be shown here has a row that says why. Raises Elsewhere where the metrics are of another machine.
    """
    watched()
    wait_until(lambda: prom.query('last_over_time(up{job="node"}[10s]) == 1'), seconds=20, what="node_exporter was scraped")
    start = readings.read()
    cpu = _cpu(seconds)
    chosen = facts.pairs(start)
    before = [_asked(pair) for pair in chosen]
    page = readings.read()
    after = [_asked(pair) for pair in chosen]
    excuses = conditions(page)
    rows = [_row(pair, page, one, two, excuses) for pair, one, two in zip(chosen, before, after, strict=True)]
    return _table([*cpu, *(_settled(pair, row, excuses) for pair, row in zip(chosen, rows, strict=True))])


def watched() -> None:
    """Ends the cell with a sentence where the metrics are of another machine than this one."""
    if not tools.PROC.joinpath("stat").exists():
        raise Elsewhere(
            "This machine has no /proc, so there is nothing to compare with. Read on; the text tells what Linux shows."
        )
    must_be_ours(settings(), "Comparing this machine with its metrics")
    here, there = tools.keyed(tools.file("stat"), "btime"), readings.read().value("node_boot_time_seconds")
    if there is not None and abs(here - there) > BOOT_SECONDS:
        raise Elsewhere(
            "node_exporter watches another kernel than the one this notebook runs on: they started at different times. "
            "Docker Desktop and virtual machines do that. Its figures are right, and they are not this machine's. Read on."
        )


def scraped(times: int = 2) -> str:
    """Waits until node_exporter was scraped so often from now on; says how long that took."""
    first = prom.value("time()")
    node = 'up{job="node"}'

    def seen() -> bool:
        now = prom.value("time()")
        return prom.value(f"sum(count_over_time({node}[{max(1, round(1000 * (now - first)))}ms])) or vector(0)", now) >= times

    return wait_until(seen, seconds=30, what=f"node_exporter was scraped {times} times")


def conditions(page: Reading, mountinfo: str | None = None, cards: set[str] | None = None) -> dict[str, str]:
    """What can make a tool and a metric differ here: what it is about -> the condition, in words. Empty on a plain machine."""
    found = {}
    text = _mounts() if mountinfo is None else mountinfo
    for about, name in ((facts.MEMORY, "meminfo"), (facts.CPU, "stat"), (facts.CPU, "uptime")):
        if any(f" /proc/{name} " in line and "lxcfs" in line for line in text.splitlines()):
            found[about] = f"container view: lxcfs puts this container's own figures over /proc/{name}"
    mine = facts.cards() if cards is None else cards
    theirs = {one.labels["device"] for one in page.of("node_network_receive_bytes_total")}
    if theirs and mine and theirs != mine:
        found[facts.NETWORK] = "container view: node_exporter has a network of its own, with other cards than this notebook sees"
    return found


def judged(sort: str, tool: float, metric: float) -> bool:
    """Whether two figures agree: sizes and totals within 1 %, counts within 2, CPU shares within 3 points."""
    apart = abs(metric - tool)
    if sort == facts.SIZE:
        return apart <= SIZE_SHARE * max(abs(tool), abs(metric))
    return apart <= (COUNT if sort == facts.COUNT else CPU_POINTS)


def _row(pair: facts.Pair, page: Reading, before: tools.Answer | str, after: tools.Answer | str, excuses: dict[str, str]) -> Row:
    metric = prom.query(pair.metric)["value"].max() if pair.through == "Prometheus" else page.value(pair.metric)
    known = None if metric is None or pd.isna(metric) else float(metric) / pair.scale
    if isinstance(before, str) or isinstance(after, str):
        return Row(pair.fact, pair.unit, "", None, pair.metric, known, pair.through, "cannot be shown", str(before))
    if known is None:
        why = "node_exporter does not show it on this machine"
        return Row(
            pair.fact, pair.unit, before.how, before.value / pair.scale, pair.metric, None, pair.through, "cannot be shown", why
        )
    looks = sorted((before.value / pair.scale, after.value / pair.scale))
    tool = min(looks, key=lambda value: abs(value - known))
    agree, why = "yes", ""
    if not (looks[0] <= known <= looks[1] or judged(pair.sort, tool, known)):
        why = excuses.get(pair.about, "")
        agree = "excused" if why else "no"
    return Row(pair.fact, pair.unit, before.how, tool, pair.metric, known, pair.through, agree, why)


def _settled(pair: facts.Pair, row: Row, excuses: dict[str, str]) -> Row:
    """The row, or that of a later look in which the two agree."""
    for _look in range(LOOKS):
        if row.agree != "no":
            break
        before, page = _asked(pair), readings.read()
        row = _row(pair, page, before, _asked(pair), excuses)
    return row


def _asked(pair: facts.Pair) -> tools.Answer | str:
    try:
        return pair.ask()
    except tools.Missing as missing:
        return f"{missing}"


def _cpu(seconds: float) -> list[Row]:
    """Shares of all cores' time over the same seconds: `vmstat` counts them while we wait, or /proc/stat read twice."""
    stat = _stat()
    counting = _vmstat(seconds)
    first = readings.read()
    time.sleep(seconds)  # the time that is measured over
    said = counting.communicate(timeout=tools.TOOL_SECONDS)[0] if counting else ""
    second, end = readings.read(), _stat()
    by_metric = _shares({mode: _mode(first, mode) for mode in _kernel_modes()}, {m: _mode(second, m) for m in _kernel_modes()})
    try:
        by_tool = {short: tools.under_heading(said, short) for short in MODES}
        how = f"vmstat {seconds:g} 2, {{}}"
    except tools.Missing:
        by_tool, how = _shares(stat, end), "/proc/stat twice, {}"
    excuses = conditions(second)
    return [_cpu_row(short, by_tool, by_metric, how, seconds, excuses) for short in MODES]


def _cpu_row(
    short: str, by_tool: dict[str, float], by_metric: dict[str, float], how: str, seconds: float, excuses: dict[str, str]
) -> Row:
    tool, metric = by_tool[short], by_metric[short]
    agree, why = "yes", ""
    if not judged("share", tool, metric):
        why = excuses.get(facts.CPU, "") or _iowait(short, by_tool, by_metric)
        agree = "excused" if why else "no"
    modes = "|".join(MODES[short])
    name = f'node_cpu_seconds_total{{mode=~"{modes}"}}, growth in {seconds:g} s'
    return Row(f"CPU, {WORDS[short]}", "% of all cores", how.format(short), tool, name, metric, "page", agree, why)


def _iowait(short: str, by_tool: dict[str, float], by_metric: dict[str, float]) -> str:
    """The kernel counts waiting for a disk as a kind of idling, moves it between cores, and can take it back (proc(5))."""
    if short not in ("id", "wa"):
        return ""
    together = [one["id"] + one["wa"] for one in (by_tool, by_metric)]
    return "iowait: idle and waiting agree only together" if judged("share", *together) else ""


def _shares(before: dict[str, float], after: dict[str, float]) -> dict[str, float]:
    """Percent of all time that passed, by vmstat's names."""
    grown = {mode: max(0.0, after[mode] - before[mode]) for mode in after}
    whole = sum(grown.values()) or 1.0
    return {short: 100 * sum(grown[mode] for mode in modes) / whole for short, modes in MODES.items()}


def _kernel_modes() -> list[str]:
    return [mode for modes in MODES.values() for mode in modes]


def _mode(page: Reading, mode: str) -> float:
    return page.value(f'node_cpu_seconds_total{{mode="{mode}"}}') or 0.0


def _stat() -> dict[str, float]:
    """The first line of /proc/stat, in the order of proc(5): ticks, hundredths of a second, since boot."""
    order = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal")
    words = tools.file("stat").splitlines()[0].split()[1:]
    return {name: float(word) for name, word in zip(order, words, strict=False)}


def _vmstat(seconds: float) -> "subprocess.Popen[str] | None":
    path = tools.path_of("vmstat")
    if path is None or seconds != int(seconds):
        return None
    return subprocess.Popen(
        [path, "-n", str(int(seconds)), "2"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=tools.english()
    )


def _mounts() -> str:
    try:
        return tools.file("self/mountinfo")
    except tools.Missing:
        return ""


def _table(rows: list[Row]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "fact": row.fact,
            "by the tool": row.tool,
            "tool says": _rounded(row.tool_value),
            "metric": row.metric,
            "metric says": _rounded(row.metric_value),
            "unit": row.unit,
            "difference": _rounded(row.difference),
            "agree": row.agree,
            "why not": row.why,
            "asked": row.asked,
        }
        for row in rows
    )


def _rounded(value: float | None) -> float:
    return float("nan") if value is None else round(value, 2)
