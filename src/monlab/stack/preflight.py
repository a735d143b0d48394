"""What a machine needs before services start: memory and disk."""

import shutil

import psutil

from monlab.problem import LabProblem
from monlab.settings import Settings
from monlab.stack.compose import Service

NATIVE_MEGABYTES = 70  # resident memory of a typical server of this lab when idle
FREE_DISK_MEGABYTES = 500
BUILD_DISK_MEGABYTES = 9000  # a full build takes about 8000, Go's caches included
MONTH_MEGABYTES = 1700  # building the archived month: its arrays and the server that loads them
MONTH_DISK_MEGABYTES = 1200


def memory(services: tuple[Service, ...]) -> None:
    """Raises LabProblem when the services do not fit into what is free."""
    needed = NATIVE_MEGABYTES * len(services)
    free = psutil.virtual_memory().available >> 20
    if free < needed:
        raise LabProblem(
            f"These {len(services)} services need about {needed} MB of memory and {free} MB are free. Close something, or stop other modules with `./lab down`."
        )


def disk(missing: list[str], settings: Settings) -> None:
    """Raises LabProblem when the disk is too full. `missing` are servers that must be fetched or built first."""
    settings.cache.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(settings.cache).free >> 20
    wanted = BUILD_DISK_MEGABYTES if missing else FREE_DISK_MEGABYTES
    if free < wanted:
        extra = f" to get {', '.join(missing)}" if missing else ""
        raise LabProblem(
            f"{wanted} MB of free disk are needed{extra} and {settings.cache} has {free} MB. `./lab fetch --clean` gives back what builds left."
        )


def month(settings: Settings) -> None:
    """Raises LabProblem when there is no room to build the archived month."""
    settings.cache.mkdir(parents=True, exist_ok=True)
    for what, needed, free in (
        ("memory", MONTH_MEGABYTES, psutil.virtual_memory().available >> 20),
        ("disk", MONTH_DISK_MEGABYTES, shutil.disk_usage(settings.cache).free >> 20),
    ):
        if free < needed:
            raise LabProblem(
                f"Building the archived month needs about {needed} MB of free {what} for half a minute, and {free} MB are free. "
                "Make room, then run the same again."
            )
