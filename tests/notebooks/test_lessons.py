"""Every lesson, from top to bottom, against its real servers, as `./lab run` does it for a person."""

import base64
import subprocess
from pathlib import Path

import nbformat
import images
import pytest

from monlab.settings import settings
from monlab.stack import engines
from monlab.workbook.modules import modules

SERVED = engines.describe(settings()).modules
READY = [found for found in modules(settings()) if found.ready]


LATER = pytest.mark.long("the same notebook on another engine; the short run does this for m02")
ENGINES = {"native": "clone", "docker": "docker_clone", "external": "student"}
# A lesson without servers runs the same everywhere: once is enough.
RUNS = [
    pytest.param(lesson, engine, marks=[] if engine == "native" or lesson.id == "m02" else [LATER], id=f"{lesson.id}-{engine}")
    for lesson in READY
    for engine in ENGINES
    if engine == "native" or lesson.id in SERVED
]


@pytest.mark.parametrize(("lesson", "engine"), RUNS)
def test_a_lesson_runs_and_leaves_no_trace_in_tracked_or_learner_files(request, lesson, engine):
    if engine == "docker":
        images.make(request.getfixturevalue("daemon"), lesson.id, *lesson.also)
    instructor = request.getfixturevalue("running") if engine == "external" else None
    if instructor:
        instructor.lab("up", lesson.id, *lesson.also)
    try:
        run_lesson(request.getfixturevalue(ENGINES[engine]), lesson)
    finally:
        others = {lesson.id, *lesson.also} - {"m02"}
        if instructor and others:
            instructor.lab("down", *others)


def run_lesson(clone, lesson):
    """One lesson in one clone, from a clean checkout to nothing left over."""
    for words in (["init", "-q"], ["add", "-A"], ["-c", "user.name=x", "-c", "user.email=x@x", "commit", "-qm", "x"]):
        subprocess.run(["git", *words], cwd=clone.repo, check=True)
    said = clone.lab("run", lesson.id)
    assert f"{lesson.id} passed." in said and "FAILED" not in said and "IPKernelApp" not in said
    executed = nbformat.read(Path(said.split("The executed notebook: ")[1].splitlines()[0]), as_version=4)
    code = [cell for cell in executed.cells if cell.cell_type == "code" and cell.source.strip()]
    assert all(cell.execution_count for cell in code)
    outputs = [output for cell in code for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error"]
    assert all(f"  {line}" in said for line in sections(executed)), "one line a section"
    pictures = [base64.b64decode(output.data["image/png"]) for output in outputs if "image/png" in output.get("data", {})]
    plotted = any(call in cell.source for cell in code for call in ("prom.plot(", "dashboard.show("))
    assert all(len(picture) > 5_000 for picture in pictures) and bool(pictures) == plotted
    assert subprocess.run(["git", "status", "--porcelain"], cwd=clone.repo, capture_output=True, text=True, check=True).stdout == ""
    for path in (clone.repo / "stack" / "prometheus").rglob("*.yml"):
        assert (clone.repo / "workspace" / path.relative_to(clone.repo / "stack")).read_bytes() == path.read_bytes()
    assert not clone.leftovers(), "a lesson ends with stack.down()"


def sections(notebook: nbformat.NotebookNode) -> list[str]:
    return [
        line.removeprefix("## ")
        for cell in notebook.cells
        if cell.cell_type == "markdown"
        for line in cell.source.splitlines()
        if line.startswith("## ")
    ][:-3]     # the closing headings share one cell


def test_a_lesson_that_fails_says_where_and_exits_with_1(clone):
    notebook = clone.repo / "notebooks" / "00_start_here.ipynb"
    notebook.write_text(notebook.read_text("utf-8").replace("course.this_machine()", "course.that_machine()"), "utf-8")
    said = clone.lab("run", "m00", code=1)
    assert "FAILED" in said and "What this machine can do" in said
    assert "the cell that begins 'course.that_machine()' raised AttributeError" in said and "m00 failed" in said
