"""Processes that a lab starts beside its servers: those that send load, and those that end a fault. They outlive the notebook."""

import subprocess
from collections.abc import Sequence
from typing import IO

import psutil

from monlab.settings import CLONE_MARK, Settings, child_environment
from monlab.stack.supervisor import Supervisor, end_all, quietly

MARK = "MONLAB_HELPER"  # environment variable that tells a helper from a server
END_SECONDS = 5


def start(settings: Settings, command: Sequence[str], log: IO[bytes] | None = None) -> subprocess.Popen[bytes]:
    """Starts a helper. Without a `log` it is mute: whoever waits for the end of our own output must not wait for its end."""
    out = log or subprocess.DEVNULL
    environment = child_environment(**{CLONE_MARK: settings.clone_id, MARK: "1"})
    return subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True)


def end(settings: Settings) -> None:
    """Ends the helpers of this clone."""
    found = [process for process in Supervisor(settings).marked() if _is_helper(process)]
    for process in found:
        quietly(process.terminate)
    end_all(found, END_SECONDS)


def _is_helper(process: psutil.Process) -> bool:
    try:
        return MARK in process.environ()
    except (psutil.NoSuchProcess, psutil.AccessDenied, OSError):
        return False
