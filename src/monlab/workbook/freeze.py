"""Runs the frozen cells of a lesson and keeps what they print in frozen.json."""

import json

import nbclient
import nbformat

from monlab.problem import LabProblem
from monlab.workbook.build import frozen_code
from monlab.workbook.modules import Module


def freeze(module: Module) -> int:
    """Writes frozen.json of a module; returns how many cells it holds. Raises LabProblem naming a cell that fails.

    Set-up and frozen cells run alone and in order, as nbval runs them: a frozen cell that needs a live cell fails here.
    """
    source = frozen_code(module.lesson)
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell.text, id=cell.id) for cell in source])
    try:
        nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    except nbclient.exceptions.CellExecutionError as error:
        raise LabProblem(f"A frozen cell of {module.id} failed: {error}") from error
    kept = {
        node.id: {"source": cell.text, "outputs": [_plain(output) for output in node.outputs]}
        for node, cell in zip(notebook.cells, source, strict=True)
        if "frozen" in cell.tags
    }
    if kept:
        module.frozen.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", "utf-8")
    else:
        module.frozen.unlink(missing_ok=True)
    return len(kept)


def _plain(output: nbformat.NotebookNode) -> nbformat.NotebookNode:
    if output.output_type == "execute_result":
        output.execution_count = 1
    return output
