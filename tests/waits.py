"""Polling for what takes its time."""

import time


def wait_for(clone, query: str, seconds: float = 30) -> None:
    """Polls until a query has an answer."""
    deadline = time.monotonic() + seconds
    while not clone.query(query):
        assert time.monotonic() < deadline, f"{query} has no answer after {seconds:.0f} s"
