"""The process that burns: `python -m monlab.machine.burning`, told what by one line of JSON on its input.

Nothing on its command line says what it does, so that a learner can look for it. It stays within what the line allows, ends by
itself, and with the notebook's kernel. It imports little, because its memory counts.
"""

import json
import mmap
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from typing import Any

from monlab.machine import tied

SLICE_SECONDS = 0.05  # a share of a core is kept in each slice; nothing is caught up later
STEP_BYTES = 4 * 2**20
WRITTEN_MB_PER_SECOND = 60  # enough to see, and little of a disk's life
MB = 10**6


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])  # whoever started it let interrupts wait until here
    order = json.loads(sys.stdin.readline())
    tied.to(order["parent"])
    _call_it(order["name"])
    burner = Burner(order, order["parent"])
    time.sleep(time.process_time() / order["cores"])  # starting took some of the share already
    getattr(burner, order["kind"])()


class Burner:
    """One kind of load for a while. `order`: kind, cores, memory_mb, disk_mb, seconds, folder."""

    def __init__(self, order: dict[str, Any], parent: int) -> None:
        self.order = order
        self.parent = parent
        self.end = time.monotonic() + order["seconds"]

    def idle(self) -> None:
        """Nothing: it stands beside the one that burns, so that there is a choice."""
        while self._goes_on():
            time.sleep(tied.POLL_SECONDS)

    def cpu(self) -> None:
        """Arithmetic: time in user mode."""
        self._on_cores(_count)

    def system(self) -> None:
        """Questions to the kernel: time in system mode."""
        zeros, buffer = os.open("/dev/zero", os.O_RDONLY), bytearray(2**18)
        self._on_cores(lambda: os.readv(zeros, [buffer]))

    def memory(self) -> None:
        """Memory that is asked for and used, in steps, and then kept."""
        wanted = int(self.order["memory_mb"] * MB) - _resident_bytes()
        held = mmap.mmap(-1, max(wanted, mmap.PAGESIZE))
        page, filled = b"x", 0

        def step() -> None:
            nonlocal filled
            for place in range(filled, min(filled + STEP_BYTES, len(held)), mmap.PAGESIZE):
                held[place : place + 1] = page
            filled += STEP_BYTES

        while self._goes_on():
            if filled < len(held):
                self._slice(step, self.order["cores"], lambda: filled >= len(held))
            else:
                time.sleep(tied.POLL_SECONDS)

    def disk(self) -> None:
        """A file written over and over, to the disk and not only to the cache. It has no name, so nothing is left of it."""
        path = os.path.join(self.order["folder"], f".burn-{os.getpid()}")  # noqa: PTH118  pathlib costs memory
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        os.unlink(path)  # noqa: PTH108
        size, block, place = int(self.order["disk_mb"] * MB), os.urandom(2**20), 0

        def step() -> None:
            nonlocal place
            place += os.pwrite(file, block[: size - place], place)
            if place >= size:
                place = 0
            os.fdatasync(file)
            time.sleep(2**20 / MB / WRITTEN_MB_PER_SECOND)

        while self._goes_on():
            self._slice(step, self.order["cores"])

    def connections(self) -> None:
        """Open connections to itself that say nothing."""
        listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        kept = []
        for _ in range(200):
            kept += [socket.create_connection(listener.getsockname()), listener.accept()[0]]
        self.idle()

    def _on_cores(self, step: Callable[[], object]) -> None:
        """`cores` may be 1.5: one process on a whole core, one on half of one."""
        left = self.order["cores"]
        while left > 1:
            parent = os.getpid()
            if os.fork() == 0:
                tied.to(parent)
                self.parent, left = parent, 1
                break
            left -= 1
        while self._goes_on():
            self._slice(step, left)

    def _goes_on(self) -> bool:
        return time.monotonic() < self.end and tied.lives(self.parent)

    def _slice(self, step: Callable[[], object], share: float, done: Callable[[], bool] = lambda: False) -> None:
        """Works through one slice of time, for at most its share of a core."""
        start, used = time.monotonic(), time.process_time()
        allowed = SLICE_SECONDS * (share if share == 1 else 0.95 * share)  # the last step may take it a little further
        while time.monotonic() - start < SLICE_SECONDS and time.process_time() - used < allowed and not done():
            step()
        if share < 1:
            time.sleep(max(0.0, SLICE_SECONDS - (time.monotonic() - start)))


def _count() -> None:
    for _ in range(2000):
        pass


def _call_it(name: str) -> None:
    """The name that `ps` shows in its column COMMAND (comm)."""
    try:
        with open("/proc/self/comm", "w") as file:  # noqa: PTH123
            file.write(name)
    except OSError:
        pass  # then it is called python


def _resident_bytes() -> int:
    try:
        with open("/proc/self/statm") as file:  # noqa: PTH123
            return int(file.read().split()[1]) * mmap.PAGESIZE
    except OSError:
        return 15 * MB  # no Linux: about what it is there


if __name__ == "__main__":
    main()
