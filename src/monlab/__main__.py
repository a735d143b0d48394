"""`python -m monlab`, which `./lab` runs. Apart from cli.py, so that the stop button is understood while that one still loads."""

import os
import signal
import sys


def _stopped(*_signal_and_frame: object) -> None:
    os.write(2, b"lab: stopped.\n")
    os._exit(130)  # nothing has begun yet, so there is nothing to tidy up


before = signal.signal(signal.SIGINT, _stopped)
from monlab.cli import main  # noqa: E402 - the handler stands before the second that this takes

signal.signal(signal.SIGINT, before)
sys.exit(main())
