"""Which engine runs the servers of this clone, and why."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from monlab.endpoints import EXTERNAL
from monlab.problem import LabProblem, nearest
from monlab.settings import Settings
from monlab.stack import compose, servers
from monlab.stack.compose import Description, Service
from monlab.stack.engine import Engine
from monlab.stack.external import ExternalEngine
from monlab.stack.native import NativeEngine
from monlab.stack.servers import Progress
from monlab.stack.state import Memory, Up

if TYPE_CHECKING:
    from monlab.stack.docker import DockerEngine


def docker_engine(settings: Settings, description: Description) -> "DockerEngine":
    """The Docker engine. Only it needs Docker's SDK, which takes long to load."""
    from monlab.stack.docker import DockerEngine

    return DockerEngine(settings, description)


KNOWN: Mapping[str, Callable[[Settings, Description], Engine]] = {
    "docker": docker_engine,
    "native": NativeEngine,
    EXTERNAL: ExternalEngine,
}


@dataclass(frozen=True)
class Choice:
    """An engine, the services it will run, and one line why."""

    engine: Engine
    services: tuple[Service, ...]
    why: str


def describe(settings: Settings) -> Description:
    """compose.yaml, read and checked."""
    return compose.load(settings.compose_file, settings.versions_file, settings.image_prefix)


def current(settings: Settings) -> Engine:
    """The engine that runs what is up; while nothing is, the native one, under which nothing runs either."""
    return _of(Memory(settings).read(), settings, describe(settings))


def _of(up: Up, settings: Settings, description: Description) -> Engine:
    """The engine that holds what is up. Raises LabProblem when that is another Docker daemon than the one in reach."""
    engine = KNOWN[up.engine or "native"](settings, description)
    if up.place and engine.place != up.place:
        raise LabProblem(
            f"The servers of this clone run in Docker at {up.place}, and the docker command now talks to {engine.place}. Go back to "
            "that one (`docker context use`, DOCKER_HOST), or let `./lab reset` forget them."
        )
    return engine


def all_here(settings: Settings) -> list[Engine]:
    """Every engine that may hold something of this clone: for when the lab has lost its memory, and for a reset."""
    found: list[Engine] = [NativeEngine(settings, describe(settings))]
    docker = docker_engine(settings, describe(settings))
    try:
        docker.running()
        found.append(docker)
    except LabProblem:
        return found  # there is no Docker to hold anything
    return found


def choose(settings: Settings, description: Description, services: tuple[Service, ...], progress: Progress) -> Choice:
    """The engine for these services: what was asked for, else what runs already, else Docker if it can, else processes.

    Images are pulled on the way, and servers that the lab can do without are fetched. Raises LabProblem when what was asked for cannot be had.
    """
    asked = asked_for(settings)
    up = Memory(settings).read()
    before = up.engine
    busy = before not in ("", EXTERNAL) and bool(_of(up, settings, description).running())
    if busy and asked and asked != before:
        raise LabProblem(
            f"The servers of this clone are up on the {before} engine, and {_variable(settings)} asks for {asked}. "
            "`./lab down` ends them; then run the same again."
        )
    wanted = asked or (before if busy else "")  # of servers elsewhere, nothing holds on to this clone
    reason = f"as {_variable(settings)} asks" if asked else "as before"
    if wanted == EXTERNAL:
        outside = ExternalEngine(settings, description)
        urls = outside.urls()
        there = tuple(service for service in services if service.name in urls or not service.guest)
        return Choice(outside, there, f"Run by somebody else ({settings.endpoints_file or 'LAB_ENDPOINTS'}).")
    if wanted == "native":
        return _native(settings, description, services, progress, reason)
    try:
        return _docker(settings, description, services, progress, reason if wanted else "")
    except LabProblem as problem:
        if wanted:
            raise LabProblem(f"Docker was to run the servers, {reason}, and cannot: {problem}") from problem
        return _native(settings, description, services, progress, f"Docker is not used: {str(problem).rstrip('.')}")


def asked_for(settings: Settings) -> str:
    """The engine that LAB_ENGINE or LAB_ENDPOINTS asks for, empty when neither does. Raises LabProblem on nonsense."""
    if settings.engine is None:
        return EXTERNAL if settings.endpoints_file else ""
    if settings.engine not in KNOWN:
        raise LabProblem(f"LAB_ENGINE is {settings.engine!r}.{nearest(settings.engine, KNOWN)} It can be: {', '.join(KNOWN)}.")
    if settings.engine == EXTERNAL and settings.endpoints_file is None:
        raise LabProblem("LAB_ENGINE is external: LAB_ENDPOINTS must then name the file with the servers' URLs.")
    if settings.engine != EXTERNAL and settings.endpoints_file:
        raise LabProblem(f"LAB_ENGINE asks for {settings.engine} and LAB_ENDPOINTS for servers elsewhere. Unset one of them.")
    return settings.engine


def _variable(settings: Settings) -> str:
    return "LAB_ENGINE" if settings.engine else "LAB_ENDPOINTS"


def _native(settings: Settings, description: Description, services: tuple[Service, ...], progress: Progress, why: str) -> Choice:
    fitting = tuple(service for service in services if "native" in service.engines)
    guests = [service.name for service in services if service not in fitting]
    left_out = [f"Without {', '.join(guests)}, which needs Docker."] if guests else []
    _found, refused = servers.get_some([service.server for service in fitting if service.guest], settings, progress)
    left_out += [f"{service.left_out}: {refused[service.server]}" for service in fitting if service.server in refused]
    here = tuple(service for service in fitting if service.server not in refused)
    return Choice(NativeEngine(settings, description), here, " ".join([f"Runs as processes ({why}).", *left_out]))


def _docker(
    settings: Settings, description: Description, services: tuple[Service, ...], progress: Progress, reason: str
) -> Choice:
    engine = docker_engine(settings, description)
    words = f"Runs in Docker {engine.versions()}" + (f" ({reason})." if reason else ".")
    fitting = tuple(service for service in services if "docker" in service.engines)
    refused = engine.obtain(fitting, progress)
    for service in fitting:
        if service.name in refused and not service.guest:
            raise LabProblem(refused[service.name])
    guests = [f"{service.left_out}: {refused[service.name]}" for service in fitting if service.name in refused]
    return Choice(engine, tuple(s for s in fitting if s.name not in refused), " ".join([words, *guests]))
