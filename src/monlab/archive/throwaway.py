"""A server that runs only while a part of the archive is loaded. It dies with the process that started it, however that ends."""

import ctypes
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

from monlab import web
from monlab.problem import LabProblem
from monlab.settings import CLONE_MARK, Settings, child_environment
from monlab.stack.supervisor import quietly
from monlab.waiting import poll

MARK = "MONLAB_MONTH"  # environment variable that names the folder in which a throwaway server works
START_SECONDS = 30
END_SECONDS = 60
PR_SET_PDEATHSIG = 1  # linux/prctl.h
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def die_with_parent(mark: signal.Signals = signal.SIGKILL) -> None:
    """Has the kernel end this process when the one that started it ends. Linux only: elsewhere the next build finds it by its mark."""
    if _libc:
        _libc.prctl(PR_SET_PDEATHSIG, mark)


def free_ports(count: int) -> list[int]:
    """Ports on which nobody listens now."""
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    numbers = [int(probe.getsockname()[1]) for probe in probes]
    for probe in probes:
        probe.close()
    return numbers


@contextmanager
def serving(
    settings: Settings, folder: Path, command: Sequence[str], ready: str, environment: Mapping[str, str], end: signal.Signals
) -> Iterator[None]:
    """Runs a server that works in `folder` until the block ends, then ends it with the signal `end` and waits for that.

    `ready` is a URL that answers 200 once it can be used. Raises LabProblem with the server's last words when it does not come
    up, or when it had ended before the block did.
    """
    name, log = Path(command[0]).name, folder.with_name(f"{folder.name}.log")
    marked = child_environment(**{CLONE_MARK: settings.clone_id, MARK: str(folder), **environment})
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, cwd=folder, env=marked, stdin=subprocess.DEVNULL, stdout=out, stderr=out, preexec_fn=die_with_parent
        )
    try:
        _wait(process, ready, lambda: _problem(name, "did not come up", log))
        yield
        if process.poll() is not None:
            raise _problem(name, f"ended by itself (exit status {process.returncode})", log)
        process.send_signal(end)
        process.wait(END_SECONDS)
    except web.FAULTS as error:
        what = (
            f"ended by itself (exit status {process.returncode})" if process.poll() is not None else f"did not answer ({error})"
        )
        raise _problem(name, what, log) from error
    except subprocess.TimeoutExpired:
        raise _problem(name, f"did not end within {END_SECONDS} s", log) from None
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    log.unlink()


def _wait(process: subprocess.Popen[bytes], ready: str, problem: Callable[[], LabProblem]) -> None:
    poll(lambda: process.poll() is not None or _answers(ready), START_SECONDS)
    if process.poll() is not None or not _answers(ready):
        raise problem()


def _answers(url: str) -> bool:
    try:
        return web.get(url, 2).status_code == 200
    except web.FAULTS:
        return False


def _problem(name: str, what: str, log: Path) -> LabProblem:
    said = "\n".join(log.read_text("utf-8", "replace").splitlines()[-5:]) or "(nothing)"
    return LabProblem(f"{name}, which loads the archived month, {what}. Run the same again. Its last lines:\n{said}")


def end_left(folder: Path) -> None:
    """Ends the servers that a killed build in `folder` left behind, where the kernel did not."""
    left = [process for process in psutil.process_iter() if _works(process, folder)]
    for process in left:
        quietly(process.kill)
    psutil.wait_procs(left, timeout=5)


def _works(process: psutil.Process, folder: Path) -> bool:
    try:
        return process.pid != os.getpid() and Path(process.environ().get(MARK, "/")).is_relative_to(folder)
    except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess, OSError):
        return False
