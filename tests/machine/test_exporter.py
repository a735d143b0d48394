"""The exporter that module 1 has the learner read: what it does when it is asked to end."""

import signal
import socket
import subprocess
import sys

import psutil
import pytest
import requests
from waits import until

from monlab.settings import settings

FILE = settings().repo / "course" / "m01_foundations" / "files" / "exporter.py"
END_SECONDS = 15


@pytest.fixture
def exporter(tmp_path):
    """A running exporter and its port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen([sys.executable, str(FILE), "--port", str(port), f"here={tmp_path}"], stdout=subprocess.PIPE)
    until(lambda: requests.get(f"http://127.0.0.1:{port}/metrics", timeout=10), 20)
    _threads(process, 2)  # whoever answered that is gone: the next third thread is a test's own caller
    yield process, port
    process.kill()
    process.communicate()


def _threads(process: subprocess.Popen[bytes], number: int) -> None:
    """Waits until it has so many threads, or has ended."""
    until(lambda: process.poll() is not None or psutil.Process(process.pid).num_threads() == number)


def _asked_to_end(process: subprocess.Popen[bytes]) -> None:
    """Has it take a caller, asks it to end, and waits until the thread that takes callers is gone."""
    _threads(process, 3)
    process.send_signal(signal.SIGTERM)
    _threads(process, 2)


def test_a_scrape_under_way_is_answered_when_the_exporter_is_asked_to_end(exporter):
    process, port = exporter
    with socket.create_connection(("127.0.0.1", port), timeout=10) as scrape:
        scrape.sendall(b"GET /metrics HTTP/1.0\r\n")
        _asked_to_end(process)
        assert process.poll() is None, "it waits for the scrape"
        scrape.sendall(b"\r\n")
        answer = b"".join(iter(lambda: scrape.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.0 200") and b'folder_files{folder="here"} 0.0' in answer
    assert process.wait(END_SECONDS) == 0 and process.stdout.read() == b"ended as asked\n"


def test_a_caller_who_says_nothing_does_not_keep_the_exporter(exporter):
    process, port = exporter
    with socket.create_connection(("127.0.0.1", port), timeout=10):
        _asked_to_end(process)
        assert process.wait(END_SECONDS) == 0


def test_it_ends_when_it_is_asked_to_right_after_its_start(exporter):
    process, _ = exporter
    process.send_signal(signal.SIGTERM)
    assert process.wait(END_SECONDS) == 0
