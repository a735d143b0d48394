"""The one interface behind which services run, and the record that travels through it."""

from dataclasses import dataclass
from typing import Protocol

from monlab.stack.compose import Service
from monlab.stack.servers import Progress


@dataclass(frozen=True)
class State:
    """One service as it is now."""

    name: str
    state: str  # running, restarted, starting, failed, stopped
    version: str
    url: str  # where this machine reaches it, no trailing slash
    pid: int | None = None
    container: str | None = None
    seconds: float = 0.0  # how long this process has been up
    detail: str = ""  # what a person should know: why it restarted, what this copy lacks
    rss_bytes: int = 0  # resident memory


class Engine(Protocol):
    """What every way of running services can do."""

    name: str

    def recover(self) -> None:
        """Ends what a killed supervisor left behind, so that it holds no ports. Does nothing when all is well."""

    def start(self, services: tuple[Service, ...], progress: Progress) -> None:
        """Makes exactly these services run, leaving alone those that already do. Returns before they are ready."""

    def stop(self, names: set[str] | None) -> None:
        """Ends these services, None: all of this clone. Nothing of them is left when it returns."""

    def running(self) -> set[str]:
        """Names of the services that this clone runs or is trying to run."""

    def states(self) -> list[State]:
        """Every service that was started and not stopped."""

    def exits(self, name: str) -> list[str]:
        """How a service ended, each time since this clone was last all down: `terminated by SIGKILL`."""

    def log_tail(self, name: str, lines: int) -> str:
        """The last lines a service printed."""

    def kill(self, name: str, signal: int) -> None:
        """Sends a signal to the service's process: chaos on purpose."""

    def restart(self, name: str) -> None:
        """Stops and starts one service with the same configuration."""

    def render(self, service: Service) -> None:
        """Writes the service's configuration afresh from the workspace, before a reload."""
