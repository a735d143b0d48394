"""The built parts of the month in the user's cache: each is there whole or not at all, also when two processes want it at once."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import filelock

from monlab.archive import jaeger, loki, prometheus_block, throwaway
from monlab.archive.records import Month
from monlab.settings import Settings
from monlab.stack import month as parts

Progress = Callable[[str], None]
Load = Callable[[Month, Path, Settings, Progress], None]
KEPT_OTHERS = 1  # an older or newer copy of the course beside this one must not have its month taken away
LOADERS: Mapping[str, Load] = {"metrics": prometheus_block.load, "logs": loki.load, "traces": jaeger.load}


def build(names: Sequence[str], settings: Settings, progress: Progress, make: Callable[[], Month]) -> None:
    """Builds the parts `names` that are not there; `make` is called once, and only when one is missing. Raises LabProblem."""
    wanted = [part for part in parts.PARTS if part in names]  # always in this order: two processes never wait for each other
    with ExitStack() as held:
        for part in wanted:
            held.callback(_locked(part, settings, progress).release)
        missing = [part for part in wanted if not parts.place(part, settings).is_dir()]
        if missing:
            progress("making June 2026")
            month = make()
            for part in missing:
                _build(part, month, settings, progress)


def _locked(part: str, settings: Settings, progress: Progress) -> filelock.BaseFileLock:
    lock = parts.lock(part, settings)
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        progress(f"{part}: another process is building it, waiting")
        lock.acquire()
    return lock


def _build(part: str, month: Month, settings: Settings, progress: Progress) -> None:
    place = parts.place(part, settings)
    _clear(part, settings)
    fresh = place.with_name(f".{place.name}.new")
    fresh.mkdir()
    try:
        LOADERS[part](month, fresh / parts.DATA, settings, progress)
        for path in (fresh / parts.DATA).rglob("*"):
            if parts.UNCHANGING.search(str(path)) and path.is_file():
                path.chmod(0o444)  # a link to it in a server's data folder must not be written through
        fresh.rename(place)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    others = [one for one in place.parent.glob(f"{part}-*") if one != place]
    for old in sorted(others, key=lambda one: one.stat().st_mtime, reverse=True)[KEPT_OTHERS:]:
        old.rename(old.with_name(f".{old.name}.old"))
    _clear(part, settings)


def _clear(part: str, settings: Settings) -> None:
    """Removes what a killed build left of this part, its server included, and what newer parts have replaced."""
    for left in parts.home(settings).glob(f".{part}-*"):
        throwaway.end_left(left)
        if left.is_dir():
            shutil.rmtree(left, ignore_errors=True)
        else:
            left.unlink()
