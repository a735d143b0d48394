"""Guesses made before a look, shown beside the result."""

import json
import math
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import EllipsisType
from typing import Any

from monlab.settings import settings

Answer = str | float | bool | list | None


@dataclass(frozen=True)
class Guess:
    """One guess: what the learner expects, or nothing yet."""

    name: str
    value: Answer = None

    def __repr__(self) -> str:
        if self.value is None:
            return f"{self.name}: no guess yet. Put yours in place of the three dots, then run this cell again."
        return f"{self.name}: you guess {_words(self.value)}. Now look."

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
    """Keeps a guess under `name` and returns it; with `...` or nothing, returns the one kept before."""
    kept = _read()
    if value is None or isinstance(value, EllipsisType):
        return Guess(name, kept.get(name, {}).get("value"))
    kept[name] = {"value": value, "at": datetime.now(UTC).isoformat(timespec="seconds")}
    path = _path()
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(kept, indent=1, ensure_ascii=False), "utf-8")
    fresh.replace(path)
    return Guess(name, value)


def _path() -> Path:
    return settings().state / "guesses.json"


def _read() -> dict[str, Any]:
    try:
        return dict(json.loads(_path().read_text("utf-8")))
    except (FileNotFoundError, ValueError):
        return {}


def _words(value: Any) -> str:
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
