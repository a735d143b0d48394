"""JSON that a stranger wrote: a text, parsed data, or a file of the workspace, after a look at its size, depth and texts.

What comes out is a copy made of JSON's own types only. Nothing outside the workspace is opened.
"""

import json
import math
import re
from pathlib import Path
from typing import Any

from monlab.grading.check import unfit_text
from monlab.grading.yaml_answers import MOST_CHARACTERS, MOST_DEPTH, Unreadable
from monlab.settings import settings

MOST_VALUES = 20_000
MOST_TEXT = 8_000  # characters of one text inside: some patterns take the square of it
MOST_NUMBER = 1e18
PATH = re.compile(r"[^\n{}\[\]<>|\"*?]{1,200}\.json")
MARK = "\ufeff"  # some editors put it before the first letter


def read(answer: Any) -> dict[str, Any]:
    """The JSON object in an answer. Raises Unreadable."""
    data = _parsed(text_of(answer)) if isinstance(answer, str | Path) else answer
    found = _Copy().of(data, 0)
    if not isinstance(found, dict):
        raise Unreadable("Your answer is JSON, and no object: it must begin with `{`.")
    return found


def text_of(answer: str | Path) -> str:
    """The JSON text itself, or that of the file which the answer names. Raises Unreadable."""
    text = str(answer).strip().lstrip(MARK)
    if text[:1] in ("{", "["):
        return text
    if not PATH.fullmatch(text):
        start = " ".join(text[:40].split())
        raise Unreadable(f"Your answer is neither JSON nor the name of a file that ends in .json. It begins with {start!r}.")
    return _file(text)


def _file(name: str) -> str:
    space = settings().workspace.resolve()
    try:
        path = next((one for one in (space / name, space.parent / name) if one.is_file()), space / name).resolve()
        if not path.is_relative_to(space):
            raise Unreadable("Your answer names a file outside the workspace. It was not opened.")
        if path.stat().st_size > 4 * MOST_CHARACTERS:
            raise Unreadable(f"{name} has more than {MOST_CHARACTERS:,} characters. It was not looked at.")
        text = path.read_text("utf-8-sig").strip()
    except FileNotFoundError:
        raise Unreadable(f"There is no file {name} in the workspace. Name it from there, as in files/m03/mine.json.") from None
    except (OSError, ValueError) as error:
        raise Unreadable(f"{name} cannot be read: {error}.") from None
    unfit = unfit_text(text, MOST_CHARACTERS)
    if unfit or not text:
        raise Unreadable(unfit.replace("Your answer", name) or f"{name} is empty.")
    return text


def _parsed(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        line = text.splitlines()[error.lineno - 1].strip()[:80] if error.lineno <= len(text.splitlines()) else ""
        place = f"line {error.lineno}, column {error.colno}" + (f": {line}" if line else "")
        raise Unreadable(f"Your answer is no JSON that can be read: {error.msg}, {place}") from None
    except RecursionError:
        raise Unreadable(f"Your answer is nested more than {MOST_DEPTH} levels deep. It was not looked at.") from None
    except ValueError:
        raise Unreadable("Your answer holds a number with more digits than anybody reads.") from None


def _no_constant(word: str) -> Any:
    raise Unreadable(f"Your answer is no JSON that can be read: {word} is no number there.")


class _Copy:
    """A copy of data in JSON's types, counted as it grows. A list that holds itself ends at the depth allowed."""

    def __init__(self) -> None:
        self.values = 0

    def of(self, value: Any, depth: int) -> Any:
        self.values += 1
        if self.values > MOST_VALUES:
            raise Unreadable(f"Your answer holds more than {MOST_VALUES:,} values. It was not looked at.")
        if depth > MOST_DEPTH:
            raise Unreadable(f"Your answer is nested more than {MOST_DEPTH} levels deep. It was not looked at.")
        if isinstance(value, dict):
            if not all(isinstance(key, str) for key in value):
                raise Unreadable("Your answer has a key that is no text, which JSON does not know.")
            return {str(_text(key)): self.of(one, depth + 1) for key, one in value.items()}
        if isinstance(value, list | tuple):
            return [self.of(one, depth + 1) for one in value]
        if isinstance(value, str):
            return _text(value)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return _number(value)
        if value is None or isinstance(value, bool):
            return value
        raise Unreadable(f"Your answer holds something of Python's type {type(value).__name__}, which JSON does not know.")


def _text(text: str) -> str:
    unfit = unfit_text(text, MOST_TEXT)
    if unfit:
        raise Unreadable(
            unfit.replace("Your answer has", "One text of your answer has").replace("an answer to this question", "such a text")
        )
    return str(text)


def _number(value: float) -> float:
    if abs(value) > MOST_NUMBER or not math.isfinite(value):
        raise Unreadable("Your answer holds a number that is larger than any here, or none at all.")
    return value
