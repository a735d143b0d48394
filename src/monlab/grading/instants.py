"""When a query is judged: windows of the archived month, and the instants in them. All times are UTC."""

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from monlab.archive.month import END, START
from monlab.telemetry.prometheus import seconds_of

MOST = 2000  # instants of one check: a verdict must stay quick


@dataclass(frozen=True)
class Window:
    """A part of the month, both ends included, in seconds since 1970."""

    start: float
    end: float


@dataclass(frozen=True)
class Stretch:
    """Instants at one distance from each other: what one range query asks for."""

    start: float
    end: float
    step: float

    @property
    def count(self) -> int:
        return int((self.end - self.start) / self.step + 1e-9) + 1


@dataclass(frozen=True)
class Instants:
    """Stretches of instants, one after the other; they can be added."""

    stretches: tuple[Stretch, ...]

    def __post_init__(self) -> None:
        if len(self) > MOST:
            raise ValueError(f"{len(self)} instants are more than the {MOST} that a check may use.")

    def __add__(self, other: "Instants") -> "Instants":
        return Instants(self.stretches + other.stretches)

    def __len__(self) -> int:
        return sum(stretch.count for stretch in self.stretches)

    @property
    def times(self) -> np.ndarray:
        """Seconds since 1970, in the order of the stretches."""
        return np.concatenate([one.start + one.step * np.arange(one.count) for one in self.stretches])


month = Window(START.timestamp(), END.timestamp())


def between(start: str, end: str) -> Window:
    """The window from `2026-06-15 09:20` to `2026-06-15 10:30`."""
    return Window(_seconds(start), _seconds(end))


def every(step: str, during: Window) -> Instants:
    """Instants `step` apart from the window's start on. A step that is no part of a day (`7h13m`) sees all hours of it."""
    return Instants((Stretch(during.start, during.end, seconds_of(step)),))


def moment(time: str) -> Instants:
    """One instant."""
    at = _seconds(time)
    return Instants((Stretch(at, at, 60),))


def words(seconds: float) -> str:
    """An instant for a person."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M}"


def _seconds(time: str) -> float:
    return datetime.fromisoformat(time).replace(tzinfo=UTC).timestamp()
