"""The modules of the course: one folder each under course/, found by their module.yaml."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monlab.files import from_yaml
from monlab.problem import LabProblem, nearest
from monlab.settings import Settings


@dataclass(frozen=True)
class Module:
    """What course/<folder>/module.yaml says. A module without a lesson is planned."""

    id: str  # m02
    folder: Path
    title: str
    summary: str
    minutes: int  # a sitting, reading included
    memory_mb: int | None  # resident memory of its servers, measured; None when it starts none
    also: tuple[str, ...]  # profiles of compose.yaml that its lesson starts on the way
    tasks: tuple[str, ...]  # profiles that its exercises start, instead of the module's own
    asked: tuple[str, ...]  # profiles that its frozen cells ask: the archived month, never the live lab
    covers: Mapping[str, str]  # path below the repository -> ids of curriculum.csv, separated by blanks

    @property
    def notebook(self) -> str:
        """02_prometheus.ipynb, from the folder's name."""
        return f"{self.folder.name.removeprefix('m')}.ipynb"

    @property
    def lesson(self) -> Path:
        return self.folder / "lesson.py"

    @property
    def exercises(self) -> Path:
        return self.folder / "exercises.py"

    @property
    def frozen(self) -> Path:
        return self.folder / "frozen.json"

    @property
    def files(self) -> Path:
        return self.folder / "files"

    @property
    def ready(self) -> bool:
        return self.lesson.exists()


def modules(settings: Settings) -> list[Module]:
    """All modules, in order."""
    return [_module(path) for path in sorted(settings.course.glob("*/module.yaml"))]


def module(name: str, settings: Settings, tasks: bool = False) -> Module:
    """The module `m02`. Raises LabProblem, with the nearest name, when there is none or it is only planned.

    With `tasks`, exercises are enough: a module may have them before its lesson.
    """
    known = {found.id: found for found in modules(settings)}
    if name not in known:
        ready = [found.id for found in known.values() if found.ready]
        raise LabProblem(f"There is no module {name!r}.{nearest(name, ready)} Modules: {', '.join(ready)}.")
    if not known[name].ready and not (tasks and known[name].exercises.exists()):
        raise LabProblem(f"Module {name} ({known[name].title}) is planned; there is no lesson yet.")
    return known[name]


def _module(path: Path) -> Module:
    body: dict[str, Any] = from_yaml(path.read_text("utf-8"))
    match = re.match(r"m\d\d", path.parent.name)
    if not match:
        raise LabProblem(f"{path.parent} is not named like m02_prometheus.")
    return Module(
        match[0],
        path.parent,
        body["title"],
        body["summary"],
        int(body["minutes"]),
        body.get("memory_mb"),
        tuple(body.get("also") or ()),
        tuple(body.get("tasks") or ()),
        tuple(body.get("frozen") or ()),
        body.get("covers") or {},
    )
