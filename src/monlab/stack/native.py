"""The native engine: every service is a process of this machine, kept by supervisord."""

import os
import shlex
import shutil
import signal as signals
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from monlab.files import read_text
from monlab.problem import LabProblem
from monlab.settings import Settings
from monlab.stack import month, preflight, render, secrets, servers
from monlab.stack.compose import Description, Service
from monlab.stack.display import Screen
from monlab.stack.engine import OnThisMachine, Said, State, must_run
from monlab.stack.supervisor import Program, Supervisor

TOOL_SECONDS = 60


class WithoutContainers:
    """What engines without containers share: tools run as they are, and all data lies in the state folder."""

    place = ""
    settings: Settings

    def tool(self, server: str, tool: str, words: tuple[str, ...], stdin: str) -> Said:
        """Runs a tool of a native server in the workspace; the server is fetched or built first if need be."""
        found = servers.present(server, self.settings)
        if found is None:
            with Screen() as screen:
                found = servers.get(server, self.settings, screen.say)
                screen.clear()
        command, space = [*found.command(tool), *words], self.settings.workspace
        try:
            done = subprocess.run(
                command, cwd=space, input=stdin, capture_output=True, text=True, timeout=TOOL_SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            raise LabProblem(f"{tool} did not end within {TOOL_SECONDS} s and was ended.") from None
        text = (done.stdout + done.stderr).replace(f"{space}/", "")
        return Said(shlex.join([tool, *words]), done.returncode == 0, text)

    def kept(self) -> list[str]:
        return []

    def discard(self) -> None:
        return


class NativeEngine(WithoutContainers, OnThisMachine):
    """Services as processes."""

    name = "native"

    def __init__(self, settings: Settings, description: Description) -> None:
        super().__init__(settings, description)
        self.supervisor = Supervisor(settings)
        self._lacks: dict[str, str] = {}  # server -> what its copy here cannot do

    @property
    def addresses(self) -> render.Addresses:
        return render.Addresses.of(self.description, self.block)

    @contextmanager
    def starting(self) -> Iterator[None]:
        self.supervisor.begin()  # it gets ready while ports are chosen and files are written
        try:
            yield
        except BaseException:
            if not self.running():
                self.supervisor.shutdown()
            raise

    def prepare(self, services: tuple[Service, ...]) -> str:
        running = self.running()
        starting = tuple(service for service in services if service.name not in running)
        preflight.memory(starting)
        preflight.disk([one.server for one in starting if servers.present(one.server, self.settings) is None], self.settings)
        return self.settle_ports(services, running)

    def start(self, services: tuple[Service, ...], progress: servers.Progress) -> dict[str, str]:
        found = servers.get_all(list({service.server: None for service in services}), self.settings, progress)
        for service in services:
            self.render(service)
            if service.month:
                self._fill(service)
        self.supervisor.ensure()
        self.supervisor.apply([self._program(service, found[service.server]) for service in services])
        for state in self.states():
            if state.state == "paused":
                self.unpause(state.name)
        return {}

    def _fill(self, service: Service) -> None:
        """Gives a service its part of the archived month, unless it has it already."""
        folder = self._data(service) / service.volume.source
        if not month.is_filled(service.month, self.settings, folder):
            if service.name in self.running():
                self.supervisor.drop({service.name})  # it serves what an older generator made
            month.fill(service.month, self.settings, folder)

    def _program(self, service: Service, server: servers.Server) -> Program:
        paths = self._paths(service)
        words = render.command(service, self.block, paths, self.addresses)
        environment = {**server.environment, **render.environment(service, self.block, paths, self.addresses)}
        command = [*server.command(service.binary), *words]
        return Program(service.name, command, server.home or self.settings.state, environment, service.stop_signal)

    def _paths(self, service: Service) -> dict[str, Path]:
        """Container path -> path on this machine, for mounts, volumes, secrets and rendered files."""
        paths: dict[str, Path] = {}
        for mount in service.mounts:
            if mount.volume:
                paths[mount.target] = self._data(service) / mount.source
                paths[mount.target].mkdir(parents=True, exist_ok=True)
            else:
                paths[mount.target] = Path(os.path.normpath(self.settings.compose_file.parent / mount.source))
        for name in service.secrets:
            paths[f"/run/secrets/{name}"] = secrets.file(self.settings, name)
        for file in service.render:
            paths[file] = self._rendered(service) / Path(file).name
        return paths

    def _data(self, service: Service) -> Path:
        """Where a service keeps its data: in root's own folders nobody else could reach them."""
        open_to_others = service.unprivileged and os.geteuid() == 0
        return self.settings.open_data if open_to_others else self.settings.state / "data"

    def _rendered(self, service: Service) -> Path:
        return self.settings.state / "rendered" / service.name

    def render(self, service: Service) -> None:
        mounts = {target: path for target, path in self._paths(service).items() if target not in service.render}
        for file, kind in service.render.items():
            source = Path(render.on_host(file, mounts))
            if not source.exists():
                raise LabProblem(
                    f"{service.name} needs {source}, which is not there. `./lab reset {service.profiles[0]}` brings the lab's files back."
                )
            if kind == "prometheus":
                render.write_prometheus(source, self._rendered(service), self.addresses)
            else:
                target = self._rendered(service) / source.name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(self.addresses.translate(read_text(source)), "utf-8")

    def kept(self) -> list[str]:
        place = self.settings.open_data
        return [f"{place} (data of servers that do not run as root)"] if place.exists() else []

    def discard(self) -> None:
        shutil.rmtree(self.settings.open_data, ignore_errors=True)

    def stop(self, names: set[str] | None) -> None:
        staying = self.running() - (names if names is not None else self.running())
        if not staying:
            self.supervisor.shutdown()
            return
        self.supervisor.drop(names or set())

    def running(self) -> set[str]:
        return {info["name"] for info in self.supervisor.infos() if info["statename"] in ("RUNNING", "STARTING", "BACKOFF")}

    def states(self, memory: bool = False) -> list[State]:  # reading it costs nothing here
        return [self._state(info) for info in self.supervisor.infos() if info["name"] in self.description.services]

    def _state(self, info: dict) -> State:
        service = self.description.services[info["name"]]
        words = {"RUNNING": "running", "STARTING": "starting", "STOPPED": "stopped", "STOPPING": "stopped", "BACKOFF": "failed"}
        state = words.get(info["statename"], "failed")
        exits = self.exits(service.name)
        detail = self._lacking(service.server)
        if exits:
            detail = f"ended {len(exits)} time{'s' if len(exits) > 1 else ''}, last: {exits[-1]}"
            state = "restarted" if state == "running" else state
        pid = info["pid"] or None
        state = "paused" if _frozen(pid) else state
        return State(
            name=service.name,
            state=state,
            version=service.version,
            url=self.url(service),
            pid=pid,
            seconds=max(0.0, time.time() - info["start"]) if pid else 0.0,  # a clock may be set back
            detail=detail,
            rss_bytes=_rss(pid),
        )

    def _lacking(self, name: str) -> str:
        if name not in self._lacks:
            server = servers.present(name, self.settings)
            self._lacks[name] = f"without {server.lacks}" if server and server.lacks else ""
        return self._lacks[name]

    def exits(self, name: str) -> list[str]:
        return self.supervisor.exits(name)

    def log_tail(self, name: str, lines: int) -> str:
        return self.supervisor.log_tail(name, lines)

    def kill(self, name: str, signal: int) -> None:
        os.kill(self._pid(name, f"sent {signals.Signals(signal).name}"), signal)

    def pause(self, name: str) -> None:
        os.kill(self._pid(name, "paused"), signals.SIGSTOP)

    def unpause(self, name: str) -> None:
        os.kill(self._pid(name, "let go on"), signals.SIGCONT)

    def disconnect(self, name: str) -> None:
        must_run(name, self.running(), "cut off")
        raise LabProblem(
            f"{name} is a process of this machine and shares its network with the others, so it cannot be cut off alone. "
            f"With Docker it can. `stack.pause({name!r})` is the nearest thing here: connections to it hang."
        )

    connect = disconnect

    def _pid(self, name: str, what: str) -> int:
        pids = {info["name"]: int(info["pid"]) for info in self.supervisor.infos() if info["pid"]}
        must_run(name, set(pids), what)
        return pids[name]

    def restart(self, name: str) -> None:
        known = {info["name"]: info["statename"] for info in self.supervisor.infos()}
        must_run(name, set(known), "restarted")
        if known[name] in ("RUNNING", "STARTING", "BACKOFF"):
            self.supervisor.rpc.stopProcess(name, True)
        self.supervisor.rpc.startProcess(name, False)


def _frozen(pid: int | None) -> bool:
    try:
        return bool(pid) and psutil.Process(pid).status() == psutil.STATUS_STOPPED
    except psutil.NoSuchProcess:
        return False


def _rss(pid: int | None) -> int:
    try:
        return psutil.Process(pid).memory_info().rss if pid else 0
    except psutil.NoSuchProcess:
        return 0
