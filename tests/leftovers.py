"""What a test run started ends with it: a pytest plugin.

Every process carries the mark of its run. At the end of a run nothing with its mark may be left; what a killed run left behind is ended
when the next one begins.
"""

import os
import signal
from collections.abc import Callable

import forked
import psutil
import pytest
from marks import RUN

from monlab.stack.supervisor import end_all, quietly


def pytest_configure(config: pytest.Config) -> None:
    if (
        signal.getsignal(signal.SIGINT) == signal.SIG_IGN
    ):  # as in the background of a script: what tests start would be deaf to it, too
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if hasattr(config, "workerinput") or RUN in os.environ:  # a worker, or a pytest that a test runs
        return
    os.environ[RUN] = _name(psutil.Process())
    config.stash[OURS] = os.environ[RUN]
    _end(_marked(lambda mark: not _runs(mark)))


OURS = pytest.StashKey[str]()


def pytest_unconfigure(config: pytest.Config) -> None:
    if config.stash.get(OURS, ""):
        del os.environ[RUN]


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    ours = session.config.stash.get(OURS, "")
    if ours or hasattr(session.config, "workerinput"):
        forked.end()
    if not ours:
        return
    left = _marked(lambda mark: mark == ours)
    session.config.stash[LEFT] = [f"{process.pid} {_command(process)}" for process in left]
    _end(left)
    if left and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


LEFT = pytest.StashKey[list[str]]()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    left = config.stash.get(LEFT, [])
    if left:
        terminalreporter.section(f"processes that the tests left running (ended now): {len(left)}", red=True)
        for line in left:
            terminalreporter.line(line)


def _name(process: psutil.Process) -> str:
    return f"{process.pid} {process.create_time():.2f}"


def _runs(mark: str) -> bool:
    """Whether the pytest of this mark is still at work."""
    try:
        return _name(psutil.Process(int(mark.partition(" ")[0]))) == mark
    except (ValueError, psutil.NoSuchProcess):
        return False


def _marked(wanted: Callable[[str], bool]) -> list[psutil.Process]:
    """The processes of test runs whose mark is wanted, this one aside."""
    found = []
    for process in psutil.process_iter():
        try:
            mark = process.environ().get(RUN)
        except (psutil.Error, OSError):
            continue
        if mark and process.pid != os.getpid() and wanted(mark):
            found.append(process)
    return found


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())[:150]
    except psutil.Error:
        return "(ended)"


def _end(processes: list[psutil.Process]) -> None:
    for process in processes:
        quietly(process.kill)
    end_all(processes, 10)
