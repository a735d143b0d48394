"""Why a panel does not show what was asked, as a sentence that does not tell the right numbers."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from monlab.grading.differences import ratio_hint
from monlab.grading.panel_numbers import Numbers, Situation, from_kept, same
from monlab.grading.results import close

VALUES, UNIT = "values", "unit"
FEW = 5


@dataclass(frozen=True)
class Failure:
    """The first condition that an answer fails. Two answers that fail alike share a mistake, however they are written."""

    kind: str
    panel: str  # the wanted panel's title; empty for the dashboard as a whole
    sentence: str
    detail: str = ""  # what tells two failures of a kind apart
    numbers: tuple[Numbers, ...] = ()  # of VALUES: what the panel shows, situation by situation
    words: tuple[str, ...] = ()  # of VALUES with nothing in them: what its queries are made of

    def like(self, other: "Failure", tolerance: float) -> bool:
        if (self.kind, self.panel, self.detail) != (other.kind, other.panel, other.detail):
            return False
        if len(self.numbers) != len(other.numbers):
            return False
        nothing = self.numbers and not any(one.rows for one in self.numbers)
        if nothing and self.words != other.words:
            return False
        pairs = zip(self.numbers, other.numbers, strict=True)
        return all(one.dimension == two.dimension and same(one, two, tolerance) for one, two in pairs)

    def kept(self) -> dict[str, Any]:
        return {**vars(self), "numbers": [one.kept() for one in self.numbers], "words": list(self.words)}


def failure_from_kept(found: dict[str, Any]) -> Failure:
    more = {"numbers": tuple(from_kept(one) for one in found["numbers"]), "words": tuple(found["words"])}
    return Failure(**{**found, **more})


@dataclass(frozen=True)
class Compared:
    """A panel's numbers against the wanted ones, over all situations."""

    mine: Sequence[Numbers]
    wanted: Sequence[Numbers]
    situations: Sequence[Situation]
    tolerance: float
    title: str
    words: tuple[str, ...] = field(default=())

    def failure(self) -> Failure | None:
        """None when a reader sees the same."""
        pairs = list(zip(self.mine, self.wanted, self.situations, strict=True))
        wrong = [(one, two, at) for one, two, at in pairs if not self._right(one, two)]
        if not wrong:
            return None
        if all(same(one.bare, two.bare, self.tolerance) for one, two, _ in pairs):
            return self._unit(*wrong[0][:2])
        first = next(((one, two, at) for one, two, at in wrong if not same(one, two, self.tolerance)), wrong[0])
        return Failure(
            VALUES, self.title, f"“{self.title}”, {first[2]}: {self._why(*first[:2])}", numbers=tuple(self.mine), words=self.words
        )

    def _right(self, one: Numbers, two: Numbers) -> bool:
        return same(one, two, self.tolerance) and (one.dimension == two.dimension or not two.rows)

    def _unit(self, mine: Numbers, wanted: Numbers) -> Failure:
        """The numbers are right, and what the unit makes of them is not."""
        if mine.dimension == wanted.dimension:
            said = "its numbers are right, and with its unit they read as others, too large or too small."
        elif not mine.dimension:
            said = "its numbers are right, and no unit says what they are."
        else:
            said = f"its numbers are right, and its unit calls them {mine.dimension.rstrip('?')}, which they are not."
        factors = sorted({row.factor for row in mine.rows})
        return Failure(UNIT, self.title, f"“{self.title}”: {said}", detail=f"{mine.dimension} {factors}")

    def _why(self, mine: Numbers, wanted: Numbers) -> str:
        if not mine.rows:
            return "the panel shows nothing." if wanted.rows else "the panel is of another kind."
        if mine.family != wanted.family:
            return f"it shows {mine.family}, and {wanted.family} is asked."
        if len(mine.rows) != len(wanted.rows):
            return f"it shows {len(mine.rows)} series where {len(wanted.rows)} {'is' if len(wanted.rows) == 1 else 'are'} asked."
        if any(len(one.values) != len(two.values) for one, two in zip(mine.rows, wanted.rows, strict=True)):
            return (
                "it shows one moment, and a course over time is asked."
                if len(mine.rows[0].values) == 1
                else "it shows other moments."
            )
        return self._values(mine, wanted)

    def _values(self, mine: Numbers, wanted: Numbers) -> str:
        yours, right = (np.array([row.values for row in one.rows]) for one in (mine, wanted))
        there = ~np.isnan(yours) & ~np.isnan(right)
        if right.size < FEW:  # a factor would tell the right number
            return f"its number is too {'large' if np.nansum(yours - right) > 0 else 'small'}."
        hint = ratio_hint(yours[there], right[there]) if np.array_equal(np.isnan(yours), np.isnan(right)) else ""
        if hint:
            return f"its series are right, and their values are not: {hint}"
        wrong = ~close(yours, right, self.tolerance)
        gaps = np.isnan(yours) != np.isnan(right)
        if gaps.any() and np.array_equal(gaps, wrong):
            more = "has gaps where values are asked" if np.isnan(yours)[gaps].all() else "has values where there should be none"
            return f"a series {more}; all else is right."
        return f"it shows as many series as asked, and {int(wrong.sum())} of {wrong.size} values are not the right ones."
