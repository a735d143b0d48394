"""Ties a process to the one that started it: when that one is gone, however it went, so is this one.

`python -m monlab.machine.tied PARENT COMMAND...` does so for a program that knows nothing of it: SIGTERM first, then SIGKILL.
It imports little, because its memory counts.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time

PR_SET_PDEATHSIG = 1  # prctl(2), Linux
POLL_SECONDS = 0.25
GRACE_SECONDS = 1.5  # what a program gets to end by itself


def to(parent: int, word: signal.Signals = signal.SIGKILL) -> None:
    """The kernel shall send `word` when `parent` ends. Ends at once if that has happened already."""
    with contextlib.suppress(OSError, AttributeError):  # no Linux: `lives` is asked often enough
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(word), 0, 0, 0)
    if not lives(parent):
        raise SystemExit(0)


def lives(parent: int) -> bool:
    """Whether the process that started this one is still there. An orphan is given to another parent at once."""
    return os.getppid() == parent


def main(parent: int, command: list[str]) -> int:
    """Runs the command as a child and watches the parent. Returns the command's exit code."""
    signal.signal(signal.SIGTERM, _leave)
    to(parent, signal.SIGTERM)
    me = os.getpid()
    child = subprocess.Popen(command, preexec_fn=lambda: to(me))  # one thread only, so it is safe
    try:
        while child.poll() is None and lives(parent):
            time.sleep(POLL_SECONDS)
    finally:
        _end(child)
    return child.returncode


def _leave(_number: int, _frame: object) -> None:
    raise SystemExit(0)


def _end(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    try:
        child.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
