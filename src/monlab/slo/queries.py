"""Queries as people write them: a counter's selector, or PromQL with a window left open. Their text is looked at, never run."""

import re
from typing import Any

from monlab.problem import LabProblem
from monlab.slo.numbers import shown

TEXTS = r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'|`[^`]*`'  # in a query
METRIC = "[a-zA-Z_:][a-zA-Z0-9_:]*"
MATCHER = rf"(?:[a-zA-Z_][a-zA-Z0-9_]*|{TEXTS})\s*(?:=~|!~|!=|=)\s*(?:{TEXTS})"
MATCHERS = rf"{MATCHER}(?:\s*,\s*{MATCHER})*(?:\s*,)?"
# A metric's name in quotes, as UTF-8 wants it, stands first among the matchers.
SELECTOR = rf"{METRIC}\s*(?:\{{\s*(?:{MATCHERS})?\s*\}})?|\{{\s*(?:{MATCHERS}|(?:{TEXTS})(?:\s*,\s*{MATCHERS})?)\s*\}}"
WINDOW = "{{.window}}"  # where a query's window goes, as Sloth writes it
SUMS = "(?:sum|avg|min|max|count)"
ONE_SERIES, AS_SCRAPED = "one series", "series with labels of their own"
SCRAPED = rf"(?:rate|increase|irate)\s*\(\s*{METRIC}\s*\{{[^{{}}]*\w\s*=(?!~)[^{{}}]*\}}\s*\[{re.escape(WINDOW)}\]\s*\)"


def texts(value: Any, what: str) -> str:
    """A text; nothing is an empty one. Raises LabProblem for a number, a list: YAML reads 5 and [a] as these."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise LabProblem(f"{what} is {shown(value)}, which is no text. Write a text, in quotes if it looks like something else.")
    return value


def bare(text: str) -> str:
    """A query without the texts in it."""
    return re.sub(TEXTS, "", text)


def _without_comments(text: str) -> str:
    """A comment would take with it what the rules put behind the query."""
    return re.sub(rf"({TEXTS})|#[^\n]*", lambda found: found[1] or "", text)


def grouping(text: str) -> str | None:
    """What the series of a query are told apart by, as in `series by x, y`, or `one series`; None where its text does not tell for sure."""
    if WINDOW not in text:
        return ONE_SERIES  # a counter's selector becomes one sum
    left = bare(text).strip(" \n()") + ")"
    if re.search(r"\b(on|ignoring|group_left|group_right|label_replace|label_join|count_values|topk|bottomk)\b", left):
        return None
    found = re.match(rf"{SUMS}\s+(by|without)\s*\(([^()]*)\)", left) or re.search(r"\)\s*(by|without)\s*\(([^()]*)\)$", left)
    if found:
        return f"series {found[1]} {', '.join(sorted(part.strip() for part in found[2].split(',')))}"
    if re.fullmatch(SCRAPED, left):
        return AS_SCRAPED
    return ONE_SERIES if re.match(rf"{SUMS}\s*\(", left) and not re.search(r"\b(by|without)\b", left) else None


def partners(one: str | None, other: str | None) -> bool:
    """Whether series of two queries may find each other by their labels, as far as what `grouping` says of each tells."""
    found = {one, other}
    return None in found or len(found) == 1 or (AS_SCRAPED in found and ONE_SERIES not in found)


def query(text: str, what: str) -> str:
    """A counter's selector, or a whole query with a window. Raises LabProblem for what Prometheus could not read with a window in it."""
    text = re.sub(r"\{\{\s*\.window\s*\}\}", WINDOW, _without_comments(texts(text, f"`{what}`"))).strip()
    if not text or WINDOW in text:
        return text
    if re.search(r"\[[^\]]*\]", bare(text)):
        raise LabProblem(f"`{what}` has a window of its own, {shown(text)}. The rules need many: write [{WINDOW}] in its place.")
    if not re.fullmatch(SELECTOR, text):
        raise LabProblem(
            f'`{what}` is {shown(text)}, which is no counter. Write its name and matchers, as in requests_total{{code="500"}}, '
            f"or a whole query with [{WINDOW}] in it."
        )
    return text
