"""nbval holds the committed outputs of frozen cells. Live cells are skipped, so no server is needed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from monlab.settings import settings

REPO = settings().repo
WITH_FROZEN = [path for path in sorted(REPO.glob("*/*.ipynb")) if path.parts[-2] != "workspace" and "nbval-check-output" in path.read_text("utf-8")]


def nbval(path: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "--nbval-lax", "-q", "-c", "/dev/null", "--rootdir", str(path.parent), "-p", "no:cacheprovider", str(path)]
    return subprocess.run(command, cwd=path.parent, capture_output=True, text=True, check=False)


def test_some_notebook_has_frozen_cells():
    assert [path.name for path in WITH_FROZEN] == ["02_prometheus.ipynb"]


@pytest.mark.parametrize("path", WITH_FROZEN, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_frozen_outputs_hold(path):
    done = nbval(path)
    assert done.returncode == 0, done.stdout[-3000:]


@pytest.mark.parametrize("path", WITH_FROZEN, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_each_frozen_cell_is_really_compared(path, tmp_path):
    notebook = json.loads(path.read_text("utf-8"))
    frozen = [cell for cell in notebook["cells"] if "nbval-check-output" in cell["metadata"].get("tags", [])]
    assert frozen
    for cell in frozen:
        text = cell["outputs"][0]["text"]
        digit = next(character for character in text[-1] if character.isdigit())
        text[-1] = text[-1].replace(digit, str((int(digit) + 1) % 10), 1)
    changed = tmp_path / path.name
    changed.write_text(json.dumps(notebook), "utf-8")
    done = nbval(changed)
    assert done.returncode == 1 and f"{len(frozen)} failed" in done.stdout, done.stdout[-3000:]
