"""The one interface behind which services run, the record that travels through it, and what engines on this machine share."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from monlab.problem import LabProblem
from monlab.settings import Settings
from monlab.stack import ports
from monlab.stack.compose import Description, Service
from monlab.stack.servers import Progress


@dataclass(frozen=True)
class State:
    """One service as it is now."""

    name: str
    state: str  # running, restarted, starting, paused, failed, stopped
    version: str
    url: str  # where this machine reaches it, no trailing slash
    pid: int | None = None
    container: str | None = None
    seconds: float = 0.0  # how long this process has been up
    detail: str = ""  # what a person should know: why it restarted, what this copy lacks
    rss_bytes: int = 0  # resident memory


@dataclass(frozen=True)
class Said:
    """What a command-line tool printed, and whether it was content."""

    command: str
    ok: bool
    text: str

    def __repr__(self) -> str:
        return f"$ {self.command}\n{self.text.rstrip()}\n[{'ok' if self.ok else 'refused'}]"


class Engine(Protocol):
    """What every way of running services can do. What one cannot do, it refuses with a LabProblem that says why."""

    name: str
    settings: Settings
    description: Description

    @property
    def place(self) -> str:
        """Which Docker daemon it talks to; empty for engines that have one place only."""

    def url(self, service: Service) -> str:
        """Where this machine reaches the service, without a trailing slash."""

    def starting(self) -> AbstractContextManager[None]:
        """The time from the first preparation until services answer.

        What a killed supervisor left behind is ended at its begin, so that it holds no ports. Where it fails before a service runs,
        nothing is left of it.
        """

    def prepare(self, services: tuple[Service, ...]) -> str:
        """Checks that there is room for these services and settles their ports. Returns what a person should know of it."""

    def start(self, services: tuple[Service, ...], progress: Progress) -> dict[str, str]:
        """Makes exactly these services run, leaving alone those that already do. Returns before they are ready.

        The answer is guest -> why it could not be started.
        """

    def stop(self, names: set[str] | None) -> None:
        """Ends these services, None: all of this clone. Nothing of them is left when it returns but their data."""

    def running(self) -> set[str]:
        """Names of the services that this clone runs or is trying to run."""

    def states(self, memory: bool = False) -> list[State]:
        """Every service that was started and not stopped; `rss_bytes` only when `memory` is asked for."""

    def exits(self, name: str) -> list[str]:
        """How a service ended, each time since this clone was last all down: `terminated by SIGKILL`."""

    def log_tail(self, name: str, lines: int) -> str:
        """The last lines a service printed."""

    def kill(self, name: str, signal: int) -> None:
        """Sends a signal to the service's process: chaos on purpose. A service that ends by it is started again."""

    def pause(self, name: str) -> None:
        """Freezes a service: it keeps its port and its memory, and answers nobody."""

    def unpause(self, name: str) -> None:
        """Lets a frozen service go on."""

    def disconnect(self, name: str) -> None:
        """Cuts a service off from the network of the others."""

    def connect(self, name: str) -> None:
        """Gives it the network back."""

    def restart(self, name: str) -> None:
        """Stops and starts one service with the same configuration."""

    def render(self, service: Service) -> None:
        """Makes the workspace's configuration of a service readable for it, before a start or a reload."""

    def tool(self, server: str, tool: str, words: tuple[str, ...], stdin: str) -> Said:
        """Runs a command-line tool that comes with a server, in the workspace."""

    def kept(self) -> list[str]:
        """Data that stays after `stop` and does not lie in the state folder, as words for a person."""

    def discard(self) -> None:
        """Deletes what `kept` lists."""


class OnThisMachine:
    """What the native and the Docker engine share: the clone's ports."""

    def __init__(self, settings: Settings, description: Description) -> None:
        self.settings = settings
        self.description = description
        self.block = ports.kept_block(description.ports, settings.state)

    def url(self, service: Service) -> str:
        return f"{'http' if service.speaks_http else 'tcp'}://127.0.0.1:{self.block.of(service.ports[0])}"

    def settle_ports(self, services: tuple[Service, ...], running: set[str]) -> str:
        """Chooses the clone's block of ports and keeps it. Returns why these, empty for the standard ones."""
        first = ports.first_base(self.settings.ports_from)
        self.block, line = ports.choose(services, running, self.description.ports, self.settings.state, first)
        ports.keep(self.block, self.settings.state)
        return line


def must_run(name: str, running: set[str], what: str) -> None:
    """Raises LabProblem when a service that is to be killed, paused or cut off does not run."""
    if name not in running:
        raise LabProblem(f"{name} does not run, so it cannot be {what}. `stack.status()` shows what does.")
