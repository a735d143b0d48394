"""How long `./lab up m02` and `./lab down` take, beside a bare shell script that starts and polls the same five servers.

`python benchmarks/start.py` prints the medians of several rounds and their ratios. The servers must be here already (`./lab fetch m02`).
"""

import compileall
import os
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from monlab import endpoints
from monlab.settings import settings
from monlab.stack import engines
from monlab.stack.supervisor import Supervisor

ROUNDS = 7


def lab(*words: str) -> None:
    subprocess.run([sys.executable, "-m", "monlab", *words], check=True, stdout=subprocess.DEVNULL)


def seconds(action: Callable[[], object]) -> float:
    start = time.monotonic()
    action()
    return time.monotonic() - start


def bare_script(folder: Path) -> Path:
    """A script that starts what runs now, as it runs, waits until all of it answers, and prints the process ids."""
    config = settings()
    services = engines.describe(config).services
    lines = ["#!/bin/sh"]
    for process in Supervisor(config).marked():
        words = process.cmdline()
        if "supervisor.supervisord" not in words:
            lines += [f"cd {shlex.quote(process.cwd())}", f"{shlex.join(words)} >/dev/null 2>&1 &", "echo $!"]
    ready = [url + services[name].ready for name, url in endpoints.read(config).urls.items()]
    lines += [f"until curl -sf -o /dev/null {shlex.quote(url)}; do sleep 0.02; done" for url in ready]
    script = folder / "bare.sh"
    script.write_text("\n".join(lines) + "\n", "utf-8")
    return script


def bare(script: Path) -> float:
    """Seconds that the script takes; what it started is ended afterwards."""
    start = time.monotonic()
    done = subprocess.run(["sh", str(script)], check=True, capture_output=True, text=True)
    took = time.monotonic() - start
    processes = [psutil.Process(int(pid)) for pid in done.stdout.split()]
    for process in processes:
        process.terminate()
    psutil.wait_procs(processes, timeout=20)
    return took


def main() -> None:
    """Measures in turns, so that a machine that becomes slower does so for both."""
    folder = Path(tempfile.mkdtemp())
    compileall.compile_dir(settings().repo / "src", quiet=1)  # as after anybody's first command
    os.environ.update(LAB_ENGINE="native", XDG_STATE_HOME=str(folder))
    try:
        lab("up", "m02")
        script = bare_script(folder)
        lab("down")
        found: dict[str, list[float]] = {"bare script": [], "./lab up m02": [], "./lab down": []}
        for _ in range(ROUNDS):
            found["bare script"].append(bare(script))
            found["./lab up m02"].append(seconds(lambda: lab("up", "m02")))
            found["./lab down"].append(seconds(lambda: lab("down")))
    finally:
        lab("down")
        shutil.rmtree(folder)
    base = statistics.median(found["bare script"])
    for name, times in found.items():
        middle = statistics.median(times)
        print(f"{name:14} {middle:5.2f} s   {middle / base:4.1f} times the bare script   ({min(times):.2f} to {max(times):.2f})")


if __name__ == "__main__":
    main()
