"""py:percent text -> notebook cells.

A cell's header may hold tags and `key: values`, as in `# %% [markdown] exercise: m02.q3 covers: M2-Q15 M2-Q16`.
jupytext reads the cells; this module turns the headers into metadata it understands and gives cells their ids.
"""

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path

import jupytext
import nbformat

from monlab.problem import LabProblem

HEADER = re.compile(r"^# %%(?P<markdown> \[markdown\])?(?P<rest>.*)$")
KEYS = ("covers", "exercise")
TAGS = ("setup", "frozen", "solution")


@dataclass(frozen=True)
class Cell:
    """One cell of a source file."""

    id: str  # from the content alone: eight hexadecimal digits
    kind: str  # markdown or code
    text: str
    tags: tuple[str, ...]
    covers: tuple[str, ...]  # curriculum ids
    exercise: str  # m02.q3, on the cell that states a task


def cells(path: Path) -> list[Cell]:
    """The cells of a py:percent file. Raises LabProblem naming file and line of a header that cannot be read."""
    lines = path.read_text("utf-8").splitlines()
    prepared = "\n".join(_header(line, path, number) for number, line in enumerate(lines, 1))
    notebook = jupytext.reads(prepared, fmt="py:percent")
    seen: dict[str, int] = {}
    return [_cell(raw, seen) for raw in notebook.cells if raw.cell_type != "raw"]


def _header(line: str, path: Path, number: int) -> str:
    match = HEADER.match(line)
    if not match:
        return line
    metadata: dict[str, list[str]] = {"tags": []}
    key = "tags"
    for word in match["rest"].split():
        if word.endswith(":") and word[:-1] in KEYS:
            key = word[:-1]
            metadata[key] = []
        elif key == "tags" and word not in TAGS:
            raise LabProblem(
                f"{path}:{number}: a cell's header may hold {', '.join(TAGS)} and {', '.join(f'{k}:' for k in KEYS)}, not {word!r}."
            )
        else:
            metadata[key].append(word)
    given = " ".join(f"{name}={json.dumps(values)}" for name, values in metadata.items() if values)
    return f"# %%{match['markdown'] or ''} {given}".rstrip()


def _cell(raw: nbformat.NotebookNode, seen: dict[str, int]) -> Cell:
    digest = hashlib.sha256(f"{raw.cell_type}\n{raw.source}".encode()).hexdigest()[:8]
    seen[digest] = seen.get(digest, 0) + 1
    if seen[digest] > 1:
        digest = hashlib.sha256(f"{digest} {seen[digest]}".encode()).hexdigest()[:8]
    metadata = raw.metadata
    return Cell(
        id=digest,
        kind=raw.cell_type,
        text=raw.source,
        tags=tuple(metadata.get("tags", ())),
        covers=tuple(metadata.get("covers", ())),
        exercise=" ".join(metadata.get("exercise", ())),
    )
