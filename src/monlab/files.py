"""Files that are there whole or not at all."""

import json
from pathlib import Path
from typing import Any

import yaml

from monlab.problem import LabProblem

ROOM = "Make that place yours, or set XDG_STATE_HOME to a folder that is."  # what to do about a state folder of no use


YAML_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the same, in C, where PyYAML was built with it


def from_yaml(text: str) -> Any:
    """What a text in YAML holds. Raises yaml.YAMLError."""
    return yaml.load(text, YAML_LOADER)


def read_json(path: Path) -> Any:
    """What a file of the lab's state holds, None when it is not there. Raises LabProblem, or ValueError for what is no JSON."""
    try:
        return json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return None
    except RecursionError:
        raise ValueError(f"{path} is nested too deeply") from None
    except OSError as error:
        raise LabProblem(f"The lab keeps its state in {path}, which cannot be read: {error.strerror}. {ROOM}") from error


def read_text(path: Path) -> str:
    """The text of a file that a person may have edited. Raises LabProblem when it is none."""
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError:
        raise LabProblem(f"{path} is no text in UTF-8. Save it as one.") from None


def write_whole(path: Path, text: str) -> None:
    """Replaces a file in one step, and makes its folder. Raises LabProblem when it cannot be written."""
    fresh = path.with_name(f"{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_text(text, "utf-8")
        fresh.replace(path)
    except OSError as error:
        raise LabProblem(
            f"{path} cannot be written: {error.strerror}. Make room, or make it writable, then run the same again."
        ) from error
