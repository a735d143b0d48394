"""Which ids of course/curriculum.csv a cell or a file covers.

A cell covers an id by naming it in its header, a file by a line under `covers:` in module.yaml; either must contain the
id's evidence.
"""

import csv
from dataclasses import dataclass

from monlab.settings import Settings
from monlab.workbook.modules import modules
from monlab.workbook.source import cells


@dataclass(frozen=True)
class Item:
    """A row of curriculum.csv."""

    id: str
    kind: str
    title: str
    evidence: str  # text that whatever covers the id must contain, upper or lower case

    @property
    def module(self) -> str:
        """m02 for M2-..., cf for the course frame, f1 for the final project's parts."""
        head = self.id.split("-")[0]
        return f"m{int(head[1:]):02}" if head[0] == "M" else head.lower()


@dataclass(frozen=True)
class Coverage:
    covered: dict[str, list[str]]  # id -> where
    gaps: list[Item]  # neither covered nor left out
    left_out: dict[str, str]  # id -> reason
    complaints: list[str]  # an unknown id, or evidence that is not there


def curriculum(settings: Settings) -> list[Item]:
    """All items, in the curriculum's order."""
    with (settings.course / "curriculum.csv").open(encoding="utf-8", newline="") as file:
        return [Item(**row) for row in csv.DictReader(file)]


def coverage(settings: Settings) -> Coverage:
    """What is covered, where, and what is missing, over the whole course."""
    items = {item.id: item for item in curriculum(settings)}
    with (settings.course / "left_out.csv").open(encoding="utf-8", newline="") as file:
        left_out = {row["id"]: row["reason"] for row in csv.DictReader(file)}
    covered: dict[str, list[str]] = {}
    complaints = [f"left_out.csv names {id_!r}, which curriculum.csv does not." for id_ in left_out if id_ not in items]
    for where, ids, text in [*_from_cells(settings), *_from_files(settings)]:
        for id_ in ids:
            if id_ not in items:
                complaints.append(f"{where} covers {id_}, which curriculum.csv does not name.")
            elif items[id_].evidence.lower() not in text.lower():
                complaints.append(f"{where} covers {id_} ({items[id_].title}) without its evidence {items[id_].evidence!r}.")
            else:
                covered.setdefault(id_, []).append(where)
    gaps = [item for item in items.values() if item.id not in covered and item.id not in left_out]
    return Coverage(covered, gaps, left_out, complaints)


def _from_cells(settings: Settings) -> list[tuple[str, tuple[str, ...], str]]:
    return [
        (f"{path.relative_to(settings.repo)}, cell {cell.id}", cell.covers, cell.text)
        for module in modules(settings)
        for path in (module.lesson, module.exercises)
        if path.exists()
        for cell in cells(path)
        if cell.covers
    ]


def _from_files(settings: Settings) -> list[tuple[str, tuple[str, ...], str]]:
    return [
        (path, tuple(ids.split()), (settings.repo / path).read_text("utf-8"))
        for module in modules(settings)
        for path, ids in module.covers.items()
    ]
