"""What a lesson must look like. Returns complaints; each names the file and quotes the cell."""

import ast
import re

from monlab.workbook.modules import Module
from monlab.workbook.source import Cell, cells

MAX_CODE_LINES = 25
USUAL_CODE_LINES = 12  # nine code cells of ten stay within it
MAX_COVERS = 4
OPENING = ("You will do", "You will learn", "You need")
CLOSING = ("What to take away", "On your own", "In practice", "Further reading")
HYPE = re.compile(r"\b(simply|obviously|of course|easy|easily|just)\b", re.IGNORECASE)
EMOJI = re.compile("[\U0001f300-\U0001faff\u2600-\u27bf]")
MAGIC = re.compile(r"^\s*[!%]", re.MULTILINE)
ADDRESS = re.compile(r"localhost|127\.0\.0\.1")
NOTEBOOK_API = "monlab"


def lint(module: Module) -> list[str]:
    """Complaints about a module's lesson and exercises; empty when all is well."""
    complaints = []
    for path in (module.lesson, module.exercises):
        if path.exists():
            found = cells(path)
            complaints += [f"{path.name}, {_quote(cell)}: {what}" for cell in found for what in _cell(cell)]
            complaints += [f"{path.name}: {what}" for what in _lengths(found)]
    complaints += [f"lesson.py: {what}" for what in _headings(cells(module.lesson), module)]
    return complaints


def _quote(cell: Cell) -> str:
    return f"cell {cell.id} ({cell.text.splitlines()[0][:60] if cell.text else 'empty'})"


def _cell(cell: Cell) -> list[str]:
    found = []
    if len(cell.covers) > MAX_COVERS:
        found.append(f"covers {len(cell.covers)} ids; {MAX_COVERS} at most.")
    if cell.kind == "markdown":
        for line in cell.text.splitlines():
            if line.startswith("#") and EMOJI.search(line):
                found.append("an emoji in a heading.")
        hype = HYPE.search(cell.text)
        if hype:
            found.append(f"the word {hype[0]!r} tells a reader who is stuck that they are slow.")
        return found
    lines = len(cell.text.splitlines())
    if lines > MAX_CODE_LINES:
        found.append(f"{lines} lines of code; {MAX_CODE_LINES} at most: what a learner need not read lives in the engine.")
    if MAGIC.search(cell.text):
        found.append("a shell command or magic: no runner sees it fail. Use the notebook API.")
        return found
    if ADDRESS.search(cell.text):
        found.append("an address is spelled out: ask the notebook API, ports move.")
    for name in _imported(cell.text):
        if name != NOTEBOOK_API:
            found.append(f"imports {name}: a lesson imports the notebook API only.")
    return found


def _imported(code: str) -> list[str]:
    names = []
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names.append(node.module or "")
    return names


def _lengths(found: list[Cell]) -> list[str]:
    code = [len(cell.text.splitlines()) for cell in found if cell.kind == "code"]
    long = [lines for lines in code if lines > USUAL_CODE_LINES]
    if len(long) * 10 > len(code):
        return [f"{len(long)} of {len(code)} code cells have more than {USUAL_CODE_LINES} lines; one in ten may."]
    return []


def _headings(found: list[Cell], module: Module) -> list[str]:
    if module.id == "m00":
        return []  # the start page is no lesson
    text = "\n".join(cell.text for cell in found if cell.kind == "markdown")
    wanted = [f"**{words}" for words in OPENING] + [f"## {words}" for words in CLOSING]
    wanted += [f"{module.minutes} minutes"] + ([f"{module.memory_mb} MB"] if module.memory_mb else [])
    complaints = [f"lacks {words!r}." for words in wanted if words not in text]
    return complaints + [
        f"lacks {call}(...)." for call in ("stack.up", "stack.down") if call not in "\n".join(c.text for c in found)
    ]
