"""nbval holds the committed outputs of frozen cells. Live cells are skipped; of servers only the archived month is asked."""

import json
import os
import subprocess
from pathlib import Path

import forked
import pytest
from clones import first_port

from monlab.settings import settings
from monlab.workbook.modules import modules

REPO = settings().repo
WITH_FROZEN = [path for path in sorted(REPO.glob("*/*.ipynb")) if path.parts[-2] != "workspace" and "nbval-check-output" in path.read_text("utf-8")]


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    """The environment in which nbval runs: a state of its own, with the servers up that frozen cells ask."""
    environment = {**os.environ, "LAB_ENGINE": "native", "XDG_STATE_HOME": str(tmp_path_factory.mktemp("state")), "LAB_PORTS": str(first_port())}
    profiles = sorted({profile for module in modules(settings()) for profile in module.asked})
    if profiles:
        subprocess.run([REPO / "lab", "up", *profiles], env=environment, check=True, capture_output=True)
    yield environment
    if profiles:
        subprocess.run([REPO / "lab", "down"], env=environment, check=True, capture_output=True)


def nbval(path: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = ["-m", "pytest", "--nbval-lax", "-q", "-c", "/dev/null", "--rootdir", str(path.parent), "-p", "no:cacheprovider", str(path)]
    return forked.run(command, path.parent, environment, 300)


def test_every_module_with_kept_outputs_has_frozen_cells():
    kept = [module.notebook for module in modules(settings()) if module.frozen.exists()]
    assert kept and sorted({path.name for path in WITH_FROZEN}) == kept


@pytest.mark.parametrize("path", WITH_FROZEN, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_frozen_outputs_hold(path, asked):
    done = nbval(path, asked)
    assert done.returncode == 0, done.stdout[-3000:]


@pytest.mark.parametrize("path", WITH_FROZEN, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_each_frozen_cell_is_really_compared(path, tmp_path, asked):
    notebook = json.loads(path.read_text("utf-8"))
    frozen = [cell for cell in notebook["cells"] if "nbval-check-output" in cell["metadata"].get("tags", [])]
    assert frozen
    for cell in frozen:
        text = cell["outputs"][0]["text"]
        line, digit = next((at, one) for at, words in enumerate(text) for one in words if one.isdigit())
        text[line] = text[line].replace(digit, str((int(digit) + 1) % 10), 1)
    changed = tmp_path / path.name
    changed.write_text(json.dumps(notebook), "utf-8")
    done = nbval(changed, asked)
    assert done.returncode == 1 and f"{len(frozen)} failed" in done.stdout, done.stdout[-3000:]
