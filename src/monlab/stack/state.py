"""What a clone remembers between commands: which modules are up, and on which engine."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import filelock

from monlab.files import ROOM, read_json, write_whole
from monlab.problem import LabProblem
from monlab.settings import Settings
from monlab.stack.compose import ENGINES

FILE = "lab.json"


@dataclass(frozen=True)
class Up:
    """What the last `up` or `down` left running."""

    engine: str = ""  # empty when nothing was ever started
    modules: frozenset[str] = frozenset()
    place: str = ""  # which Docker daemon holds the containers; empty for the other engines


class Memory:
    """The state folder of one clone."""

    def __init__(self, settings: Settings) -> None:
        self.folder = settings.state

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Held while services start or stop, so that two commands do not do so at once."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if self.folder.stat().st_mode & 0o077:  # a run or a guess made it, before anything was up
                self.folder.chmod(0o700)
            lock = filelock.FileLock(self.folder / "lock")
            lock.acquire(timeout=0)
        except filelock.Timeout:
            raise LabProblem("Another `up` or `down` of this lab is at work. Wait for it to end, then try again.") from None
        except OSError as error:
            raise LabProblem(
                f"The lab keeps its state in {self.folder}, which cannot be written: {error.strerror}. {ROOM}"
            ) from error
        try:
            yield
        finally:
            lock.release()

    def read(self) -> Up:
        """What is up; nothing when there is no file. Raises LabProblem when it cannot be understood."""
        path = self.folder / FILE
        try:
            found = read_json(path)
            if found is None:
                return Up()
            if found["engine"] not in ("", *ENGINES):
                raise ValueError(found["engine"])
            return Up(found["engine"], frozenset(map(str, found["modules"])), str(found.get("place", "")))
        except (ValueError, KeyError, TypeError):
            raise LabProblem(
                f"{path} was cut short or edited, so the lab does not know what it started. `./lab down` ends everything of this "
                "clone; then start again."
            ) from None

    def write(self, up: Up) -> None:
        """Replaces the file in one step."""
        write_whole(self.folder / FILE, json.dumps({"engine": up.engine, "modules": sorted(up.modules), "place": up.place}))
