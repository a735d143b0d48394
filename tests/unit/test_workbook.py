"""From course/ to notebooks: deterministic, checked, and with nothing that a runner would miss."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from monlab.problem import LabProblem
from monlab.settings import settings
from monlab.workbook import build, coverage, lint, source
from monlab.workbook.freeze import freeze
from monlab.workbook.modules import module, modules

SETTINGS = settings()
LESSON = """\
# %% [markdown] covers: M2-T1
# # Title
# **You will do:** x **You will learn:** x **You need:** 1 minutes

# %% setup
from monlab import stack

# %%
stack.up("m88")

# %% frozen
print(6 * 7)

# %% [markdown] exercise: m88.q1
# ## What to take away
# ## On your own
# ## In practice
# ## Further reading

# %% solution
q1 = "up"
q2, n = "x", 3

# %%
stack.down("m88")
"""


@pytest.fixture
def course(tmp_path):
    """A course of one module, m88, in a repository of its own."""
    folder = tmp_path / "course" / "m88_test"
    folder.mkdir(parents=True)
    (folder / "module.yaml").write_text("title: Test\nsummary: x\nminutes: 1\n")
    (folder / "lesson.py").write_text(LESSON)
    for name in ("curriculum.csv", "left_out.csv"):
        shutil.copy(SETTINGS.course / name, tmp_path / "course" / name)
    (tmp_path / "stack").mkdir()
    config = replace(SETTINGS, repo=tmp_path, workspace=tmp_path / "workspace")
    freeze(module("m88", config))
    return config


def notebook(config, name="notebooks/88_test.ipynb") -> dict:
    return json.loads((config.repo / name).read_text("utf-8"))


def test_two_builds_give_the_same_bytes_and_the_second_changes_nothing(course):
    first = build.built(course)
    assert build.write(course) == ["notebooks/88_test.ipynb"]
    assert build.built(course) == first and build.write(course) == [] and build.differing(course) == []


def test_cell_ids_come_from_the_content_so_an_inserted_cell_changes_no_other(course):
    lesson = course.course / "m88_test" / "lesson.py"
    before = [cell.id for cell in source.cells(lesson)]
    lesson.write_text(LESSON.replace("# %% frozen", "# %%\n1 + 1\n\n# %% frozen"))
    after = [cell.id for cell in source.cells(lesson)]
    assert set(before) < set(after) and len(after) == len(before) + 1
    lesson.write_text(LESSON + '\n# %%\nstack.down("m88")\n')
    assert len({cell.id for cell in source.cells(lesson)}) == len(before) + 1


def test_only_frozen_cells_carry_outputs_and_a_count(course):
    build.write(course)
    cells = [cell for cell in notebook(course)["cells"] if cell["cell_type"] == "code"]
    tags = {tuple(cell["metadata"]["tags"]): cell for cell in cells}
    frozen = tags["frozen", "nbval-check-output"]
    assert frozen["execution_count"] == 1 and frozen["outputs"][0]["text"] == ["42\n"]
    assert all(cell["execution_count"] is None and cell["outputs"] == [] for key, cell in tags.items() if "frozen" not in key)
    assert ("setup",) in tags and ("nbval-skip",) in tags


def test_one_changed_digit_in_frozen_json_is_noticed(course):
    build.write(course)
    frozen = course.course / "m88_test" / "frozen.json"
    frozen.write_text(frozen.read_text().replace("42", "43"))
    assert build.differing(course) == ["notebooks/88_test.ipynb"]


def test_one_changed_character_in_a_built_notebook_is_noticed(course):
    build.write(course)
    path = course.repo / "notebooks" / "88_test.ipynb"
    path.write_text(path.read_text().replace("Title", "Titel"))
    assert build.differing(course) == ["notebooks/88_test.ipynb"]


def test_a_left_over_notebook_is_noticed_and_removed(course):
    build.write(course)
    (course.repo / "exercises").mkdir()
    (course.repo / "exercises" / "old.ipynb").write_text("{}")
    assert build.differing(course) == ["exercises/old.ipynb"]
    assert build.write(course) == ["exercises/old.ipynb"] and build.differing(course) == []


def test_a_changed_frozen_cell_wants_new_outputs(course):
    lesson = course.course / "m88_test" / "lesson.py"
    lesson.write_text(LESSON.replace("6 * 7", "6 * 8"))
    with pytest.raises(LabProblem, match=r"run `\./lab freeze`"):
        build.built(course)
    freeze(module("m88", course))
    assert "48" in build.built(course)["notebooks/88_test.ipynb"]


def test_what_a_frozen_cell_prints_in_pieces_is_kept_as_one(course):
    lesson = course.course / "m88_test" / "lesson.py"
    lesson.write_text(
        LESSON.replace("print(6 * 7)", "for number in (1, 2):\n    print(number, flush=True)\n    sum(range(10**7))")
    )
    freeze(module("m88", course))
    [kept] = json.loads(module("m88", course).frozen.read_text()).values()
    assert [output["text"] for output in kept["outputs"]] == ["1\n2\n"]


def test_a_frozen_cell_that_needs_a_live_cell_cannot_be_frozen(course):
    lesson = course.course / "m88_test" / "lesson.py"
    lesson.write_text(LESSON.replace("# %% frozen\n", "# %%\nlive = 1\n\n# %% frozen\nprint(live)\n"))
    with pytest.raises(LabProblem, match="NameError"):
        freeze(module("m88", course))


def test_the_exercise_is_the_solution_with_empty_answers(course):
    shutil.copy(course.course / "m88_test" / "lesson.py", course.course / "m88_test" / "exercises.py")
    build.write(course)
    sources = {
        name: ["".join(cell["source"]) for cell in notebook(course, f"{name}/88_test.ipynb")["cells"]]
        for name in ("exercises", "solutions")
    }
    assert 'q1 = "up"\nq2, n = "x", 3' in sources["solutions"]
    assert f'{build.STUB}\nq1 = ""\nq2 = ""\nn = ""' in sources["exercises"]
    assert len(sources["exercises"]) == len(sources["solutions"])


def test_an_unknown_word_in_a_header_is_named_with_its_line(course):
    lesson = course.course / "m88_test" / "lesson.py"
    lesson.write_text(LESSON.replace("# %% setup", "# %% setpu"))
    with pytest.raises(LabProblem, match=r"lesson.py:5: .*not 'setpu'"):
        source.cells(lesson)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("print(6 * 7)", "!ls", "shell command or magic"),
        ("print(6 * 7)", "%%bash\nls", "shell command or magic"),
        ("print(6 * 7)", "import requests", "imports requests"),
        ("print(6 * 7)", "from monlabx import y", "imports monlabx"),
        ("print(6 * 7)", "from monlab.stack.lab import up", "imports monlab.stack.lab"),
        ("print(6 * 7)", "import monlab.grading", "imports monlab.grading"),
        ("print(6 * 7)", "print('http://localhost:9090')", "an address is spelled out"),
        ("print(6 * 7)", "\n".join(f"a{n} = 1" for n in range(26)), "26 lines of code"),
        ("# # Title", "# # Title 🚀", "emoji"),
        ("# # Title", "# # Title\n# This is simply so.", "the word 'simply'"),
        ("## Further reading", "## Furter reading", "lacks '## Further reading'"),
        ("**You need", "**You ned", "lacks '**You need'"),
        ("M2-T1", "M2-T1 M2-T2 M2-T3 M2-T4 M2-T5", "covers 5 ids"),
        ('stack.down("m88")', "1", "lacks stack.down"),
    ],
)
@pytest.mark.slow("runs a notebook's kernel each time")
def test_lint_complains_about(course, old, new, words):
    lesson = course.course / "m88_test" / "lesson.py"
    assert lint.lint(module("m88", course)) == []
    assert old in LESSON
    lesson.write_text(LESSON.replace(old, new))
    assert any(words in line for line in lint.lint(module("m88", course))), lint.lint(module("m88", course))


def test_coverage_wants_the_evidence_where_the_id_is_claimed(course):
    result = coverage.coverage(course)
    assert any("M2-T1" in line and "without its evidence 'TSDB'" in line for line in result.complaints)
    lesson = course.course / "m88_test" / "lesson.py"
    lesson.write_text(LESSON.replace("# # Title", "# # The TSDB").replace("m88.q1", "m88.q1 covers: M2-T99"))
    result = coverage.coverage(course)
    assert list(result.covered) == ["M2-T1"] and result.complaints == [
        next(line for line in result.complaints if "M2-T99" in line and "does not name" in line)
    ]
    (course.course / "left_out.csv").write_text("id,reason\nM2-T2,E1\nM2-T98,none\n")
    result = coverage.coverage(course)
    assert "M2-T2" not in {item.id for item in result.gaps} and any("M2-T98" in line for line in result.complaints)


# --- the course itself ---


def test_the_committed_notebooks_are_what_course_makes():
    assert build.differing(SETTINGS) == [], "run `./lab build`"


def test_the_course_passes_its_own_lint():
    assert [line for found in modules(SETTINGS) if found.ready for line in lint.lint(found)] == []


def test_every_id_of_a_ready_module_is_covered_or_left_out_with_a_reason():
    result = coverage.coverage(SETTINGS)
    ready = {found.id for found in modules(SETTINGS) if found.ready}
    assert result.complaints == [] and [item.id for item in result.gaps if item.module in ready] == []
    assert all(result.left_out.values())


def test_the_curriculum_has_every_id_once():
    ids = [item.id for item in coverage.curriculum(SETTINGS)]
    assert len(ids) == len(set(ids)) == 745


def test_text_and_code_keep_their_proportion():
    found = source.cells(module("m02", SETTINGS).lesson)
    text, code = (sum(cell.kind == kind for cell in found) for kind in ("markdown", "code"))
    assert 0.6 <= text / code <= 1.3


def test_every_guess_has_a_name_of_its_own():
    text = Path(module("m02", SETTINGS).lesson).read_text("utf-8")
    asked = [line for line in text.splitlines() if line.startswith("guess(")]
    assert len(asked) == len(set(asked)) >= 10
    for line in asked:
        name = line.split('"')[1]
        assert f'guess("{name}").beside(' in text, f"{name} is asked and never answered"
