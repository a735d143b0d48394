"""The hidden burner: three processes begin, one of them works, and the learner says which resource, which process, and how one knows."""

import random
import re
import time
from dataclasses import dataclass

from monlab.machine import burner
from monlab.machine.burner import Burn
from monlab.problem import LabProblem, nearest
from monlab.progress.guesses import Line
from monlab.telemetry.errors import QueryProblem
from monlab.telemetry.prometheus import prom

NAMES = ("indexer", "reporter", "cleaner", "importer", "mailer", "archiver")
SECONDS = 240.0


@dataclass(frozen=True)
class Load:
    """One of the loads that may hide."""

    resource: str
    does: str
    evidence: tuple[str, ...]  # beginnings of metrics that show it


LOADS = {
    "cpu": Load(
        "cpu", "computes, in user mode", ("node_cpu_seconds_total", "node_load1", "node_pressure_cpu", "node_schedstat", "node_procs_running")
    ),
    "system": Load(
        "cpu",
        "asks the kernel for zeros, in kernel mode",
        ("node_cpu_seconds_total", "node_load1", "node_pressure_cpu", "node_schedstat", "node_procs_running"),
    ),
    "memory": Load(
        "memory", "took memory and keeps it", ("node_memory_", "node_vmstat_pgfault", "node_pressure_memory")
    ),
    "disk": Load(
        "disk",
        "writes a file over and over and waits for the disk",
        ("node_disk_", "node_vmstat_pgpgout", "node_pressure_io", "node_filesystem_avail", "node_filesystem_free"),
    ),
    "connections": Load(
        "network",
        "holds open connections to itself",
        ("node_sockstat_", "node_netstat_Tcp", "node_filefd_allocated"),
    ),
}  # fmt: skip
RESOURCES = ("cpu", "memory", "disk", "network")


@dataclass
class Riddle:
    kind: str
    culprit: Burn
    names: dict[int, str]
    began: float
    seconds: float | None = None  # what the learner took; set by the first answer


_riddle: Riddle | None = None


def mystery(kind: str = "") -> Line:
    """Starts an unknown load among three processes. `kind` is for tests and teachers; a learner leaves it out."""
    global _riddle
    if kind and kind not in LOADS:
        raise LabProblem(f"There is no load {kind!r}.{nearest(kind, LOADS)}")
    chosen = random.SystemRandom()
    kind = kind or chosen.choice(list(LOADS))
    names = chosen.sample(NAMES, 3)
    kinds = [kind, "idle", "idle"]
    chosen.shuffle(kinds)
    burner.stop()
    started = [burner.start(burner.bounded(one, None, None, None, SECONDS), name) for one, name in zip(kinds, names, strict=True)]
    culprit = started[kinds.index(kind)]
    known = {one.pid: name for one, name in zip(started, names, strict=True)}
    _riddle = Riddle(kind, culprit, known, time.monotonic())
    return Line(
        f"Three new processes run: {', '.join(sorted(names))}. One of them is at work. Which resource does it use, which process is "
        f"it, and which metric shows it? They end after {SECONDS / 60:.0f} minutes. The clock runs."
    )


def reveal(resource: object = ..., process: object = ..., evidence: object = ...) -> Line:
    """Judges an answer, tells the right one and ends the load. `process` is a pid or a name, `evidence` a PromQL query."""
    if _riddle is None:
        raise LabProblem("Nothing is hidden: `machine.mystery()` starts a load.")
    riddle, load = _riddle, LOADS[_riddle.kind]
    if riddle.seconds is None:
        riddle.seconds = time.monotonic() - riddle.began
    said = [
        _resource(resource, load),
        _process(process, riddle),
        _evidence(evidence, load),
        f"It {load.does}: resource {load.resource}, process {riddle.culprit.pid} ({riddle.names[riddle.culprit.pid]}). "
        f"Answered after {riddle.seconds:.0f} s.",
    ]
    burner.stop()
    return Line("\n".join(said))


def _resource(answer: object, load: Load) -> str:
    if answer is ...:
        return "Resource: no answer was given."
    if answer not in RESOURCES:
        return f"Resource: {answer!r} is none of {', '.join(RESOURCES)}."
    return f"Resource: {answer} is {'right' if answer == load.resource else 'not what it uses'}."


def _process(answer: object, riddle: Riddle) -> str:
    if answer is ...:
        return "Process: no answer was given."
    right = (riddle.culprit.pid, str(riddle.culprit.pid), riddle.names[riddle.culprit.pid])
    if answer in right:
        return f"Process: {answer} is right."
    known = (*riddle.names, *map(str, riddle.names), *riddle.names.values())
    return f"Process: {answer} is " + ("one of the idle ones." if answer in known else "none of the three.")


def _evidence(answer: object, load: Load) -> str:
    if answer is ...:
        return "Evidence: no answer was given."
    text = str(answer)
    named = re.findall(r"\bnode_\w+", text)
    if not any(name.startswith(load.evidence) for name in named):
        return f"Evidence: nothing in {text!r} is moved by it. For example {load.evidence[0]}… is."
    try:
        found = prom.query(text)
    except QueryProblem as problem:
        return f"Evidence: {problem}"
    shown = ", ".join(f"{value:,.4g}" for value in found["value"].head(3)) or "nothing"
    return (
        f"Evidence: it shows in {text} ({shown})." if len(found) else f"Evidence: the right metric, but {text} answers nothing."
    )
