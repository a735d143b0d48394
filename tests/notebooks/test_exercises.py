"""Exercises run clean before anybody has answered; solutions give only right answers; a wrong one stops a strict run."""

import json
from pathlib import Path

import nbformat
import pytest

from monlab.settings import settings
from monlab.workbook.modules import modules

WITH_TASKS = [found for found in modules(settings()) if found.exercises.exists()]
pytestmark = pytest.mark.parametrize("module", WITH_TASKS, ids=lambda module: module.id)


def verdicts(said: str) -> list[str]:
    """What every check of an executed notebook said."""
    executed = nbformat.read(Path(said.split("The executed notebook: ")[1].splitlines()[0]), as_version=4)
    cells = [cell for cell in executed.cells if cell.cell_type == "code" and cell.source.startswith("check(")]
    outputs = [[output for output in cell.outputs if "text/plain" in output.get("data", {})] for cell in cells]
    return ["".join(output.data["text/plain"] for output in found) for found in outputs]


def test_unsolved_exercises_run_clean_from_top_to_bottom(clone, module):
    said = clone.lab("run", module.id, "exercises")
    assert f"{module.id} exercises passed." in said
    found = verdicts(said)
    assert found and all("not attempted" in one for one in found), found
    assert not clone.leftovers(), "exercises end with stack.down()"


def test_solutions_give_only_right_answers(clone, module):
    said = clone.lab("run", module.id, "solutions")
    assert f"{module.id} solutions passed." in said
    found = verdicts(said)
    assert found and all(": right." in one for one in found), found


def test_a_wrong_answer_stops_a_strict_run_and_says_why(clone, module):
    path = clone.repo / "solutions" / module.notebook
    notebook = json.loads(path.read_text("utf-8"))
    first = next(cell for cell in notebook["cells"] if "solution" in cell["metadata"].get("tags", []))
    name = "".join(first["source"]).partition(" =")[0]
    first["source"] = [f'{name} = "certainly not"']
    path.write_text(json.dumps(notebook), "utf-8")
    said = clone.lab("run", module.id, "solutions", code=1)
    assert "raised CheckFailed" in said and f"{module.id}.q1: wrong." in said
