"""The burner stays within what was asked for, and goes when the notebook's kernel goes."""

import json
import os
import signal
import stat
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from jupyter_client import KernelManager
from waits import until

from monlab.machine import burner, hidden
from monlab.problem import LabProblem
from monlab.settings import settings

MB = 10**6
SAMPLE_SECONDS = 0.5
TICKS = 0.03  # a tick of 10 ms at each end of half a second of CPU time, and one between two processes
ASKED = [
    {"kind": "cpu"},
    {"kind": "cpu", "cores": 0.4},
    {"kind": "cpu", "cores": 1.5},
    {"kind": "memory", "memory_mb": 200},
    {"kind": "disk", "disk_mb": 60},
    {"kind": "system"},
    {"kind": "connections"},
    {"kind": "idle"},
]


class Kernel:
    """A real kernel, as a notebook has it."""

    def __init__(self, folder: Path) -> None:
        self.manager = KernelManager(kernel_name="python3")
        self.manager.start_kernel(env={**os.environ, "XDG_STATE_HOME": str(folder)})
        self.client = self.manager.blocking_client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)
        self.folder = folder

    def run(self, code: str) -> str:
        said = []
        self.client.execute_interactive(
            code, timeout=60, output_hook=lambda message: said.append(message["content"].get("text", ""))
        )
        return "".join(said)

    def pid(self) -> int:
        return int(self.run("import os; print(os.getpid())"))

    def end(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


@pytest.fixture
def kernel(tmp_path):
    made = Kernel(tmp_path)
    yield made
    made.end()


@pytest.fixture(autouse=True)
def _nothing_burns_afterwards():
    yield
    burner.stop()


def tree(pid: int) -> list[psutil.Process]:
    top = psutil.Process(pid)
    return [top, *top.children(recursive=True)]


def open_file_bytes(process: psutil.Process) -> int:
    """Disk that a process holds, files without a name included."""
    found = {}
    for link in Path(f"/proc/{process.pid}/fd").iterdir():
        try:
            known = link.stat()
        except FileNotFoundError:
            continue
        if stat.S_ISREG(known.st_mode):
            found[known.st_dev, known.st_ino] = known.st_blocks * 512
    return sum(found.values())


def gone(pids: list[int]) -> bool:
    return all(map(_ended, pids))


def _ended(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.mark.alone("measures the CPU that it gets")
@pytest.mark.parametrize("asked", ASKED, ids=lambda asked: "-".join(map(str, asked.values())))
def test_its_process_tree_stays_within_110_percent_of_what_was_asked_for(asked):
    bounds = burner.bounded(asked["kind"], asked.get("cores"), asked.get("memory_mb"), asked.get("disk_mb"), 20)
    burn = burner.start(bounds, "burner")
    used, at = 0.0, time.monotonic()
    reached = {"cores": 0.0, "memory_mb": 0.0, "disk_mb": 0.0}
    for _ in range(8):
        until(lambda then=at: time.monotonic() >= then + SAMPLE_SECONDS, 2)
        processes = tree(burn.pid)
        begun, cpu, read = time.monotonic(), sum(sum(one.cpu_times()[:2]) for one in processes), time.monotonic()
        seen = {
            "cores": (cpu - used) / (read - at),  # reading may be held up, too
            "memory_mb": sum(one.memory_info().rss for one in processes) / MB,
            "disk_mb": sum(map(open_file_bytes, processes)) / MB,
        }
        used, at = cpu, begun
        for name, value in seen.items():
            slack = TICKS / SAMPLE_SECONDS if name == "cores" else 0.01
            assert value <= 1.1 * getattr(bounds, name) + slack, (name, value, bounds)
            reached[name] = max(reached[name], value)
    worked = {"cpu": "cores", "system": "cores", "memory": "memory_mb", "disk": "disk_mb"}.get(bounds.kind)
    assert worked is None or reached[worked] > 0.5 * getattr(bounds, worked), "it really burns"


@pytest.mark.parametrize("kind", ["cpu", "memory", "disk"])
@pytest.mark.parametrize("end", ["interrupt", "interrupt of a cell", "restart", "kill -9"])
def test_it_is_gone_within_three_seconds_of_the_kernel_s_end(kernel, kind, end):
    words = ", cores=1.5" if kind == "cpu" else ""
    kernel.run(f"from monlab import machine; burn = machine.burn({kind!r}{words}, seconds=120)")
    top = int(kernel.run("print(burn.pid)"))
    expected = 2 if kind == "cpu" else 1
    pids = until(lambda: (found := [one.pid for one in tree(top)]) and len(found) == expected and found)
    if kind == "disk":
        until(lambda: open_file_bytes(psutil.Process(top)) > 0)
    assert not list(kernel.folder.rglob(".burn*")), "its file has no name"
    if end == "interrupt":
        kernel.manager.interrupt_kernel()
    elif end == "interrupt of a cell":
        kernel.client.execute("import time\ntime.sleep(60)")
        until(lambda: kernel.client.get_iopub_msg(timeout=5)["content"].get("execution_state") == "busy")
        kernel.manager.interrupt_kernel()
    elif end == "restart":
        kernel.manager.restart_kernel(now=False)
    else:
        os.kill(kernel.manager.provisioner.pid, signal.SIGKILL)
    until(lambda: gone(pids), 3, "the burner and its workers have ended")


def test_an_interrupt_reaches_it_however_early_it_comes():
    """While Python starts it may swallow one, as an exception that is ignored: the burner would burn on."""
    for early in range(30):
        burn = burner.burn("memory", memory_mb=50, seconds=30)
        asked = time.monotonic()
        until(lambda then=asked + 0.002 * early: time.monotonic() >= then, 1)
        os.kill(burn.pid, signal.SIGINT)
        assert burn._process.wait(3) == -signal.SIGINT, "by the signal, not by an exception that Python may lose"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("cpu", 10_000, None, None, 5), "cores=10000"),
        (("cpu", 0, None, None, 5), "cores=0"),
        (("memory", None, 10**9, None, 5), "memory_mb=1000000000"),
        (("disk", None, None, 10**6, 5), "disk_mb=1000000"),
        (("cpu", None, None, None, 10**6), "seconds=1000000"),
        (("cpu", "two", None, None, 5), "cores='two'"),
        (("memory", None, float("nan"), None, 5), "memory_mb=nan"),
    ],
)
def test_what_would_take_too_much_is_refused_with_the_most_that_may_be_asked(words, said):
    with pytest.raises(LabProblem, match="it may be") as problem:
        burner.bounded(*words)
    assert said in str(problem.value)


def test_an_unknown_kind_is_refused_with_the_nearest_one():
    with pytest.raises(LabProblem, match="Did you mean memory"):
        burner.burn("memroy")


def test_a_second_burner_ends_the_first():
    first = burner.burn("cpu", cores=0.1, seconds=30)
    second = burner.burn("cpu", cores=0.1, seconds=30)
    assert not first.running and second.running
    burner.stop()
    assert not second.running


def test_it_ends_by_itself():
    burn = burner.burn("cpu", cores=0.2, seconds=1)
    until(lambda: not burn.running, 4)


@pytest.mark.parametrize("kind", hidden.LOADS)
def test_nothing_that_ps_shows_tells_the_hidden_burner_from_the_idle_ones(kind):
    hidden.mystery(kind)
    processes = [psutil.Process(one.pid) for one in burner._started]
    until(lambda: all(one.name() in hidden.NAMES for one in processes))
    assert len({tuple(one.cmdline()) for one in processes}) == 1
    assert len({json.dumps(one.environ(), sort_keys=True) for one in processes}) == 1


def test_the_disk_burner_writes_where_the_lab_keeps_its_state():
    burn = burner.burn("disk", disk_mb=5, seconds=10)
    until(lambda: open_file_bytes(psutil.Process(burn.pid)) > 0)
    targets = []
    for link in Path(f"/proc/{burn.pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed since
            targets.append(str(link.readlink()))
    assert any(target.startswith(str(settings().state)) and target.endswith("(deleted)") for target in targets)
