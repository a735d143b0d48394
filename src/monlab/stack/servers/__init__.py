"""Programs that run without Docker: found on PATH, fetched as a release archive, or built from source through Go.

Fetched and built programs live in the user's cache, one folder per server, version and recipe, shared by all clones.
A folder appears there whole or not at all, also when two processes want the same server at once.
"""

import hashlib
import json
import shutil
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import filelock

from monlab.problem import LabProblem
from monlab.settings import Settings
from monlab.stack.servers import archive, golang
from monlab.stack.servers.recipe import Recipe, recipes

AT_ONCE = 2  # servers that are fetched or built side by side
Progress = Callable[[str], None]  # takes one line: what, how far


@dataclass(frozen=True)
class Server:
    """A server that can be started: where its programs are and how they got there."""

    recipe: Recipe
    folder: Path
    source: str  # path, archive or go

    def binary(self, name: str) -> Path:
        return self.folder / name

    @property
    def lacks(self) -> str:
        """What this copy of the server cannot do, for a person; empty when nothing is missing."""
        return self.recipe.lacks if self.source == "go" else ""


def get(name: str, settings: Settings, progress: Progress) -> Server:
    """The server `name`, obtained if need be. Raises LabProblem naming every way that was tried and why it failed."""
    recipe = recipes(settings)[name]
    found = _on_path(recipe) or _in_cache(recipe, settings)
    if found:
        return found
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


def present(name: str, settings: Settings) -> Server | None:
    """The server `name` if it is on PATH or in the cache already."""
    recipe = recipes(settings)[name]
    return _on_path(recipe) or _in_cache(recipe, settings)


def _obtain(recipe: Recipe, settings: Settings, progress: Progress) -> Server:
    refusals: list[str] = []
    place = _place(recipe, settings)
    fresh = place.with_name(f".{place.name}.new")
    for source, way in (("archive", archive.fetch), ("go", golang.build)):
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True)
        try:
            facts = way(recipe, fresh, settings, progress)
        except LabProblem as refusal:
            refusals.append(str(refusal))
            progress(f"{recipe.name} {recipe.version}: {refusal} Trying the next way.")
            continue
        finally:
            if not any(fresh.iterdir()):
                fresh.rmdir()
        (fresh / "source.json").write_text(json.dumps({"source": source, **facts}, indent=1), "utf-8")
        fresh.replace(place)
        return Server(recipe, place, source)
    shutil.rmtree(fresh, ignore_errors=True)
    raise LabProblem(
        f"{recipe.name} {recipe.version} could not be had. "
        + " ".join(refusals)
        + f" Mend one of these ways, or put {' and '.join(recipe.binaries)} {recipe.version} on your PATH."
    )


def _place(recipe: Recipe, settings: Settings) -> Path:
    key = hashlib.sha256(b"".join(path.read_bytes() for path in recipe.files)).hexdigest()[:12]
    return settings.cache / "servers" / f"{recipe.name}-{recipe.version}-{key}"


def _in_cache(recipe: Recipe, settings: Settings) -> Server | None:
    place = _place(recipe, settings)
    try:
        facts = json.loads((place / "source.json").read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return Server(recipe, place, facts["source"])


def _on_path(recipe: Recipe) -> Server | None:
    """The server when all its programs are on PATH, in one folder and in the pinned version."""
    found = [shutil.which(binary) for binary in recipe.binaries]
    folders = {Path(path).parent for path in found if path}
    if None in found or len(folders) != 1:
        return None
    folder = folders.pop()
    if all(f"version {recipe.version} " in version_text(folder / binary) for binary in recipe.binaries):
        return Server(recipe, folder, "path")
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
