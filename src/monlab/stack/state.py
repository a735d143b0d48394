"""What a clone remembers between commands: which modules are up."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import filelock

from monlab.problem import LabProblem
from monlab.settings import Settings


class Memory:
    """The state folder of one clone."""

    def __init__(self, settings: Settings) -> None:
        self.folder = settings.state

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Held while services start or stop, so that two commands do not do so at once."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = filelock.FileLock(self.folder / "lock")
            lock.acquire(timeout=0)
        except filelock.Timeout:
            raise LabProblem("Another `up` or `down` of this lab is at work. Wait for it to end, then try again.") from None
        except OSError as error:
            raise LabProblem(f"The lab keeps its state in {self.folder}, which cannot be written: {error.strerror}.") from error
        try:
            yield
        finally:
            lock.release()

    @property
    def modules(self) -> set[str]:
        """The modules that were started and not stopped; none when the file is missing or cut short."""
        try:
            return set(json.loads((self.folder / "modules.json").read_text("utf-8")))
        except (FileNotFoundError, ValueError, TypeError):
            return set()

    @modules.setter
    def modules(self, modules: set[str]) -> None:
        fresh = self.folder / "modules.json.new"
        fresh.write_text(json.dumps(sorted(modules)), "utf-8")
        fresh.replace(self.folder / "modules.json")
