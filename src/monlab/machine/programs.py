"""A program that a learner wrote, started from a notebook: on loopback, on a free port, and gone when the kernel is gone."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from monlab import endpoints, web
from monlab.problem import Elsewhere, LabProblem
from monlab.settings import CLONE_MARK, REPO, Settings, child_environment, settings
from monlab.stack import helpers
from monlab.telemetry.pages import Page
from monlab.waiting import poll

READY_SECONDS = 10
END_SECONDS = 3
SCRIPT_SECONDS = 60
LAST_LINES = 6


class Program:
    """A running program that shows a page of metrics."""

    def __init__(self, name: str, process: subprocess.Popen[bytes], address: str, log: Path) -> None:
        self.name = name
        self._process = process
        self.address = address  # host:port
        self._log = log

    def get(self, path: str = "/metrics") -> "Reply":
        """Fetches one of its pages. Raises LabProblem when it does not answer."""
        try:
            answer = web.get(f"http://{self.address}{path}", 10)
        except web.FAULTS as error:
            raise LabProblem(f"{self.name} does not answer. {self._end_words()}") from error
        return Reply(answer.status_code, dict(answer.headers), answer.text)

    def page(self, grep: str = "", lines: int = 12, path: str = "/metrics") -> Page:
        """The first lines of its page that contain `grep`."""
        found = [line for line in self.get(path).text.splitlines() if grep in line]
        more = f"\n… {len(found) - lines} more lines" if len(found) > lines else ""
        return Page("\n".join(found[:lines]) + more)

    def repeat(self, path: str, times: int = 60, at_once: int = 4) -> Page:
        """Asks for a page many times, a few at once; says what came back."""
        with ThreadPoolExecutor(at_once) as askers:
            codes = [reply.code for reply in askers.map(self.get, [path] * times)]
        return Page(", ".join(f"{codes.count(code)} answers with {code}" for code in sorted(set(codes))))

    def begin(self, path: str, times: int = 60, at_once: int = 4) -> "Future[Page]":
        """The same, without waiting: `.result()` waits."""
        return ThreadPoolExecutor(1).submit(self.repeat, path, times, at_once)

    def target(self, **labels: str) -> str:
        """A target file of Prometheus for this program, with `labels` on all its series."""
        self.scraped()
        words = ", ".join(f"{name}: {value}" for name, value in labels.items())
        return f"# {self.name}, started from a notebook\n- targets: ['{self.address}']\n  labels: {{{words}}}\n"

    def scraped(self) -> None:
        """Ends the cell with a sentence where the Prometheus of the lab cannot reach a program on this machine's loopback."""
        engine = endpoints.read(settings()).engine
        endpoints.must_be_ours(settings(), f"Scraping {self.name}")
        if engine == "docker":
            raise Elsewhere(
                f"{self.name} listens on this machine's loopback, which a Prometheus in a container cannot reach. Its page can be "
                "read here all the same; the text tells what Prometheus makes of it."
            )

    def stop(self) -> str:
        """Asks it to end (SIGTERM) and waits. Returns what it said last and how it ended."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(END_SECONDS)
            if self._process.poll() is None:
                self._process.kill()
                self._process.wait(END_SECONDS)
        return self._end_words()

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def _end_words(self) -> str:
        said = [line for line in self._log.read_text("utf-8", "replace").strip().splitlines() if line]
        last = f" It said last: {' / '.join(said[-LAST_LINES:])}" if said else " It said nothing."
        state = "It runs." if self.running else f"It has ended with exit code {self._process.returncode}."
        return f"{self.name}: {state}{last}"

    def __repr__(self) -> str:
        return f"{self.name} {'runs' if self.running else 'has ended'} as process {self._process.pid}"


class Reply:
    """What a page answered: code, headers, text. A notebook shows the first two and the beginning of the third."""

    def __init__(self, code: int, headers: dict[str, str], text: str) -> None:
        self.code, self.headers, self.text = code, headers, text

    def __repr__(self) -> str:
        kind = self.headers.get("Content-Type", "(none)")
        return f"{self.code}\nContent-Type: {kind}\n\n" + "\n".join(self.text.splitlines()[:LAST_LINES])


_running: dict[str, Program] = {}


def run(path: str, *words: str) -> Program:
    """Starts a Python file of the workspace as `python FILE --port N WORDS...` and waits for its page. One that runs is ended first.

    Raises LabProblem with the program's own last words when it does not come up.
    """
    config = settings()
    file = config.workspace / path
    if not file.is_file():
        raise LabProblem(f"There is no workspace/{path}. `./lab reset m01` brings the course's files back.")
    return start(config, path.rpartition("/")[2], [str(file)], words)


def script(path: str, *words: str) -> Page:
    """Makes a shell script of the workspace executable and runs it. Raises LabProblem with its own words when it fails."""
    file = settings().workspace / path
    if not file.is_file():
        raise LabProblem(f"There is no workspace/{path}. `./lab reset m01` brings the course's files back.")
    file.chmod(file.stat().st_mode | 0o111)
    try:
        done = subprocess.run([str(file), *words], capture_output=True, text=True, timeout=SCRIPT_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise LabProblem(f"{path} could not be run here: {error}.") from error
    if done.returncode:
        raise LabProblem(f"{path} ended with exit code {done.returncode}: {done.stderr.strip()}")
    return Page(done.stdout.rstrip())


def start(config: Settings, name: str, program: list[str], words: tuple[str, ...] = ()) -> Program:
    """Starts `python PROGRAM --port N WORDS...`, tied to this process."""
    if name in _running:
        _running.pop(name).stop()
    port = _free_port()
    log = config.state / "logs" / f"{name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-S", "-m", "monlab.machine.tied", str(os.getpid()), sys.executable, *program]
    mark = {CLONE_MARK: config.clone_id, helpers.MARK: "1", "PYTHONPATH": str(REPO / "src")}
    with log.open("wb") as out:
        # In a session of its own: an interrupt of the notebook is not for a server.
        process = subprocess.Popen(
            [*command, "--port", str(port), *words],
            env=child_environment(**mark),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
            cwd=config.workspace,
        )
    made = Program(name, process, f"127.0.0.1:{port}", log)
    begin = time.monotonic()
    if not poll(lambda: process.poll() is not None or _listens(port), READY_SECONDS) or process.poll() is not None:
        waited = time.monotonic() - begin
        made.stop()
        raise LabProblem(f"{name} did not come up within {waited:.0f} s. {made._end_words()}")
    _running[name] = made
    return made


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False
