"""Running a lesson from top to bottom against the live stack, as a learner would, and telling how each section went."""

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import nbformat
import papermill
from papermill.engines import NBClientEngine, papermill_engines
from papermill.exceptions import PapermillExecutionError

from monlab.problem import LabProblem
from monlab.settings import Settings
from monlab.workbook import workspace
from monlab.workbook.modules import Module

CELL_SECONDS = 180
KEPT_RUNS = 10
QUIET = ["--IPKernelApp.log_level=CRITICAL"]  # the kernel's words on its sockets and its end; a cell's error is in its output


@dataclass(frozen=True)
class Outcome:
    """How a run went."""

    passed: bool
    seconds: float
    notebook: Path  # the executed notebook
    problem: str  # what failed, in words; empty when all passed


KINDS = {"lesson": "notebooks", "exercises": "exercises", "solutions": "solutions"}  # what can be run, and its folder


def run(module: Module, settings: Settings, report: Callable[[str], None], kind: str = "lesson") -> Outcome:
    """Executes a built notebook and keeps the executed one. `report` gets one line a section.

    The learner's server files are put back afterwards, whatever the lesson wrote.
    """
    workspace.sync(settings)
    source = settings.repo / KINDS[kind] / module.notebook
    if not source.exists():
        if kind == "lesson" or module.exercises.exists():
            raise LabProblem(f"{source} is not built: run `./lab build`.")
        raise LabProblem(f"Module {module.id} ({module.title}) has no exercises. `./lab run {module.id}` runs its lesson.")
    name = module.id if kind == "lesson" else f"{module.id}-{kind}"
    kept = _runs_folder(settings) / f"{name}-{datetime.now():%Y-%m-%d_%H-%M-%S}.ipynb"
    start = time.monotonic()
    problem = ""
    _Sections.report = report
    papermill_engines.register("sections", _Sections)
    with _files_put_back(module, settings, report):
        try:
            papermill.execute_notebook(
                source,
                kept,
                engine_name="sections",
                kernel_name="python3",
                progress_bar=False,
                execution_timeout=CELL_SECONDS,
                start_timeout=60,
                extra_arguments=QUIET,
                cwd=str(settings.workspace / KINDS[kind] if kind == "exercises" else settings.workspace / "notebooks"),
            )
        except PapermillExecutionError as error:
            problem = f"the cell that begins {error.source.splitlines()[0]!r} raised {error.ename}: {error.evalue}"
        except (RuntimeError, TimeoutError) as error:  # the kernel died, or a cell took too long
            problem = f"{type(error).__name__}: {error}"
    return Outcome(not problem, time.monotonic() - start, kept, problem)


class _Sections(NBClientEngine):
    """papermill's own engine, which also reports each section (a level-two heading) when it is over."""

    report: Callable[[str], None]

    @classmethod
    def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **options: Any) -> Any:
        sections = _sections(nb_man.nb)
        last_cells = {cells[-1]: title for title, cells in sections}
        titles = {cell: title for title, cells in sections for cell in cells}
        started = time.monotonic()
        complete, failed = nb_man.cell_complete, nb_man.cell_exception

        def line(word: str, title: str) -> None:
            nonlocal started
            now = time.monotonic()
            cls.report(f"{word:>6}  {now - started:5.1f} s  {title}")
            started = now

        def on_complete(cell: nbformat.NotebookNode, *rest: Any, **more: Any) -> None:
            complete(cell, *rest, **more)
            if cell.id in last_cells and not cell.metadata.get("papermill", {}).get("exception"):
                line("ok", last_cells[cell.id])

        def on_exception(cell: nbformat.NotebookNode, *rest: Any, **more: Any) -> None:
            failed(cell, *rest, **more)
            line("FAILED", titles[cell.id])

        nb_man.cell_complete, nb_man.cell_exception = on_complete, on_exception
        return super().execute_managed_notebook(nb_man, kernel_name, **options)


def _sections(notebook: nbformat.NotebookNode) -> list[tuple[str, list[str]]]:
    """Each section's title (a level-two heading) and the ids of its cells, in order."""
    found: list[tuple[str, list[str]]] = [("start", [])]
    for cell in notebook.cells:
        headings = [line for line in cell.source.splitlines() if cell.cell_type == "markdown" and line.startswith("## ")]
        if headings:
            found.append((headings[0].removeprefix("## "), []))
        found[-1][1].append(cell.id)
    return [(title, cells) for title, cells in found if cells]


def _runs_folder(settings: Settings) -> Path:
    folder = settings.state / "runs"
    folder.mkdir(parents=True, exist_ok=True)
    for old in sorted(folder.glob("*.ipynb"), key=lambda path: path.stat().st_mtime)[:-KEPT_RUNS]:
        old.unlink()
    return folder


@contextmanager
def _files_put_back(module: Module, settings: Settings, report: Callable[[str], None]) -> Iterator[None]:
    """Keeps a copy of the workspace's server folders during a run. A copy left by a run that was killed is put back first, and what
    the learner has changed since goes to the backup folder."""
    copies = settings.state / "before-run"
    if copies.exists():
        backup = workspace.keep_changed(settings, copies)
        if backup:
            report(f"A run was killed, and its changes are taken back. What you have changed since is kept in {backup}.")
        _put_back(copies, settings.workspace)
    unfinished = copies.with_suffix(".new")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    for name in workspace.mounted(settings, module.id):
        shutil.copytree(settings.workspace / name, unfinished / name)
    shutil.copyfile(settings.workspace / workspace.MANIFEST, unfinished / workspace.MANIFEST)
    unfinished.rename(copies)
    try:
        yield
    finally:
        _put_back(copies, settings.workspace)


def _put_back(copies: Path, space: Path) -> None:
    for folder in copies.iterdir():
        if folder.is_dir():
            shutil.rmtree(space / folder.name, ignore_errors=True)
            shutil.copytree(folder, space / folder.name)
        else:
            shutil.copyfile(folder, space / folder.name)
    over = copies.with_suffix(".over")  # in one step: half of a copy must never be put back
    shutil.rmtree(over, ignore_errors=True)
    copies.rename(over)
    shutil.rmtree(over)
