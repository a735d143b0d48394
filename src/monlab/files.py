"""Files that are there whole or not at all."""

from pathlib import Path

from monlab.problem import LabProblem


def write_whole(path: Path, text: str) -> None:
    """Replaces a file in one step. Raises LabProblem when it cannot be written."""
    fresh = path.with_name(f"{path.name}.new")
    try:
        fresh.write_text(text, "utf-8")
        fresh.replace(path)
    except OSError as error:
        raise LabProblem(
            f"{path} cannot be written: {error.strerror}. Make room, or make it writable, then run the same again."
        ) from error
