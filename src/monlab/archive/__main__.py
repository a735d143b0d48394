"""`python -m monlab.archive PART...` builds parts of the archived month into the user's cache, and prints how far it is.

A process of its own: the arrays of the month are given back when it ends, and who asks for it needs no numpy.
"""

import argparse
import os
import signal
import sys
from types import FrameType

from monlab.archive import store, throwaway
from monlab.archive.records import Month
from monlab.problem import LabProblem
from monlab.settings import settings
from monlab.stack.month import PARTS, REFUSED

ENDED = 2


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m monlab.archive", description="Builds parts of the archived month.")
    parser.add_argument("parts", nargs="+", choices=list(PARTS), metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--with", dest="parent", type=int, metavar="PID", help="end when this process, the parent, ends")
    words = parser.parse_args()
    signal.signal(signal.SIGTERM, _end)
    if words.parent:
        throwaway.die_with_parent(signal.SIGTERM)
        if os.getppid() != words.parent:
            return ENDED  # it has ended already
    try:
        store.build(words.parts, settings(), _say, _make)
    except LabProblem as problem:
        sys.stderr.write(f"{problem}\n")
        return REFUSED
    return 0


def _make() -> Month:
    from monlab.archive.generate import month

    return month()


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _end(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(ENDED)  # what is half done is removed on the way out


if __name__ == "__main__":
    sys.exit(main())
