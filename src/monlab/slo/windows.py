"""Alert windows as data: which part of the budget, spent in which time, is worth a page or a ticket. Each set with its source."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction

from monlab.problem import LabProblem
from monlab.slo.budget import factor
from monlab.slo.durations import Length, length, words
from monlab.slo.records import SEVERITIES, share


@dataclass(frozen=True)
class BurnWindow:
    """One row of a multi-window, multi-burn-rate policy."""

    severity: str  # page or ticket
    long: timedelta  # the window that decides
    short: timedelta  # the window that lets the alert stop soon after the burn stops
    budget_share: Fraction  # part of the period's budget that may be spent within `long`, 0-1

    def __post_init__(self) -> None:
        if self.severity not in SEVERITIES:
            raise LabProblem(f"The severity {self.severity!r} is neither page nor ticket. Choose one of the two.")
        for name in ("long", "short"):
            object.__setattr__(self, name, length(getattr(self, name)))
        if self.short >= self.long:
            raise LabProblem(
                f"The short window ({words(self.short)}) is not below the long one ({words(self.long)}). "
                "Swap them, or take a twelfth of the long one."
            )
        object.__setattr__(self, "budget_share", share(self.budget_share, "The part of the budget"))

    def factor(self, period: timedelta) -> float:
        """Burn rate at which `budget_share` is spent in `long`: 2 % in 1 h of 30 days is 14.4."""
        return factor(self.budget_share, self.long, period)


@dataclass(frozen=True)
class Policy:
    """Rows for a period."""

    period: timedelta
    rows: tuple[BurnWindow, ...]
    source: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "period", length(self.period))
        for row in self.rows:
            if row.long > self.period:
                raise LabProblem(
                    f"The window of {words(row.long)} is longer than the period of {words(self.period)}. Shorten it."
                )
        for severity in SEVERITIES:
            mine = [row.long for row in self.rows if row.severity == severity]
            if len(set(mine)) != len(mine):
                raise LabProblem(
                    f"Two {severity} rows decide by the same window: they overlap. Keep the one with the lower factor."
                )

    def of(self, severity: str) -> tuple[BurnWindow, ...]:
        return tuple(row for row in self.rows if row.severity == severity)

    @property
    def lengths(self) -> list[timedelta]:
        """Every window that is asked for, the shortest first."""
        return sorted({span for row in self.rows for span in (row.long, row.short)})


def policy(period: str, rows: Iterable[tuple[str, str, str, str]], source: str) -> Policy:
    """Rows as severity, long window, short window, part of the budget."""
    made = tuple(
        BurnWindow(severity, length(long), length(short), share(part, "The part of the budget"))
        for severity, long, short, part in rows
    )
    return Policy(length(period), made, source)


WORKBOOK_30D = policy(
    "30d",
    (("page", "1h", "5m", "0.02"), ("page", "6h", "30m", "0.05"), ("ticket", "3d", "6h", "0.1")),
    "SRE workbook, Alerting on SLOs, table 5-8",
)
SLOTH_ROWS = (
    ("page", "1h", "5m", "0.02"),
    ("page", "6h", "30m", "0.05"),
    ("ticket", "1d", "2h", "0.1"),
    ("ticket", "3d", "6h", "0.1"),
)
SLOTH_30D = policy("30d", SLOTH_ROWS, "Sloth 0.16, internal/alert/windows/google-30d.yaml")
SLOTH_28D = policy("28d", SLOTH_ROWS, "Sloth 0.16, internal/alert/windows/google-28d.yaml")
SLOTH_7D = policy(
    "7d",
    (
        ("page", "1h", "5m", "0.08"),
        ("page", "6h", "30m", "0.125"),
        ("ticket", "1d", "2h", "0.2"),
        ("ticket", "3d", "6h", "0.42"),
    ),
    "Sloth 0.16, examples/windows/7d.yaml",
)
KNOWN = {one.period: one for one in (SLOTH_30D, SLOTH_28D, SLOTH_7D)}


def for_period(period: Length) -> Policy:
    """The windows of a period: those that are published for it, else Sloth's 30-day ones with their parts of the budget.

    Raises LabProblem for a period shorter than the longest window.
    """
    period = length(period)
    longest = max(row.long for row in SLOTH_30D.rows)
    if period < longest:
        raise LabProblem(
            f"The objective's window of {words(period)} is shorter than the longest alert window, {words(longest)}. Choose a longer "
            "one, as in 30d, or hand in windows of your own: slo.Policy(...)."
        )
    return KNOWN.get(period) or Policy(period, SLOTH_30D.rows, f"the parts of {SLOTH_30D.source}, for {words(period)}")
