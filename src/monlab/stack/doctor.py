"""What this machine has, what is missing, and what to do about it."""

import os
import platform
import shutil
from dataclasses import dataclass
from pathlib import Path

import psutil

from monlab.settings import Settings
from monlab.stack import compose, ports, servers
from monlab.stack.native import NativeEngine
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
    description = compose.load(settings.compose_file, settings.versions_file)
    return [
        _system(),
        _memory(description),
        _disk(settings),
        _state(settings),
        _go(settings),
        *_servers(settings, description),
        _ports(settings, description),
    ]


def _system() -> Finding:
    system = platform.system()
    text = f"{system} {platform.machine()}, Python {platform.python_version()}, {os.cpu_count()} cores"
    return Finding("system", text, system == "Linux", "" if system == "Linux" else "servers run as processes on Linux and WSL2")


def _memory(description: compose.Description) -> Finding:
    free = psutil.virtual_memory().available >> 20
    needed = NATIVE_MEGABYTES * len(description.services)
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
    ok = os.access(place, os.W_OK)
    return Finding("state", str(settings.state), ok, "" if ok else f"make {place} writable")


def _go(settings: Settings) -> Finding:
    needed = golang.needed_version(settings.native / "prometheus")
    found = shutil.which("go")
    version = golang.go_version(Path(found)) if found else None
    if version and golang.numbers(version) >= golang.numbers(needed):
        return Finding("Go", f"{version} at {found}", True)
    text = f"{version} at {found}, older than {needed}" if version else "none on PATH"
    return Finding("Go", text, True, "nothing: where a server must be built, the toolchain is fetched as a Python wheel")


def _servers(settings: Settings, description: compose.Description) -> list[Finding]:
    used = {service.server: service for service in description.services.values()}
    found = []
    for name, recipe in recipes(settings).items():
        if name not in used:
            continue
        server = servers.present(name, settings)
        modules = " ".join(used[name].profiles)
        words = {"path": "on PATH", "archive": "from its release archive", "go": "built from source"}
        if server:
            lacks = f", without {server.lacks}" if server.lacks else ""
            found.append(Finding(f"{name} {recipe.version}", f"{words[server.source]}{lacks}", True))
        else:
            found.append(
                Finding(
                    f"{name} {recipe.version}",
                    "not here yet",
                    True,
                    f"`./lab up {modules}` gets it, or `./lab fetch {modules}` ahead of time",
                )
            )
    return found


def _ports(settings: Settings, description: compose.Description) -> Finding:
    block = ports.kept_block(description.ports, settings.state)
    running = NativeEngine(settings, description, block).running()
    if running:
        return Finding("ports", f"in use by this lab: {', '.join(sorted(running))}", True)
    taken = ports.taken(description.services.values(), block)
    if not taken:
        return Finding("ports", "all free", True)
    words = ", ".join(f"{number} ({who})" for number, who in taken.items())
    return Finding("ports", f"taken: {words}", True, "nothing: the lab moves to a free block of ports")


def servers_of(modules: list[str], settings: Settings) -> list[str]:
    """The servers that modules need, all of them for an empty list; empty when the modules need none."""
    description = compose.load(settings.compose_file, settings.versions_file)
    services = description.for_modules(set(modules)) if modules else tuple(description.services.values())
    return list(dict.fromkeys(service.server for service in services))
