"""A panel with what its queries answered: what is drawn and judged."""

from dataclasses import dataclass, field

from monlab.dashboards.asking import Answer, Series
from monlab.dashboards.model import Panel, Target
from monlab.dashboards.window import Window


@dataclass(frozen=True)
class Asked:
    """One query as it was asked, and what came of it."""

    target: Target
    query: str = ""
    answer: Answer = field(default_factory=Answer)
    error: str = ""
    away: str = ""  # the server that is not up
    refused: bool = False  # the server refused the query; otherwise it could not be asked
    unknown: frozenset[str] = frozenset()  # names after a $ that no variable has
    note: str = ""  # a sentence about how it was asked


@dataclass(frozen=True)
class Line:
    """A series with the name it is shown under."""

    name: str
    series: Series
    ref: str


@dataclass(frozen=True)
class Shown:
    panel: Panel
    asked: tuple[Asked, ...] = ()
    lines: tuple[Line, ...] = ()  # of all queries; of a panel that is no table they are transformed
    left_out: tuple[str, ...] = ()  # transformations that are not applied here
    window: Window | None = None  # the panel's own, where it overrides the dashboard's
    notes: tuple[str, ...] = ()

    @property
    def error(self) -> str:
        return "\n".join(dict.fromkeys(one.error for one in self.asked if one.error))

    @property
    def away(self) -> str:
        """The server that the panel waits for, where the lab runs others; empty where some query was asked or refused."""
        return self.asked[0].away if self.asked and all(one.away for one in self.asked) else ""

    @property
    def empty(self) -> bool:
        return bool(self.asked) and all(one.answer.empty for one in self.asked)
