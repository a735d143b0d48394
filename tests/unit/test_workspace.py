"""The learner's copies: nothing of theirs is ever lost, and tracked files are never touched."""

import subprocess
from pathlib import Path

import pytest


@pytest.fixture
def lab(clone):
    clone.lab("status")
    clone.python("from monlab.settings import settings; from monlab.workbook import workspace; workspace.sync(settings())")
    return clone


def sync(clone) -> str:
    return clone.python(
        "from monlab.settings import settings; from monlab.workbook import workspace; print(workspace.sync(settings()))"
    )


def space(clone, name: str) -> Path:
    return clone.repo / "workspace" / name


def test_a_fresh_workspace_holds_notebooks_files_and_server_folders(lab):
    for name in (
        "notebooks/02_prometheus.ipynb",
        "files/m02/alerts.yml",
        "prometheus/prometheus.yml",
        "alertmanager/alertmanager.yml",
    ):
        assert space(lab, name).exists(), name


def test_editing_the_workspace_leaves_git_clean(lab):
    subprocess.run(["git", "init", "-q"], cwd=lab.repo, check=True)
    subprocess.run(["git", "add", "-A"], cwd=lab.repo, check=True)
    subprocess.run(["git", "-c", "user.name=x", "-c", "user.email=x@x", "commit", "-qm", "x"], cwd=lab.repo, check=True)
    space(lab, "prometheus/prometheus.yml").write_text("mine")
    space(lab, "notebooks/mine.ipynb").write_text("mine")
    assert subprocess.run(["git", "status", "--porcelain"], cwd=lab.repo, capture_output=True, text=True, check=True).stdout == ""


KILLED = """
import os
from monlab.settings import settings
from monlab.workbook import run, workspace
from monlab.workbook.modules import modules
m02 = next(one for one in modules(settings()) if one.id == "m02")
with run._files_put_back(m02, settings(), print):
    {}
"""


def test_an_edit_after_a_run_that_was_killed_is_kept(lab):
    """The lesson's own change is taken back; what the learner wrote since is not lost."""
    mine, rule, added = (space(lab, f"prometheus/{name}") for name in ("prometheus.yml", "rules/mine.yml", "rules/added.yml"))
    before = mine.read_text()
    killed = "workspace.write('prometheus/rules/mine.yml', 'groups: []'); os._exit(9)"
    with pytest.raises(AssertionError):
        lab.python(KILLED.format(killed))
    assert rule.exists()
    mine.write_text(before + "# my edit\n")
    added.write_text("groups: []\n# mine\n")
    said = lab.python(KILLED.format("pass"))
    assert mine.read_text() == before and not rule.exists() and not added.exists()
    [backup] = (lab.repo / "workspace/backup").iterdir()
    assert str(backup) in said and (backup / "prometheus/prometheus.yml").read_text() == before + "# my edit\n"
    assert (backup / "prometheus/rules/added.yml").exists() and not (backup / "prometheus/rules/mine.yml").exists()
    assert lab.python(KILLED.format("pass")) == ""


def test_a_newer_course_replaces_what_is_untouched(lab):
    shipped = lab.repo / "stack/prometheus/rules/lab.yml"
    shipped.write_text(shipped.read_text() + "# newer\n")
    sync(lab)
    assert space(lab, "prometheus/rules/lab.yml").read_text().endswith("# newer\n")


def test_a_newer_course_lies_beside_what_the_learner_has_changed(lab):
    mine = space(lab, "notebooks/02_prometheus.ipynb")
    changed = mine.read_text() + "\n"
    mine.write_text(changed)
    rule = space(lab, "prometheus/rules/lab.yml")
    rule.write_text("# mine\n")
    for name in ("notebooks/02_prometheus.ipynb", "stack/prometheus/rules/lab.yml"):
        path = lab.repo / name
        path.write_text(path.read_text() + " ")
    said = sync(lab)
    assert "newer in the course and you have changed yours" in said
    assert rule.read_text() == "# mine\n" and mine.read_text() == changed
    assert space(lab, "notebooks/02_prometheus.new.ipynb").exists() and space(lab, "prometheus/rules/lab.yml.new").exists()
    assert sync(lab).strip() == "[]", "the same news is told once"


def test_without_a_newer_course_a_change_is_left_alone_silently(lab):
    space(lab, "prometheus/rules/lab.yml").write_text("# mine\n")
    assert sync(lab).strip() == "[]" and space(lab, "prometheus/rules/lab.yml").read_text() == "# mine\n"


def test_a_lost_manifest_costs_no_work(lab):
    space(lab, ".course.json").unlink()
    space(lab, "prometheus/rules/lab.yml").write_text("# mine\n")
    sync(lab)
    assert space(lab, "prometheus/rules/lab.yml").read_text() == "# mine\n"


def test_reset_backs_up_then_restores(lab):
    space(lab, "prometheus/prometheus.yml").write_text("mine")
    space(lab, "prometheus/rules/extra.yml").write_text("also mine")
    space(lab, "notebooks/02_prometheus.ipynb").write_text("{}")
    said = lab.lab("reset", "m02")
    backup = Path(said.split("What you had is in ")[1].strip().rstrip("."))
    assert (backup / "prometheus/prometheus.yml").read_text() == "mine" and (
        backup / "prometheus/rules/extra.yml"
    ).read_text() == "also mine"
    assert (backup / "notebooks/02_prometheus.ipynb").read_text() == "{}"
    assert not space(lab, "prometheus/rules/extra.yml").exists()
    assert space(lab, "prometheus/prometheus.yml").read_bytes() == (lab.repo / "stack/prometheus/prometheus.yml").read_bytes()


def test_a_lesson_cell_keeps_the_learners_version_before_it_writes(lab):
    rule = space(lab, "prometheus/rules/recording.yml")
    rule.write_text("# mine\n")
    said = lab.python(
        "from monlab import workspace; print(repr(workspace.install('files/m02/recording.yml', 'prometheus/rules/recording.yml')))"
    )
    kept = space(lab, said.split("your version is kept in ")[1].split(")")[0])
    assert kept.read_text() == "# mine\n" and "instance:node_cpu_busy" in rule.read_text() and "-# mine" in said
    again = lab.python(
        "from monlab import workspace; print(repr(workspace.install('files/m02/recording.yml', 'prometheus/rules/recording.yml')))"
    )
    assert "already so" in again


def test_replace_and_without_do_nothing_twice(lab):
    code = (
        "from monlab import workspace\n"
        "a, b = '    honor_labels: true', '    sample_limit: 7\\n    honor_labels: true'\n"
        "for _ in range(2): print(repr(workspace.replace('prometheus/prometheus.yml', a, b)))\n"
        "for _ in range(2): print(repr(workspace.without('prometheus/prometheus.yml', '    sample_limit: 7\\n')))\n"
    )
    said = lab.python(code)
    assert said.count("already so") == 2
    assert space(lab, "prometheus/prometheus.yml").read_bytes() == (lab.repo / "stack/prometheus/prometheus.yml").read_bytes()


@pytest.mark.parametrize("path", ["../outside.yml", "/etc/passwd", "prometheus/../../x"])
def test_a_path_outside_the_workspace_is_refused(lab, path):
    said = lab.python(
        "from monlab import workspace\nfrom monlab.problem import LabProblem\n"
        f"try:\n    workspace.write({path!r}, 'x')\nexcept LabProblem as problem:\n    print(problem)"
    )
    assert "lies outside the workspace" in said
