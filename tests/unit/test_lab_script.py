"""The `lab` script on machines that lack something. What is missing is taken from PATH; the script is the real one."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from monlab.settings import settings

REPO = settings().repo
TOOLS = ("sh", "cat", "cksum", "date", "dirname", "awk", "env", "apt-get", "readlink")


@pytest.fixture
def bare(tmp_path):
    """A copy of the script beside its lock file, and a PATH with basic tools and no Python."""
    for name in ("lab", "requirements.lock", "pyproject.toml"):
        shutil.copy2(REPO / name, tmp_path / name)
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in TOOLS:
        found = shutil.which(name)
        if found:
            (tools / name).symlink_to(found)
    return tmp_path


def run(bare: Path, script: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [script or bare / "lab", "status"], env={"PATH": str(bare / "bin"), "HOME": str(bare)}, capture_output=True, text=True
    )


def python(bare: Path, *refused: str) -> None:
    """A python3 that is new enough but refuses commands which mention one of these words."""
    cases = "".join(f'*"{word}"*) exit 1 ;; ' for word in refused)
    (bare / "bin" / "python3").write_text(
        f'#!/bin/sh\ncase "$*" in {cases}esac\nexec {Path(sys.base_prefix) / "bin" / "python3"} "$@"\n'
    )
    (bare / "bin" / "python3").chmod(0o755)


def test_without_python_the_one_command_that_mends_it_is_given(bare):
    done = run(bare)
    assert done.returncode == 1 and "Python 3.11 or newer is needed. Try: " in done.stderr


def test_a_link_to_the_script_leads_to_the_clone(bare, tmp_path_factory):
    """Someone puts it on PATH: the environment is made in the clone, and nothing beside the link."""
    elsewhere = tmp_path_factory.mktemp("a bin")
    (elsewhere / "direct").symlink_to(bare / "lab")
    (elsewhere / "relative").symlink_to("direct")
    python(bare, "import ensurepip", "pip --python")
    done = run(bare, elsewhere / "relative")
    assert done.returncode == 1 and "uv could not be fetched" in done.stderr and "requirements.lock:" not in done.stderr
    assert (bare / ".venv").is_dir() and not (elsewhere / ".venv").exists()


def test_an_old_python_counts_as_none(bare):
    python(bare, "version_info")
    done = run(bare)
    assert done.returncode == 1 and "Python 3.11 or newer is needed. Try: " in done.stderr


def test_a_python_without_venv_and_pip_is_told_what_to_install(bare):
    python(bare, "import ensurepip", "import venv")
    done = run(bare)
    assert done.returncode == 1 and "neither venv with pip nor uv beside it. Try: " in done.stderr
    assert not (bare / ".venv" / "made-from").exists()


def test_a_python_without_ensurepip_but_with_pip_gets_as_far_as_asking_the_network_for_uv(bare):
    python(bare, "import ensurepip", "pip --python")
    done = run(bare)
    assert done.returncode == 1 and "uv could not be fetched with pip: is there a network?" in done.stderr
    assert (bare / ".venv" / "bin" / "python").exists()


def test_the_lock_entry_of_uv_is_complete_for_pip():
    text = (REPO / "requirements.lock").read_text("utf-8")
    entry = subprocess.run(
        ["awk", "/^uv==/ {on = 1} on {print} on && !/\\\\$/ {exit}"], input=text, capture_output=True, text=True, check=True
    ).stdout
    assert entry.startswith("uv==") and entry.count("--hash=sha256:") > 5 and not entry.rstrip().endswith("\\")


def test_the_script_is_plain_sh():
    assert subprocess.run(["sh", "-n", REPO / "lab"], check=False).returncode == 0
