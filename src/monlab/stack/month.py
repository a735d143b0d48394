"""The archived month as the stack sees it: parts in the user's cache, built by a process of their own, and data folders filled from them.

A part appears in the cache whole or not at all, and is never served itself: each clone's server gets links to the files that
never change, and copies of the others.
"""

import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import filelock

from monlab.problem import LabProblem
from monlab.settings import CLONE_MARK, Settings, child_environment
from monlab.stack import preflight
from monlab.stack.compose import read_versions

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Part:
    """One kind of telemetry of the month."""

    server: str  # what loads and serves it
    loader: str  # the module of monlab.archive that loads it
    configuration: str = ""  # a file under stack/ that decides what the loaded data look like


PARTS = {
    "metrics": Part("prometheus", "prometheus_block"),
    "logs": Part("loki", "loki", "loki/archive.yaml"),
    "traces": Part("jaeger", "jaeger", "jaeger/archive.yaml"),
}
GENERATOR = "generate"  # the module that makes the month
CONTRACT = "telemetry.yaml"  # under stack/: the names and labels that it uses
DATA = "data"  # the folder of a part that a server is given
EXEMPLARS = "exemplars.jsonl.gz"  # beside it in `metrics`
MARKER = ".month"  # in a server's data folder: the key of the part it was filled from
UNCHANGING = re.compile(
    r"/chunks/|/index$|\.sst$"
)  # files that their server writes once: Prometheus' and Loki's chunks, Badger's tables
END_SECONDS = 20
REFUSED = 3  # exit code of the building process when what it printed is a sentence for a person


def key(part: str, settings: Settings) -> str:
    """A hash of all that decides what a part holds: the sources of its generator and loader, and the server's version."""
    described = PARTS[part]
    home = settings.repo / "src" / "monlab" / "archive"
    files = [*_sources(home, {GENERATOR, described.loader}), settings.compose_file.parent / CONTRACT]
    if described.configuration:
        files.append(settings.compose_file.parent / described.configuration)
    version = read_versions(settings.versions_file)[f"{described.server.upper()}_VERSION"]
    found = hashlib.sha256(version.encode())
    for file in files:
        found.update(hashlib.sha256(file.read_bytes()).digest())
    return found.hexdigest()[:12]


def _sources(home: Path, names: set[str]) -> list[Path]:
    """These modules of the archive and those of it that they import."""
    known: dict[str, Path] = {}
    waiting = set(names)
    while waiting:
        name = waiting.pop()
        path = home / f"{name}.py"
        if name in known or not path.exists():
            continue
        known[name] = path
        text = path.read_text("utf-8")
        waiting |= set(re.findall(r"^\s*(?:from|import) monlab\.archive\.(\w+)", text, re.MULTILINE))
        for listed in re.findall(r"^\s*from monlab\.archive import (\([^)]*\)|.*)$", text, re.MULTILINE):
            waiting |= set(re.findall(r"\w+", listed))
    return [known[name] for name in sorted(known)]


def home(settings: Settings) -> Path:
    return settings.cache / "month"


def place(part: str, settings: Settings) -> Path:
    """Where a part lies once it is built."""
    return home(settings) / f"{part}-{key(part, settings)}"


def lock(part: str, settings: Settings) -> filelock.FileLock:
    """Held while a part is built, read or removed."""
    home(settings).mkdir(parents=True, exist_ok=True)
    return filelock.FileLock(home(settings) / f"{part}.lock")


def obtain(parts: Collection[str], settings: Settings, progress: Progress) -> None:
    """Builds the parts that are not in the cache, in a process that gives its memory back. Raises LabProblem."""
    missing = [part for part in PARTS if part in parts and not place(part, settings).is_dir()]
    if not missing:
        return
    preflight.month(settings)
    progress(f"building the archived month ({', '.join(missing)}), once")
    process = subprocess.Popen(
        [sys.executable, "-m", "monlab.archive", *missing, "--with", str(os.getpid())],
        cwd=settings.repo,
        env=child_environment(**{CLONE_MARK: settings.clone_id}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # the terminal's stop button is ours: we end it, and wait
    )
    assert process.stdout and process.stderr
    try:
        for line in process.stdout:
            progress(line.rstrip())
        said = process.stderr.read().strip()
        code = process.wait()
    except BaseException as stop:
        process.send_signal(signal.SIGTERM)
        process.wait(END_SECONDS)
        if isinstance(stop, KeyboardInterrupt):
            raise KeyboardInterrupt("Stopped while the archived month was built. The same command starts it afresh.") from None
        raise
    if code:
        raise LabProblem(said if code == REFUSED else f"The archived month could not be built: {_last(said)}")


def _last(said: str) -> str:
    return said.splitlines()[-1] if said else "its process was ended. Run the same again."


@contextmanager
def held(part: str, settings: Settings) -> Iterator[Path]:
    """A built part that nobody removes meanwhile: the folder that a server is given. Raises LabProblem when it is gone."""
    with lock(part, settings):
        folder = place(part, settings) / DATA
        if not folder.is_dir():
            raise LabProblem(f"The archived month's {part} went from {folder.parent} meanwhile. Run the same again.")
        yield folder


def is_filled(part: str, settings: Settings, folder: Path) -> bool:
    """Whether a data folder was filled from the present part."""
    try:
        return (folder / MARKER).read_text("utf-8") == key(part, settings)
    except FileNotFoundError:
        return False


def fill(part: str, settings: Settings, folder: Path) -> None:
    """Replaces the data folder of a server that does not run by the month's. Raises LabProblem when there is no room for it."""
    fresh = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    with held(part, settings) as source:
        os.utime(source.parent)  # the one used last is kept longest
        try:
            shutil.copytree(source, fresh, copy_function=_link)
            (fresh / MARKER).write_text(key(part, settings), "utf-8")
        except OSError as error:
            shutil.rmtree(fresh, ignore_errors=True)  # on a full disk it would be in the way
            said = error.args[0][0][-1] if isinstance(error, shutil.Error) else error
            raise LabProblem(
                f"The archived month's {part} could not be copied to {folder}: {said}. Make room there, then run the same again."
            ) from error
    shutil.rmtree(folder, ignore_errors=True)
    fresh.rename(folder)


def _link(source: str, target: str) -> None:
    """A second name for a file that never changes, where the file system allows it, else a copy."""
    if UNCHANGING.search(source):
        try:
            Path(target).hardlink_to(source)
            return
        except OSError:
            pass  # another file system, or one without links
    shutil.copyfile(source, target)
