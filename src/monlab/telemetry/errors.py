"""A server's refusal of a query, shown with the position in the query."""

import re

from monlab.problem import LabProblem

WIDE = 160  # characters of a line that are shown
POSITION = re.compile(r"(?P<line>\d+):(?P<column>\d+): parse error: ")


class QueryProblem(LabProblem):
    """The server understood the request and refused the query. The sentence shows where, when the server says so."""

    def __init__(self, query: str, message: str, server: str = "Prometheus") -> None:
        super().__init__(f"{server} refused the query: {pointed(query, message)}")
        self.query = query
        self.message = message


def pointed(query: str, message: str) -> str:
    """`message` followed by the line of `query` it speaks of, with a caret under the column (1-based, as servers count)."""
    found = POSITION.search(message)
    if not found:
        return message
    lines = query.splitlines() or [""]
    line = min(int(found["line"]), len(lines))
    column = int(found["column"])
    text, before = _around(lines[line - 1].expandtabs(1), column - 1)
    return f"{message[found.end() :]}\n  {text}\n  {' ' * before}^ line {line}, column {column}"


def _around(text: str, place: int) -> tuple[str, int]:
    """The part of a line round a place in it, and where the place is in that part."""
    if len(text) <= WIDE:
        return text, place
    start = min(max(0, place - WIDE // 2), len(text) - WIDE)
    before, after = "…" if start else "", "…" if start + WIDE < len(text) else ""
    return before + text[start : start + WIDE] + after, place - start + len(before)
