"""What a clone remembers between commands: which modules are up and where services answer."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

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
        self._make_folder()
        lock = filelock.FileLock(self.folder / "lock")
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout:
            raise LabProblem("Another `up` or `down` of this lab is at work. Wait for it to end, then try again.") from None
        try:
            yield
        finally:
            lock.release()

    def _make_folder(self) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise LabProblem(f"The lab keeps its state in {self.folder}, which cannot be written: {error.strerror}.") from error

    @property
    def modules(self) -> set[str]:
        """The modules that were started and not stopped."""
        return set(self._read("modules.json") or [])

    @modules.setter
    def modules(self, modules: set[str]) -> None:
        self._write("modules.json", sorted(modules))

    @property
    def endpoints(self) -> dict[str, str]:
        """Service -> URL without a trailing slash, for the services that are up."""
        return dict(self._read("endpoints.json") or {})

    @endpoints.setter
    def endpoints(self, urls: Mapping[str, str]) -> None:
        self._write("endpoints.json", dict(urls))

    def _read(self, name: str) -> Any:
        path = self.folder / name
        try:
            return json.loads(path.read_text("utf-8"))
        except FileNotFoundError:
            return None
        except ValueError:
            return None  # a file cut short by a full disk: the next `up` writes it anew

    def _write(self, name: str, value: Any) -> None:
        path = self.folder / name
        fresh = path.with_suffix(".new")
        fresh.write_text(json.dumps(value, indent=1), "utf-8")
        fresh.replace(path)


def service_url(settings: Settings, name: str) -> str:
    """Where a service of the running lab answers. Raises LabProblem when it is not up."""
    urls = Memory(settings).endpoints
    if name not in urls:
        up = f"Up now: {', '.join(urls)}." if urls else "Nothing is up now."
        raise LabProblem(
            f"{name} is not up. {up} Run the cell with `stack.up(...)` at the top of the notebook, or `./lab up MODULE`."
        )
    return urls[name]
