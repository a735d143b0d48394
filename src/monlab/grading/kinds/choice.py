"""Short texts: one of several options, several of them, or a name. Case, blanks and typographic signs do not count."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from monlab.grading.check import Check, pairs, unfit_text
from monlab.grading.verdict import Verdict

__all__ = ["choice"]

ALIKE = str.maketrans(
    {"‘": "'", "’": "'", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "–": "-", "—": "-", "‑": "-", "−": "-"}
)
MOST_CHOSEN = 100


BETWEEN = re.compile(r"(?<=\w)\s*[-_:,/]+\s*(?=\w)")  # signs between two words
VERSION = re.compile(r"\b(?:version\s+|v)(?=\d)")


def folded(text: str) -> str:
    """A text without what does not count: case, blanks, signs between words, `v` before a version, quotes around it."""
    words = BETWEEN.sub(" ", " ".join(text.translate(ALIKE).casefold().split()).strip("\"'`.! "))
    return VERSION.sub("", words)


@dataclass(frozen=True, kw_only=True)
class ChoiceCheck(Check):
    """A question that a short text answers, or a set of them."""

    options: tuple[str, ...]  # empty: any text
    sets: tuple[frozenset[str], ...]  # right answers, folded; one text each unless several are wanted
    several: bool

    types: ClassVar[tuple[type, ...]] = (str, list, tuple, set, frozenset)
    most_characters: ClassVar[int] = 500

    @property
    def wants(self) -> str:  # type: ignore[override]
        what = "a list of texts" if self.several else "a short text"
        return what + (f"{' out of' if self.several else ', one of'} {', '.join(self.options)}" if self.options else "")

    def unfit(self, answer: Any) -> str:
        found = super().unfit(answer)
        if found or isinstance(answer, str):
            return found
        if len(answer) > MOST_CHOSEN:
            return f"Your answer lists {len(answer):,} texts, more than anybody would choose. It was not looked at."
        if not all(isinstance(one, str) for one in answer):
            return f"The answer is {self.wants}; yours holds something that is no text."
        return next(filter(None, (unfit_text(one, self.most_characters) for one in answer)), "")

    def judge(self, answer: Any) -> Verdict:
        mine = frozenset(folded(one) for one in ([answer] if isinstance(answer, str) else answer))
        if mine in self.sets:
            return self.right("That is it.")
        for example, message in self.rejects:
            if mine == frozenset(folded(one) for one in ([example] if isinstance(example, str) else example)):
                return self.wrong(message, mistake=message)
        known = {folded(option) for option in self.options}
        unknown = sorted(mine - known) if known else []
        if unknown:
            return self.wrong(f"{unknown[0]!r} is none of the options: {', '.join(self.options)}.")
        if self.several:
            return self._counted(mine)
        return self.wrong("One answer is wanted, and yours lists several." if len(mine) > 1 else "That is not it.")

    def _counted(self, mine: frozenset[str]) -> Verdict:
        """How far a set is from the nearest right one; the message of a wrong member comes first."""
        right = max(self.sets, key=lambda one: len(one & mine))
        wrong, missing = mine - right, right - mine
        for example, message in self.rejects:
            if isinstance(example, str) and folded(example) in wrong:
                return self.wrong(message, mistake=message)
        found = ([f"{len(wrong)} of yours {'does' if len(wrong) == 1 else 'do'} not belong"] if wrong else []) + (
            [f"{len(missing)} {'is' if len(missing) == 1 else 'are'} missing"] if missing else []
        )
        return self.wrong(f"Not yet: {' and '.join(found)}.")


def choice(
    id: str,
    *,
    right: str | Collection[str],
    rejects: Mapping[Any, str] | Iterable[tuple[Any, str]],
    accepts: Iterable[Any],
    hints: Iterable[str],
    solution: str = "",
    options: Iterable[str] = (),
) -> ChoiceCheck:
    """A question that a short text answers (`right` is a text), or several texts at once (`right` is a set or list).

    Accepted answers are right, too, so they may be other names for the same. A rejected option has its reason; without
    `options` any text may be answered.
    """
    several = not isinstance(right, str)
    given = [right, *accepts]
    return ChoiceCheck(
        id=id,
        options=tuple(options),
        sets=tuple(
            dict.fromkeys(frozenset(folded(one) for one in ([answer] if isinstance(answer, str) else answer)) for answer in given)
        ),
        several=several,
        accepts=tuple(accepts),
        rejects=pairs(rejects),
        hints=tuple(hints),
        solution=solution or (right if isinstance(right, str) else ", ".join(sorted(right))),
    )
