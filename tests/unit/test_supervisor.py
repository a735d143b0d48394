"""How processes are ended: without waiting for a parent that is slow to take notice."""

import subprocess
import sys
import time

import psutil

from monlab.stack.supervisor import end_all

DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(60)"


def test_a_process_that_has_ended_counts_as_ended_before_its_parent_takes_notice():
    child = subprocess.Popen(["sleep", "60"])
    process = psutil.Process(child.pid)
    process.kill()
    start = time.monotonic()
    end_all([process], 30)
    assert time.monotonic() - start < 10
    assert process.status() == psutil.STATUS_ZOMBIE, "nobody has waited for it"
    child.wait()


def test_a_process_that_does_not_end_in_time_is_killed():
    child = subprocess.Popen([sys.executable, "-c", DEAF], stdout=subprocess.PIPE)
    assert child.stdout and child.stdout.readline()
    process = psutil.Process(child.pid)
    process.terminate()
    end_all([process], 0.2)
    assert child.wait(10) == -9


def test_a_process_that_is_gone_already_is_no_trouble():
    child = subprocess.Popen(["true"])
    process = psutil.Process(child.pid)
    child.wait()
    end_all([process], 30)
