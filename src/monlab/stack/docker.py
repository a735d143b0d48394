"""The Docker engine: every service is a container. The `docker compose` CLI starts and ends them, the SDK looks at them."""

import json
import os
import platform
import queue
import re
import shlex
import shutil
import signal as signals
import stat
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from itertools import zip_longest
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import docker
import requests
from docker.errors import APIError, DockerException, StreamParseError
from urllib3.exceptions import HTTPError

from monlab.problem import LabProblem
from monlab.settings import Settings, child_environment
from monlab.stack import docker_month, preflight, secrets
from monlab.stack.compose import Description, Service
from monlab.stack.engine import OnThisMachine, Said, State, must_run
from monlab.stack.servers import Progress

FIRST_ANSWER_SECONDS = 8  # longest wait for the daemon's first answer
ANSWER_SECONDS = 30  # and for a later one
PULL_SECONDS = 300  # longest silence while an image is pulled
GUEST_PULL_SECONDS = 60  # and one that the lab can do without
OLDEST_COMPOSE = (2, 20)
COMPOSE_SECONDS = 180
END_SECONDS = 30  # what Compose gets to end what it is doing after the stop button
TOOL_SECONDS = 60
BACK_SECONDS = 2  # what a service gets to end by a signal
PROJECT = "com.docker.compose.project"
SERVICE = "com.docker.compose.service"
FAULTS = (DockerException, StreamParseError, requests.RequestException, HTTPError, OSError, json.JSONDecodeError)


@dataclass(frozen=True)
class Connection:
    """A daemon that answers."""

    host: str
    client: docker.DockerClient
    version: str


def connect() -> Connection:
    """The daemon that the `docker` command would talk to. Raises LabProblem saying what is missing and how to mend it."""
    if not shutil.which("docker"):
        raise LabProblem("Docker is not installed.")
    named = _output(["docker", "context", "inspect", "--format", "{{.Endpoints.docker.Host}}"])
    host = named.stdout.strip()
    if named.returncode or not host:
        raise LabProblem(f"The docker command does not know where its daemon is: {named.stderr.strip()[-300:]}")
    address = urlsplit(host)
    if address.scheme not in ("unix", "npipe") and address.hostname not in ("localhost", "127.0.0.1", "::1"):
        raise LabProblem(f"Docker runs on another machine ({host}), where this one's files and ports are not.")
    try:
        version = docker.DockerClient(base_url=host, timeout=FIRST_ANSWER_SECONDS, version="auto").version()["Version"]
        return Connection(host, docker.DockerClient(base_url=host, timeout=ANSWER_SECONDS), str(version))
    except FAULTS as error:
        raise LabProblem(_why_no_answer(host, str(error))) from error


def _why_no_answer(host: str, error: str) -> str:
    if "Permission denied" in error:
        return (
            f"You may not use Docker: {host} is closed to this user. `sudo usermod -aG docker $USER` and a new login open it "
            "(members of that group can become root)."
        )
    start = "open Docker Desktop" if platform.system() == "Darwin" else "`sudo systemctl start docker`, or open Docker Desktop"
    if "timed out" in error.lower():
        return f"Docker at {host} takes the call and does not answer within {FIRST_ANSWER_SECONDS} s. Restart it."
    return f"Docker does not answer at {host}. Start it ({start})."


def _compose_version() -> str:
    """`2.26.1`. Raises LabProblem when Compose v2 is not there."""
    done = _output(["docker", "compose", "version", "--short"])
    found = re.match(r"v?((\d+)\.(\d+)(?:\.\d+)?)", done.stdout.strip())
    if done.returncode or not found:
        raise LabProblem(
            "Docker is here and Compose v2 is not. It is the package docker-compose-v2 on Ubuntu, and docker-compose-plugin in "
            "Docker's own repository."
        )
    if (int(found[2]), int(found[3])) < OLDEST_COMPOSE:
        raise LabProblem(f"Compose is {found[1]}; {'.'.join(map(str, OLDEST_COMPOSE))} or newer is needed.")
    return found[1]


class DockerEngine(OnThisMachine):
    """Services as containers of one Compose project, which belongs to this clone alone."""

    name = "docker"

    def __init__(self, settings: Settings, description: Description) -> None:
        super().__init__(settings, description)
        self.project = f"monlab-{settings.clone_id.rpartition('-')[2]}"

    @cached_property
    def connection(self) -> Connection:
        return connect()

    def versions(self) -> str:
        """`28.5.1, Compose 2.40.3`. Raises LabProblem when one of them cannot be used."""
        return f"{self.connection.version}, Compose {_compose_version()}"

    @property
    def place(self) -> str:
        return self.connection.host

    @property
    def client(self) -> docker.DockerClient:
        return self.connection.client

    def missing_images(self, services: tuple[Service, ...]) -> list[str]:
        """Images that `obtain` would have to pull."""
        with _talking():
            return [service.image for service in services if not self.client.images.list(name=service.image)]

    def obtain(self, services: tuple[Service, ...], progress: Progress) -> dict[str, str]:
        """Pulls or builds the images that are missing. Returns service -> why its image cannot be had."""
        refused = {}
        for service in services:
            try:
                if service.built:
                    self._build(service, progress)
                else:
                    self._pull(service.image, progress, GUEST_PULL_SECONDS if service.guest else PULL_SECONDS)
            except LabProblem as problem:
                refused[service.name] = str(problem)
        return refused

    def _pull(self, image: str, progress: Progress, patience: float = PULL_SECONDS) -> None:
        """Pulls an image that is not here. Raises LabProblem with Docker's words, or when nothing is heard for too long."""
        if not self._here(image):
            self._follow(["docker", "pull", image], f"{image} cannot be pulled", f"docker: pulling {image}", progress, patience)

    def _build(self, service: Service, progress: Progress) -> None:
        """Builds an image of the lab's own that is not here. Raises LabProblem as `_pull` does."""
        if not self._here(service.image):
            command, image = self._compose_command("build", service.name), service.image
            self._follow(command, f"{image} cannot be built", f"docker: building {image}", progress, PULL_SECONDS)

    def _here(self, image: str) -> bool:
        with _talking():
            return bool(self.client.images.list(name=image))

    def _follow(self, command: list[str], failure: str, doing: str, progress: Progress, patience: float) -> None:
        """Runs what brings an image. Raises LabProblem with its last words, or when nothing is heard for too long."""
        progress(doing)
        process = subprocess.Popen(
            command,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=_forward, args=(process, lines), daemon=True).start()
        last, complete = "", 0
        try:
            while line := lines.get(timeout=patience):
                last, complete = line.strip() or last, complete + ("Pull complete" in line)
                progress(f"{doing}, {complete} layers here" if complete else doing)
        except queue.Empty:
            process.terminate()
            raise LabProblem(f"{failure}: nothing was heard for {patience:.0f} s.") from None
        except BaseException:  # the stop button
            process.terminate()
            raise
        if process.wait():
            raise LabProblem(f"{failure}: {last.removeprefix('Error response from daemon: ')}")

    def starting(self) -> AbstractContextManager[None]:
        return nullcontext()  # the daemon keeps its containers, also over its own end

    def prepare(self, services: tuple[Service, ...]) -> str:
        running = self.running()
        preflight.memory(tuple(service for service in services if service.name not in running))
        return self.settle_ports(services, running)

    def start(self, services: tuple[Service, ...], progress: Progress) -> dict[str, str]:
        for service in services:
            self.render(service)
        names = [service.name for service in services]
        progress(f"docker: starting {', '.join(names)}")
        stale = self.running() - set(names)
        if stale:
            self.stop(stale)
        for name in self._containers(paused=True):
            self.unpause(name)
        for service in services:
            if service.month:
                self._fill(service, progress)
        start = ("up", "--detach", "--no-build", "--pull", "never")
        self._compose(*start, *(service.name for service in services if not service.guest))
        lost = {}
        for guest in (service for service in services if service.guest):
            try:
                self._compose(*start, guest.name)
            except LabProblem as problem:
                lost[guest.name] = f"{guest.left_out}: {problem}"
        return lost

    def _fill(self, service: Service, progress: Progress) -> None:
        """Gives a service's volume its part of the archived month, unless it has it already.

        The part itself is built by a process of this machine, also here: its server is fetched or compiled for that.
        """
        create = ("up", "--no-start", "--no-build", "--pull", "never", "--no-deps", service.name)
        if service.name not in self._containers():
            self._compose(*create)
        target = service.volume.target
        with _talking():
            if docker_month.holds(self.client, self._containers()[service.name]["Id"], target, service.month, self.settings):
                return
        progress(f"docker: filling {service.name} with the archived month's {service.month}")
        self._compose("rm", "--force", "--stop", service.name)
        with _talking():
            self.client.volumes.get(f"{self.project}_{service.volume.source}").remove()
        self._compose(*create)
        with _talking():
            docker_month.fill(self.client, self._containers()[service.name]["Id"], target, service.month, self.settings)

    def render(self, service: Service) -> None:
        """Containers run as another user: the files they mount become readable for others.

        Secrets too: what keeps those to this user is the folder they lie in, which Docker alone looks into.
        """
        for name in service.secrets:
            secrets.file(self.settings, name).chmod(0o644)
        for mount in service.mounts:
            source = Path(os.path.normpath(self.settings.compose_file.parent / mount.source))
            places = (self.settings.workspace, self.settings.compose_file.parent)
            if mount.volume or not any(source.is_relative_to(place) for place in places):
                continue
            if not source.exists():
                raise LabProblem(
                    f"{service.name} needs {source}, which is not there. `./lab reset {service.profiles[0]}` brings the lab's files back."
                )
            for path in (source, *source.rglob("*")):
                _readable_for_others(path)

    def stop(self, names: set[str] | None) -> None:
        if names is None or not self.running() - names:
            self._compose("down", "--remove-orphans")
        elif names:
            self._compose("rm", "--force", "--stop", *sorted(names))

    def _compose(self, *words: str) -> None:
        """Runs `docker compose` on the lab's file. Raises LabProblem with its words when it fails."""
        command = self._compose_command(*words)
        process = subprocess.Popen(
            command, env=self._environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
        )
        try:
            said, _ = process.communicate(timeout=COMPOSE_SECONDS)
        except BaseException as stop:  # the stop button: Compose ends what it is doing, then we go
            process.send_signal(signals.SIGINT)
            try:
                process.communicate(timeout=END_SECONDS)
            except (subprocess.TimeoutExpired, KeyboardInterrupt):
                os.killpg(process.pid, signals.SIGKILL)
                raise stop from None
            if isinstance(stop, subprocess.TimeoutExpired):
                raise LabProblem(f"`docker compose {words[0]}` did not end within {COMPOSE_SECONDS} s.") from None
            raise
        if process.returncode:
            self._check_daemon()
            other = " Mend it, or let `LAB_ENGINE=native` run the servers without Docker." if words[0] == "up" else ""
            raise LabProblem(f"`docker compose {words[0]}` failed.{other} Its last lines:\n{_telling(said)}")

    def _compose_command(self, *words: str) -> list[str]:
        profiles = [word for module in self.description.modules for word in ("--profile", module)]
        command = ["docker", "compose", "--project-name", self.project, "--file", str(self.settings.compose_file)]
        return [*command, "--env-file", str(self.settings.versions_file), *profiles, "--progress", "plain", *words]

    @property
    def _environment(self) -> dict[str, str]:
        """What Compose fills into the file."""
        ports = {variable: str(number) for variable, number in self.block.numbers.items()}
        return child_environment(LAB_WORKSPACE=str(self.settings.workspace), LAB_SECRETS=str(self.settings.secrets), **ports)

    def _check_daemon(self) -> None:
        with _talking():
            self.client.ping()

    def _inspected(self) -> list[dict[str, Any]]:
        """What Docker knows of each container of this clone, those without a service of the file left out."""
        found = []
        with _talking():
            for listed in self.client.api.containers(all=True, filters={"label": f"{PROJECT}={self.project}"}):
                try:
                    found.append(self.client.api.inspect_container(listed["Id"]))
                except docker.errors.NotFound:
                    continue  # removed in between
        return [one for one in found if one["Config"]["Labels"].get(SERVICE) in self.description.services]

    def _containers(self, paused: bool = False) -> dict[str, Any]:
        """Service -> its container."""
        return {
            one["Config"]["Labels"][SERVICE]: one for one in self._inspected() if not paused or one["State"]["Status"] == "paused"
        }

    def running(self) -> set[str]:
        alive = ("running", "restarting", "paused")
        return {name for name, one in self._containers().items() if one["State"]["Status"] in alive}

    def states(self, memory: bool = False) -> list[State]:
        found = self._containers()
        with ThreadPoolExecutor(max(1, len(found))) as pool:
            used = dict(zip(found, pool.map(self._memory, found.values()), strict=True)) if memory else {}
        ends = self._ends()
        return [
            self._state(service, found[service.name], ends.get(found[service.name]["Id"], []), used.get(service.name, 0))
            for service in self.description.services.values()
            if service.name in found
        ]

    def _state(self, service: Service, container: dict[str, Any], ended: list[str], memory: int) -> State:
        now = container["State"]
        words = {"running": "running", "paused": "paused", "restarting": "failed", "created": "stopped", "exited": "failed"}
        state = words.get(now["Status"], "failed")
        # A daemon that was started again has forgotten its events; the count of restarts it keeps.
        ended = ["in an unknown way"] * (container["RestartCount"] - len(ended)) + ended
        detail = ""
        if ended:
            detail = f"ended {len(ended)} time{'s' if len(ended) > 1 else ''}, last: {ended[-1]}"
            state = "restarted" if state == "running" else state
        since = time.time() - _seconds(now["StartedAt"]) if state in ("running", "restarted", "paused") else 0.0
        return State(
            name=service.name,
            state=state,
            version=service.version,
            url=self.url(service),
            pid=now["Pid"] or None,
            container=container["Name"].removeprefix("/"),
            seconds=max(0.0, since),
            detail=detail,
            rss_bytes=memory,
        )

    def _memory(self, container: dict[str, Any]) -> int:
        """Bytes in use, without the files the kernel only caches."""
        if container["State"]["Status"] != "running":
            return 0
        with _talking():
            found = self.client.api.stats(container["Id"], stream=False, one_shot=True).get("memory_stats") or {}
        inside = found.get("stats") or {}
        return int(found.get("usage", 0) - inside.get("total_inactive_file", inside.get("inactive_file", 0)))

    def exits(self, name: str) -> list[str]:
        container = self._containers().get(name)
        return self._ends().get(container["Id"], []) if container else []

    def _ends(self) -> dict[str, list[str]]:
        """Container id -> how its process ended each time. What was stopped by order is left out."""
        filters = {"label": f"{PROJECT}={self.project}", "event": ["die", "stop", "oom"]}
        with _talking():
            # The daemon's own clock: until a time to come it would wait, and a time gone by would hide the newest end.
            until = f"{_seconds(self.client.info()['SystemTime']):.6f}"
            events = list(self.client.api.events(since=0, until=until, filters=filters, decode=True))
        by_container: dict[str, list[dict[str, Any]]] = {}
        for event in events:
            by_container.setdefault(event["Actor"]["ID"], []).append(event)
        return {container: _how(its) for container, its in by_container.items()}

    def log_tail(self, name: str, lines: int) -> str:
        container = self._containers().get(name)
        if container is None:
            return ""
        with _talking():
            return str(self.client.api.logs(container["Id"], tail=lines).decode("utf-8", "replace")).rstrip()

    def kill(self, name: str, signal: int) -> None:
        container = self._running_container(name, f"sent {signals.Signals(signal).name}")
        with _talking():
            self.client.api.kill(container["Id"], signal=signal)
            try:
                self.client.api.wait(container["Id"], timeout=BACK_SECONDS)
            except (requests.ReadTimeout, requests.ConnectionError):
                return  # it lives on, or again
            # Docker takes a kill by its API for an order and does not start the container again. A crash it does.
            self.client.api.start(container["Id"])

    def pause(self, name: str) -> None:
        container = self._running_container(name, "paused")
        with _talking():
            self.client.api.pause(container["Id"])

    def unpause(self, name: str) -> None:
        container = self._running_container(name, "let go on")
        with _talking():
            self.client.api.unpause(container["Id"])

    def disconnect(self, name: str) -> None:
        container = self._running_container(name, "cut off")
        with _talking():
            for network in container["NetworkSettings"]["Networks"]:
                self.client.networks.get(network).disconnect(container["Id"])

    def connect(self, name: str) -> None:
        container = self._running_container(name, "connected")
        with _talking():
            for network in self.client.networks.list(filters={"label": f"{PROJECT}={self.project}"}):
                if network.name not in container["NetworkSettings"]["Networks"]:
                    network.connect(container["Id"], aliases=[name])

    def _running_container(self, name: str, what: str) -> dict[str, Any]:
        containers = self._containers()
        must_run(name, self.running(), what)
        return dict(containers[name])

    def restart(self, name: str) -> None:
        self._compose("restart", name)

    def tool(self, server: str, tool: str, words: tuple[str, ...], stdin: str) -> Said:
        image = next(service.image for service in self.description.services.values() if service.server == server)
        self._pull(image, lambda line: None)
        name = f"{self.project}-{tool}-{os.getpid()}"
        command = [
            "docker",
            "run",
            "--rm",
            "--interactive",
            "--network",
            "none",
            "--read-only",
            "--cap-drop",
            "ALL",
            "--memory",
            "256m",
        ]
        command += ["--security-opt", "no-new-privileges", "--user", f"{os.getuid()}:{os.getgid()}"]
        command += ["--tmpfs", "/tmp"]  # promtool keeps the invented samples of a unit test there
        command += ["--label", f"{PROJECT}={self.project}", "--name", name]
        command += ["--volume", f"{self.settings.workspace}:/workspace:ro", "--workdir", "/workspace"]
        command += ["--entrypoint", f"/bin/{tool}", image, *words]
        try:
            done = subprocess.run(
                command, input=stdin, capture_output=True, text=True, timeout=TOOL_SECONDS, check=False, env=child_environment()
            )
        except subprocess.TimeoutExpired:
            _output(["docker", "rm", "--force", name])
            raise LabProblem(f"{tool} did not end within {TOOL_SECONDS} s and was ended.") from None
        if done.returncode == 125:  # Docker's own code for "the container was not started"
            raise LabProblem(f"{tool} could not be started in a container: {done.stderr.strip()[-300:]}")
        return Said(shlex.join([tool, *words]), done.returncode == 0, (done.stdout + done.stderr).replace("/workspace/", ""))

    def kept(self) -> list[str]:
        with _talking():
            volumes = self.client.volumes.list(filters={"label": f"{PROJECT}={self.project}"})
        return [f"Docker volume {volume.name}" for volume in volumes]

    def discard(self) -> None:
        with _talking():
            for volume in self.client.volumes.list(filters={"label": f"{PROJECT}={self.project}"}):
                volume.remove()


def _forward(process: subprocess.Popen[str], lines: "queue.Queue[str]") -> None:
    """Each line a process prints; an empty one when it has ended."""
    for line in process.stdout or ():
        lines.put(line)
    lines.put("")


@contextmanager
def _talking() -> Iterator[None]:
    """Turns what the SDK raises into a sentence."""
    try:
        yield
    except APIError as error:
        raise LabProblem(f"Docker refused: {error.explanation}") from error
    except FAULTS as error:
        raise LabProblem(
            f"Docker stopped answering ({type(error).__name__}). The servers of this clone run there: start it again "
            "(`sudo systemctl start docker`, or open Docker Desktop), then run the same again."
        ) from error


def _readable_for_others(path: Path) -> None:
    """A link is left alone: what it leads to may lie outside the workspace."""
    try:
        mode = path.lstat().st_mode
        wanted = mode | (0o005 if stat.S_ISDIR(mode) else 0o004)
        if not stat.S_ISLNK(mode) and wanted != mode:
            path.chmod(wanted)
    except FileNotFoundError:
        return  # an editor's file that is gone again
    except OSError as error:
        raise LabProblem(
            f"{path} cannot be made readable for the server's container ({error.strerror}): it belongs to another user. "
            f"`sudo chown -R $USER {path.parent}` mends that."
        ) from error


def _output(command: list[str]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command, capture_output=True, text=True, timeout=ANSWER_SECONDS, check=False, env=child_environment()
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return subprocess.CompletedProcess(command, 1, "", str(error))


def _end(code: str) -> str:
    """An exit code in the words that the native engine uses too."""
    number = int(code) - 128
    if number in {signal.value for signal in signals.Signals}:
        return f"terminated by {signals.Signals(number).name}"
    return f"exit status {code}"


def _how(events: list[dict[str, Any]]) -> list[str]:
    """The ends among one container's events, in words; one that is followed by "stop" was ordered."""
    ends = []
    starved = False
    for event, after in zip_longest(events, events[1:]):
        if event["Action"] == "oom":
            starved = True
        elif event["Action"] == "die":
            if not (after and after["Action"] == "stop"):
                ends.append("out of memory, at its limit" if starved else _end(event["Actor"]["Attributes"]["exitCode"]))
            starved = False
    return ends


def _seconds(stamp: str) -> float:
    """Docker's `2026-06-01T12:00:00.123456789Z` as seconds since 1970."""
    return datetime.fromisoformat(re.sub(r"(\.\d{6})\d*", r"\1", stamp).replace("Z", "+00:00")).astimezone(UTC).timestamp()


def _telling(said: str) -> str:
    """The lines of Compose's output that tell why it failed."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    telling = [line for line in lines if re.search(r"error|denied|refused|failed|cannot|invalid|in use|allocated", line, re.I)]
    return "\n".join((telling or lines)[-5:])
