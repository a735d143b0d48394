"""What this machine has, what is missing, and what to do about it."""

import os
import platform
import shutil
from dataclasses import dataclass
from pathlib import Path

import psutil

from monlab.endpoints import EXTERNAL
from monlab.problem import LabProblem
from monlab.settings import Settings
from monlab.stack import clock, compose, engines, ports, servers
from monlab.stack.external import ExternalEngine
from monlab.stack.preflight import BUILD_DISK_MEGABYTES, NATIVE_MEGABYTES
from monlab.stack.servers import golang
from monlab.stack.servers.recipe import recipes


@dataclass(frozen=True)
class Finding:
    """One thing the lab looked at."""

    what: str
    found: str
    ok: bool
    do: str = ""  # what mends it, empty when nothing is to be done


def findings(settings: Settings) -> list[Finding]:
    """Everything `./lab doctor` reports, in order of reading. Starts, fetches and builds nothing."""
    description = engines.describe(settings)
    engine = _engine(settings)
    if engine.name == EXTERNAL:
        return [_system(), _state(settings), engine.finding, *_external(settings, description)]
    return [
        _system(),
        _memory(description),
        _disk(settings),
        _state(settings),
        engine.finding,
        _docker(settings, description),
        _go(settings),
        *_servers(settings, description),
        _ports(settings, description),
    ]


def _system() -> Finding:
    system = platform.system()
    text = f"{system} {platform.machine()}, Python {platform.python_version()}, {os.cpu_count()} cores"
    return Finding(
        "system", text, True, "" if system == "Linux" else "needs Docker: as processes, servers run on Linux and WSL2 only"
    )


@dataclass(frozen=True)
class _Engine:
    name: str
    finding: Finding


def _engine(settings: Settings) -> _Engine:
    """What `up` would choose now, images left aside."""
    try:
        asked, running = engines.asked_for(settings), engines.current(settings)
        busy = running.running()
        if busy and asked in ("", running.name):
            return _Engine(running.name, Finding("engine", f"{running.name}: it runs {', '.join(sorted(busy))}", True))
        if busy:
            do = f"`./lab down` ends them, then {asked} is used"
            return _Engine(asked, Finding("engine", f"{asked} is asked for, and servers are up on {running.name}", False, do))
    except LabProblem as problem:
        return _Engine("", Finding("engine", "none", False, str(problem)))
    if asked:
        return _Engine(asked, Finding("engine", f"{asked}, as the environment asks", True))
    try:
        engines.docker_engine(settings, engines.describe(settings)).versions()
    except LabProblem:
        return _Engine("native", Finding("engine", "native: servers run as processes, since Docker cannot be used", True))
    return _Engine("docker", Finding("engine", "docker, or native where an image cannot be pulled", True))


def _docker(settings: Settings, description: compose.Description) -> Finding:
    try:
        docker = engines.docker_engine(settings, description)
        versions = docker.versions()
    except LabProblem as problem:
        return Finding("Docker", "cannot be used", settings.engine != "docker", str(problem))
    missing = docker.missing_images(tuple(description.services.values()))
    do = "`up` gets those it needs" if missing else ""
    return Finding("Docker", f"{versions}, {len(missing)} of {len(description.services)} images missing", True, do)


def _external(settings: Settings, description: compose.Description) -> list[Finding]:
    engine = ExternalEngine(settings, description)
    try:
        urls = engine.urls()
    except LabProblem as problem:
        return [Finding("endpoints", str(settings.endpoints_file), False, str(problem))]
    found = []
    for name in urls:
        state = engine.state(description.services[name])
        ok = state.state == "running"
        found.append(Finding(name, f"{state.version or 'answers'} at {state.url}" if ok else state.url, ok, state.detail))
    late = clock.complaints(tuple(description.services[name] for name in urls), urls)
    return found + [Finding("clock", "not the same everywhere", False, line) for line in late]


def _memory(description: compose.Description) -> Finding:
    free = psutil.virtual_memory().available >> 20
    needed = NATIVE_MEGABYTES * max(len(description.for_modules({module})) for module in description.modules)
    return Finding(
        "memory",
        f"{free} MB free, the largest module needs about {needed} MB",
        free >= needed,
        "" if free >= needed else "close other programs",
    )


def _disk(settings: Settings) -> Finding:
    place = next(path for path in (settings.cache, *settings.cache.parents) if path.exists())
    free = shutil.disk_usage(place).free >> 20
    ok = free >= BUILD_DISK_MEGABYTES
    return Finding(
        "disk",
        f"{free} MB free at {place}",
        ok,
        ""
        if ok
        else f"building every server takes up to {BUILD_DISK_MEGABYTES} MB; `./lab fetch --clean` gives back what builds left",
    )


def _state(settings: Settings) -> Finding:
    place = next(path for path in (settings.state, *settings.state.parents) if path.exists())
    ok = place.is_dir() and os.access(place, os.W_OK)
    return Finding("state", str(settings.state), ok, "" if ok else f"make {place} a folder that you can write to")


def _go(settings: Settings) -> Finding:
    needed = golang.needed_version(settings.native / "prometheus")
    found = shutil.which("go")
    version = golang.go_version(Path(found)) if found else None
    if version and golang.numbers(version) >= golang.numbers(needed):
        return Finding("Go", f"{version} at {found}", True)
    text = f"{version} at {found}, older than {needed}" if version else "none on PATH"
    return Finding("Go", text, True, "nothing: where a server must be built, the toolchain is fetched as a Python wheel")


def _servers(settings: Settings, description: compose.Description) -> list[Finding]:
    modules: dict[str, list[str]] = {}  # server -> the modules that need it
    for service in description.services.values():
        if "native" in service.engines:
            modules.setdefault(service.server, []).extend(service.profiles)
    found = []
    for name, recipe in recipes(settings).items():
        if name not in modules:
            continue
        server = servers.present(name, settings)
        if server:
            lacks = f", without {server.lacks}" if server.lacks else ""
            found.append(Finding(f"{name} {recipe.version}", f"{server.origin}{lacks}", True))
        else:
            users = sorted(set(modules[name]))
            do = f"`./lab up` of {' or '.join(users)} gets it, or `./lab fetch {users[0]}` ahead of time"
            found.append(Finding(f"{name} {recipe.version}", "not here yet", True, do))
    return found


def _ports(settings: Settings, description: compose.Description) -> Finding:
    try:
        block = ports.kept_block(description.ports, settings.state)
    except LabProblem as problem:
        return Finding("ports", "not known", False, str(problem))
    try:
        running = engines.current(settings).running()
    except LabProblem:
        running = set()  # the engine's own finding says so
    if running:
        return Finding("ports", f"in use by this lab: {', '.join(sorted(running))}", True)
    taken = ports.taken(description.services.values(), block)
    if not taken:
        return Finding("ports", "all free", True)
    words = ", ".join(f"{number} ({who})" for number, who in taken.items())
    return Finding("ports", f"taken: {words}", True, "nothing: the lab moves to a free block of ports")


def optional_servers(settings: Settings) -> dict[str, str]:
    """Server that the lab can do without -> what it does instead."""
    return {service.server: service.optional for service in engines.describe(settings).services.values() if service.optional}


def servers_of(modules: list[str], settings: Settings, tools: bool = True) -> list[str]:
    """The servers that modules need, all of them for an empty list; empty when the modules need none.

    With `tools`, also the programs that they can do without.
    """
    description = engines.describe(settings)
    services = description.for_modules(set(modules)) if modules else tuple(description.services.values())
    native = [service for service in services if "native" in service.engines]
    helpers = [tool for service in native for tool in service.tools if tools]
    return list(dict.fromkeys([*(service.server for service in native), *helpers]))
