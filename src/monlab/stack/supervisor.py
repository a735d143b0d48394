"""supervisord, which keeps the native servers: its configuration files, its start and end, and talking to it."""

import http.client
import os
import socket
import subprocess
import sys
import time
import xmlrpc.client
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from monlab.problem import LabProblem
from monlab.settings import CLONE_MARK, Settings, child_environment
from monlab.waiting import poll

START_SECONDS = 10
KILL_SECONDS = 5
END_SECONDS = 40  # a server gets 10 s to end before it is killed


@dataclass(frozen=True)
class Program:
    """One supervised process."""

    name: str
    command: list[str]
    folder: Path
    environment: dict[str, str]
    stop_signal: str = "SIGTERM"


class _Transport(xmlrpc.client.Transport):
    """XML-RPC over a Unix socket. The transport that supervisor has itself loads its whole server first."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def make_connection(self, host: object) -> http.client.HTTPConnection:
        return _Connection(self._path)


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost")
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(str(self._path))


class Supervisor:
    """The supervisord of one clone."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.home = settings.state / "supervisor"
        self.logs = settings.state / "logs"
        self._begun: subprocess.Popen[str] | None = None  # a start that nobody has waited for yet

    @property
    def rpc(self) -> Any:
        return xmlrpc.client.ServerProxy("http://localhost", _Transport(self.settings.socket)).supervisor

    def alive(self) -> bool:
        if not self.settings.socket.exists():
            return False
        try:
            return bool(self.rpc.getState()["statename"] == "RUNNING")
        except (OSError, xmlrpc.client.Error):
            return False

    def begin(self) -> None:
        """Starts supervisord if it does not run, and does not wait for it. Servers left by one that was killed are ended first."""
        if self._begun or self.alive():
            return
        self.end_orphans()
        for folder in (self.home / "programs", self.logs):
            folder.mkdir(parents=True, exist_ok=True)
        self._forget_programs()
        self.settings.socket.unlink(missing_ok=True)
        if (self.logs / "supervisord.log").exists():  # `exits` counts what happened since this start
            (self.logs / "supervisord.log").replace(self.logs / "supervisord.previous.log")
        config = self.home / "supervisord.conf"
        config.write_text(_main_config(self.settings.socket, self.home, self.logs), "utf-8")
        environment = child_environment(**{CLONE_MARK: self.settings.clone_id})
        command = [sys.executable, "-m", "supervisor.supervisord", "-c", str(config)]
        self._begun = subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True
        )

    def ensure(self) -> None:
        """Waits until supervisord, started if need be, can be told what to keep. Raises LabProblem when it does not come up."""
        self.begin()
        if self._begun is None:
            return
        code, said = self._daemonized()
        if code or not poll(self.alive, START_SECONDS, 0.01):
            raise LabProblem(
                f"The supervisor that keeps the servers did not start. It said:\n{said or self.log_tail('supervisord', 10)}"
            )

    def _daemonized(self) -> tuple[int, str]:
        """Waits for the end of what `begin` started, which leaves a daemon behind. Returns its exit code and what it printed."""
        assert self._begun
        begun, self._begun = self._begun, None
        try:
            said = begun.communicate(timeout=START_SECONDS)[1]
        except subprocess.TimeoutExpired:
            begun.kill()
            said = begun.communicate()[1]
        return begun.returncode, said

    def apply(self, programs: list[Program]) -> None:
        """Makes exactly these programs run; one whose configuration is unchanged is not touched."""
        folder = self.home / "programs"
        wanted = {f"{program.name}.conf": _program_config(program, self.logs) for program in programs}
        for stale in folder.glob("*.conf"):
            if stale.name not in wanted:
                stale.unlink()
        for name, text in wanted.items():
            (folder / name).write_text(text, "utf-8")
        added, changed, removed = self._reload()
        for name in (*changed, *removed):
            self._remove(name)
        for program in programs:
            if program.name in (*added, *changed):
                self.rpc.addProcessGroup(program.name)
        for info in self.rpc.getAllProcessInfo():
            if info["statename"] in ("FATAL", "EXITED", "STOPPED"):
                self.rpc.startProcess(info["name"], False)

    def drop(self, names: set[str]) -> None:
        """Ends these programs and forgets them; the others are not touched."""
        for name in names:
            (self.home / "programs" / f"{name}.conf").unlink(missing_ok=True)
        _added, _changed, removed = self._reload()
        for name in removed:
            self._remove(name)

    def _reload(self) -> tuple[list[str], list[str], list[str]]:
        try:
            [[added, changed, removed]] = self.rpc.reloadConfig()
        except xmlrpc.client.Fault as fault:
            raise LabProblem(
                f"The lab's supervisor cannot read its configuration in {self.home} ({fault.faultString}). `./lab down`, then start again."
            ) from None
        return added, changed, removed

    def _remove(self, name: str) -> None:
        self.rpc.stopProcessGroup(name, True)
        self.rpc.removeProcessGroup(name)

    def infos(self) -> list[dict[str, Any]]:
        return list(self.rpc.getAllProcessInfo()) if self.alive() else []

    def shutdown(self) -> None:
        """Ends supervisord and everything it keeps, and waits until they are gone."""
        if self._begun:
            self._daemonized()
        processes = self.marked()
        if self.alive():
            self._stop_all()
            self.rpc.shutdown()
        else:
            self.end_orphans()
        end_all(processes, END_SECONDS)
        self.settings.socket.unlink(missing_ok=True)
        (self.home / "supervisord.pid").unlink(missing_ok=True)  # one that was killed leaves it
        self._forget_programs()

    def _forget_programs(self) -> None:
        for stale in (self.home / "programs").glob("*.conf"):
            stale.unlink()

    def _stop_all(self) -> None:
        """Stops every program at once: `shutdown` alone would take them one after another."""
        for info in self.infos():
            if info["statename"] in ("RUNNING", "STARTING", "BACKOFF"):
                self.rpc.stopProcess(info["name"], False)
        deadline = time.monotonic() + END_SECONDS
        while time.monotonic() < deadline and any(info["statename"] == "STOPPING" for info in self.infos()):
            time.sleep(0.05)

    def marked(self) -> list[psutil.Process]:
        """The supervisor and the servers of this clone: processes of this user with the clone's mark and our programs."""
        found = []
        for process in psutil.process_iter():
            try:
                if process.pid != os.getpid() and process.environ().get(CLONE_MARK) == self.settings.clone_id:
                    found.append(process)
            except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess, OSError):
                continue
        return found

    def end_orphans(self) -> None:
        """Ends the servers whose supervisor was killed: exactly those that carry this clone's mark."""
        orphans = self.marked()
        for orphan in orphans:
            quietly(orphan.terminate)
        end_all(orphans, 10)

    def log_tail(self, name: str, lines: int) -> str:
        path = self.logs / f"{name}.log"
        if not path.exists():
            return ""
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - 64_000))
            text = file.read().decode("utf-8", "replace")
        return "\n".join(text.splitlines()[-lines:])

    def exits(self, name: str) -> list[str]:
        """How the program ended, each time since the supervisor started: `terminated by SIGKILL`."""
        log = self.logs / "supervisord.log"
        if not log.exists():
            return []
        ended = f"exited: {name} ("
        lines = [line.partition(ended)[2] for line in log.read_text("utf-8", "replace").splitlines() if ended in line]
        return [line.rstrip(")").removesuffix("; not expected") for line in lines]


def end_all(processes: list[psutil.Process], seconds: float) -> None:
    """Waits until these processes have ended, and kills those that have not after `seconds`.

    One that has ended and waits for its parent to take notice has ended: where init is slow, that takes seconds.
    """
    if poll(lambda: not any(map(at_work, processes)), seconds, 0.01):
        return
    left = [process for process in processes if at_work(process)]
    for process in left:
        quietly(process.kill)
    poll(lambda: not any(map(at_work, left)), KILL_SECONDS, 0.01)


def at_work(process: psutil.Process) -> bool:
    """Whether a process still does something: one that has ended and that nobody has waited for does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def quietly(action: Any) -> None:
    try:
        action()
    except psutil.NoSuchProcess:
        return  # it ended by itself in between, which is what was wanted


def _main_config(address: Path, home: Path, logs: Path) -> str:
    return f"""[unix_http_server]
file={_escaped(address)}
chmod=0700
[supervisord]
logfile={_escaped(logs)}/supervisord.log
logfile_maxbytes=1MB
logfile_backups=1
pidfile={_escaped(home)}/supervisord.pid
childlogdir={_escaped(logs)}
directory={_escaped(home)}
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[include]
files=programs/*.conf
"""


def _program_config(program: Program, logs: Path) -> str:
    variables = ",".join(f'{key}="{_escaped(value)}"' for key, value in program.environment.items())
    words = " ".join(_quoted(word) for word in program.command)
    return f"""[program:{program.name}]
command={words}
directory={_escaped(program.folder)}
environment={variables}
autorestart=true
startretries=5
stopsignal={program.stop_signal.removeprefix("SIG")}
stopasgroup=true
killasgroup=true
redirect_stderr=true
stdout_logfile={_escaped(logs)}/{program.name}.log
stdout_logfile_maxbytes=5MB
stdout_logfile_backups=1
"""


def _escaped(value: object) -> str:
    return str(value).replace("%", "%%")


def _quoted(word: str) -> str:
    """A word of a command line as supervisord reads it (shlex), with its own % doubled."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{_escaped(escaped)}"'
