"""Guesses made before a look, shown beside the result."""

import json
import math
import numbers
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import EllipsisType
from typing import Any

from monlab.files import read_json, write_whole
from monlab.problem import LabProblem, nearest
from monlab.settings import settings

Answer = str | float | bool | list | None
ASKED = re.compile(r"""\bguess\(["']([^"'\n]+)["']""")  # in a lesson, to make a guess or to look at it


@dataclass(frozen=True)
class Guess:
    """One guess: what the learner expects, or nothing yet."""

    name: str
    value: Answer = None
    note: str = ""  # what is odd about its name

    def __repr__(self) -> str:
        if self.value is None:
            said = "no guess yet. Put yours in place of the three dots, then run this cell again."
        else:
            said = f"you guess {_words(self.value)}. Now look."
        return f"{self.name}: {said}{self.note}"

    def beside(self, result: Any, unit: str = "") -> "Line":
        """A line with the guess beside the result, and how far apart they are where both are numbers."""
        what = "answer" if isinstance(result, str) else "measured"
        measured = f"{what}: {_words(result)} {unit}".rstrip()
        if self.value is None:
            line = f"{measured} (no guess was made)"
        else:
            line = f"you guessed {_words(self.value)} · {measured}{_distance(self.value, result)}"
        return Line(line)


class Line(str):
    """A text that a notebook shows without quotes."""

    def __repr__(self) -> str:
        return str(self)


def guess(name: str, value: Answer | EllipsisType = None) -> Guess:
    """Keeps a guess under `name` and returns it; with `...` or nothing, returns the one kept before.

    A name that no lesson asks for is kept and told. Raises LabProblem for what is no number, text, truth or list of these, and where
    the state folder is of no use.
    """
    kept = _read()
    if value is None or isinstance(value, EllipsisType):
        return Guess(name, kept.get(name, {}).get("value"), _note(name))
    plain = _plain(value)
    kept[name] = {"value": plain, "at": datetime.now(UTC).isoformat(timespec="seconds")}
    write_whole(_path(), json.dumps(kept, indent=1, ensure_ascii=False))
    return Guess(name, plain, _note(name))


def _note(name: str) -> str:
    """A sentence about a name that no lesson asks for; read anew each time, so that a lesson may be edited meanwhile."""
    texts = (path.read_text("utf-8") for path in sorted(settings().course.glob("*/lesson.py")))
    known = {found for text in texts for found in ASKED.findall(text)}
    if not known or name in known:
        return ""
    own = [one for one in known if one.partition(".")[0] == name.partition(".")[0]]
    return f" No lesson asks for {name!r}.{nearest(name, sorted(own or known))}"


def _plain(value: Any) -> Answer:
    """What a file can hold. A list of one is that one."""
    if isinstance(value, str | bool):
        return value
    if isinstance(value, numbers.Real):
        return int(value) if isinstance(value, numbers.Integral) else float(value)
    if isinstance(value, list | tuple | set | frozenset) and value:
        several = [_plain(one) for one in (sorted(value, key=str) if isinstance(value, set | frozenset) else value)]
        return several[0] if len(several) == 1 else several
    raise LabProblem(
        f"A guess is a number, a text, or a list of these; this is of another kind ({type(value).__name__}). "
        'Write what you expect to see, as in 5 or "5 minutes".'
    )


def _path() -> Path:
    return settings().state / "guesses.json"


def _read() -> dict[str, dict[str, Any]]:
    """What was guessed, by name. What was edited or cut short counts as no guess: it is asked for again."""
    try:
        found = read_json(_path())
    except ValueError:
        return {}
    return {name: one for name, one in found.items() if isinstance(one, dict)} if isinstance(found, dict) else {}


def _words(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(_words(one) for one in value)
    number = _number(value)
    if number is None:
        return str(value)
    return f"{number:,.0f}" if number == int(number) and abs(number) < 1e15 else f"{number:,.4g}"


def _number(value: Any) -> float | None:
    if isinstance(value, bool | str) or value is None:
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _distance(guessed: Any, result: Any) -> str:
    mine, real = _number(guessed), _number(result)
    if mine is None or real is None:
        return "" if guessed != result else " · right"
    if mine == real:
        return " · right"
    if mine == 0 or real == 0 or (mine < 0) != (real < 0):
        return ""
    factor = max(mine / real, real / mine)
    return f" · a factor of {factor:.3g} apart"
