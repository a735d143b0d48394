"""Source cells -> the committed notebooks. Building twice gives the same bytes."""

import ast
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat

from monlab.problem import LabProblem
from monlab.settings import Settings
from monlab.workbook.modules import Module, modules
from monlab.workbook.source import Cell, cells

STUB = "# Your answer goes here."


def built(settings: Settings) -> dict[str, str]:
    """Path below the repository -> text of every notebook that course/ makes. Raises LabProblem on a frozen cell without outputs."""
    found: dict[str, str] = {}
    for module in modules(settings):
        if module.ready:
            found[f"notebooks/{module.notebook}"] = notebook_text(cells(module.lesson), frozen_outputs(module))
        if module.exercises.exists():
            tasks = cells(module.exercises)
            found[f"solutions/{module.notebook}"] = notebook_text(tasks, frozen_outputs(module))
            found[f"exercises/{module.notebook}"] = notebook_text([stubbed(cell) for cell in tasks], frozen_outputs(module))
    return found


def write(settings: Settings) -> list[str]:
    """Writes the built notebooks and removes those that course/ no longer makes. Returns the paths that changed."""
    wanted = built(settings)
    changed = differing(settings)
    for name in changed:
        path = settings.repo / name
        if name in wanted:
            path.parent.mkdir(exist_ok=True)
            path.write_text(wanted[name], "utf-8")
        else:
            path.unlink()
    return changed


def differing(settings: Settings) -> list[str]:
    """Committed notebooks that are not what course/ makes: changed, missing or left over."""
    wanted = built(settings)
    present = {
        path.relative_to(settings.repo).as_posix()
        for folder in ("notebooks", "exercises", "solutions")
        for path in (settings.repo / folder).glob("*.ipynb")
    }

    def committed(name: str) -> str | None:
        path = settings.repo / name
        return path.read_text("utf-8") if path.exists() else None

    return sorted(name for name in present | set(wanted) if wanted.get(name) != committed(name))


def notebook_text(source: list[Cell], frozen: Mapping[str, Any]) -> str:
    """A notebook as the bytes to commit: frozen cells with outputs and a count, all others stripped."""
    notebook = nbformat.v4.new_notebook(
        cells=[_node(cell, frozen) for cell in source],
        metadata={
            "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
    )
    nbformat.validate(notebook)
    return nbformat.writes(notebook, version=4) + "\n"


def frozen_outputs(module: Module) -> dict[str, Any]:
    """Cell id -> `{"source", "outputs"}` of frozen.json; empty when the module has none."""
    return dict(json.loads(module.frozen.read_text("utf-8"))) if module.frozen.exists() else {}


def _node(cell: Cell, frozen: Mapping[str, Any]) -> nbformat.NotebookNode:
    metadata: dict[str, Any] = {}
    if cell.covers:
        metadata["covers"] = list(cell.covers)
    if cell.kind == "markdown":
        return nbformat.v4.new_markdown_cell(cell.text, id=cell.id, metadata=metadata)
    # nbval runs the set-up cell, compares the frozen cells and leaves live cells alone.
    nbval = [] if "setup" in cell.tags else ["nbval-check-output"] if "frozen" in cell.tags else ["nbval-skip"]
    metadata["tags"] = [*cell.tags, *nbval]
    node = nbformat.v4.new_code_cell(cell.text, id=cell.id, metadata=metadata)
    if "frozen" in cell.tags:
        if cell.id not in frozen:
            raise LabProblem(
                f"A frozen cell has no outputs in frozen.json: run `./lab freeze`. The cell begins: {cell.text.splitlines()[0]}"
            )
        node.outputs = [nbformat.from_dict(output) for output in frozen[cell.id]["outputs"]]
        node.execution_count = 1  # nbval compares nothing in a cell without a count
    return node


def stubbed(cell: Cell) -> Cell:
    """A solution cell with the answers taken out: each name it assigns becomes an empty text. Other cells are unchanged."""
    if "solution" not in cell.tags:
        return cell
    assigned = (target for line in ast.parse(cell.text).body if isinstance(line, ast.Assign) for target in line.targets)
    names = [
        node.id
        for target in assigned
        for node in ast.walk(target)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    ]
    text = "\n".join([STUB, *(f'{name} = ""' for name in names)])
    return Cell(cell.id, cell.kind, text, (), cell.covers, cell.exercise)


def frozen_code(path: Path) -> list[Cell]:
    """The cells a frozen cell may rely on, in order: set-up and frozen ones. Empty when the file has no frozen cell."""
    found = [cell for cell in cells(path) if {"setup", "frozen"} & set(cell.tags)]
    return found if any("frozen" in cell.tags for cell in found) else []
