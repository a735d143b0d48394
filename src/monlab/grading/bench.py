"""A temporary folder in which the servers' own tools look at an answer.

It lies in the workspace, the one folder that the tools see on every engine, and goes away with the look.
"""

import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from monlab.problem import LabProblem
from monlab.settings import settings
from monlab.stack import tools
from monlab.stack.engine import Said

FOLDER = ".checks"
LEFT_SECONDS = 600  # a folder this old was left by a process that was killed


@dataclass(frozen=True)
class Bench:
    """The folder, by its path below the workspace."""

    name: str

    def promtool(self, *words: str) -> Said:
        """Runs promtool; a word `{}/rules.yml` is the file in this folder."""
        return self._plain(tools.promtool(*self._here(words)))

    def amtool(self, *words: str) -> Said:
        return self._plain(tools.amtool(*self._here(words)))

    def _here(self, words: tuple[str, ...]) -> list[str]:
        return [word.replace("{}", self.name) for word in words]

    def _plain(self, said: Said) -> Said:
        """What a tool said, with file names as the learner knows them."""
        return Said(said.command.replace(f"{self.name}/", ""), said.ok, said.text.replace(f"{self.name}/", ""))


@contextmanager
def bench(files: Mapping[str, str]) -> Iterator[Bench]:
    """The folder with these files in it. Raises LabProblem when there is no room for it."""
    above = settings().workspace / FOLDER
    try:
        above.mkdir(parents=True, exist_ok=True)
        _tidy(above)
        folder = Path(tempfile.mkdtemp(dir=above))
    except OSError as error:
        raise LabProblem(
            f"A temporary folder in {above} cannot be made: {error.strerror}. Make room, then check again."
        ) from error
    try:
        for name, text in files.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(text, "utf-8")
        yield Bench(f"{FOLDER}/{folder.name}")
    except OSError as error:
        raise LabProblem(f"{folder} cannot be written: {error.strerror}. Make room, then check again.") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _tidy(above: Path) -> None:
    for left in above.iterdir():
        with suppress(FileNotFoundError):  # another check, at work at the same time, has taken its own away
            if time.time() - left.stat().st_mtime > LEFT_SECONDS:
                shutil.rmtree(left, ignore_errors=True)
