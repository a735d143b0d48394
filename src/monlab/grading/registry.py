"""The checks of the course: every `Check` in a `course/<module>/checks.py`. A module is added by adding a folder."""

import importlib.util
from functools import lru_cache
from pathlib import Path

from monlab.grading.check import Check
from monlab.problem import LabProblem, nearest
from monlab.settings import Settings


def find(check_id: str, settings: Settings) -> Check:
    """The check with this id. Raises LabProblem, with the nearest id, when there is none."""
    module = str(check_id).partition(".")[0]
    for path in files(settings):
        if module_id(path) == module and check_id in (found := checks_of(path)):
            return found[check_id]
    known = everything(settings)
    raise LabProblem(f"There is no check {str(check_id)[:60]!r}.{nearest(str(check_id)[:60], known)}")


def everything(settings: Settings) -> dict[str, Check]:
    """All checks of all modules, by id, in the course's order."""
    return {id: check for path in files(settings) for id, check in checks_of(path).items()}


def files(settings: Settings) -> list[Path]:
    return sorted(settings.course.glob("m[0-9][0-9]_*/checks.py"))


def module_id(path: Path) -> str:
    """m02, from the folder m02_prometheus."""
    return path.parent.name[:3]


def checks_of(path: Path) -> dict[str, Check]:
    """The checks of one file. Raises ValueError for ids that are doubled or do not begin with the module's."""
    return _checks(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=64)
def _checks(path: Path, _changed_ns: int) -> dict[str, Check]:
    spec = importlib.util.spec_from_file_location(f"checks_of_{path.parent.name}", path)
    if spec is None or spec.loader is None:
        raise ValueError(f"{path} cannot be loaded.")
    home = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(home)
    found: dict[str, Check] = {}
    for check in vars(home).values():
        if isinstance(check, Check):
            if check.id in found and found[check.id] is not check:
                raise ValueError(f"{path}: two checks are called {check.id}.")
            if not check.id.startswith(f"{module_id(path)}."):
                raise ValueError(f"{path}: the id {check.id} must begin with {module_id(path)}.")
            found[check.id] = check
    return found
