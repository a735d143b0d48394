"""A Node program: its sources beside the packages that its lock file pins."""

import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from monlab.problem import LabProblem
from monlab.settings import Settings, child_environment
from monlab.stack.servers.recipe import Recipe

INSTALL_SECONDS = 300


def install(
    recipe: Recipe, into: Path, settings: Settings, progress: Callable[[str], None], node: Path, npm: Path
) -> dict[str, str]:
    """Copies the recipe's sources into the folder `into` and runs `npm ci` there with the given Node. Raises LabProblem."""
    progress(f"{recipe.name} {recipe.version}: installing its Node packages")
    for file in recipe.files:
        shutil.copy2(file, into / file.name)
    command: Sequence[str | Path] = [node, npm, "ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund"]
    environment = child_environment(npm_config_cache=str(settings.cache / "npm"), npm_config_update_notifier="false")
    try:
        done = subprocess.run(
            command, cwd=into, env=environment, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise LabProblem(f"`npm ci` for {recipe.name} did not end within {INSTALL_SECONDS} s.") from None
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise LabProblem(f"The packages of {recipe.name} could not be installed: {said}")
    return {"node": recipe.version}
