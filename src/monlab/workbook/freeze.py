"""Runs the frozen cells of a lesson and keeps what they print in frozen.json."""

import json
from typing import Any

import nbclient
import nbformat

from monlab.problem import LabProblem
from monlab.workbook.build import frozen_code
from monlab.workbook.modules import Module
from monlab.workbook.source import Cell


def freeze(module: Module) -> int:
    """Writes frozen.json of a module; returns how many cells it holds. Raises LabProblem naming a cell that fails.

    Set-up and frozen cells run alone and in order, as nbval runs them: a frozen cell that needs a live cell fails here.
    """
    kept: dict[str, Any] = {}
    for path in (module.lesson, module.exercises):
        if path.exists():
            kept |= _outputs(frozen_code(path), module.id)
    if kept:
        module.frozen.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", "utf-8")
    else:
        module.frozen.unlink(missing_ok=True)
    return len(kept)


def _outputs(source: list[Cell], module: str) -> dict[str, Any]:
    """Cell id -> text and outputs of the frozen cells among `source`, run in a kernel of their own."""
    if not source:
        return {}
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell.text, id=cell.id) for cell in source])
    try:
        nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    except nbclient.exceptions.CellExecutionError as error:
        raise LabProblem(f"A frozen cell of {module} failed: {error}") from error
    return {
        node.id: {"source": cell.text, "outputs": _joined([_plain(output) for output in node.outputs])}
        for node, cell in zip(notebook.cells, source, strict=True)
        if "frozen" in cell.tags
    }


def _joined(outputs: list[nbformat.NotebookNode]) -> list[nbformat.NotebookNode]:
    """What a cell printed as one piece: into how many it came depends on how busy the machine was."""
    joined: list[nbformat.NotebookNode] = []
    for output in outputs:
        if joined and output.output_type == "stream" == joined[-1].output_type and output.name == joined[-1].name:
            joined[-1].text += output.text
        else:
            joined.append(output)
    return joined


def _plain(output: nbformat.NotebookNode) -> nbformat.NotebookNode:
    if output.output_type == "execute_result":
        output.execution_count = 1
    return output
