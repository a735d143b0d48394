"""Short texts: one of several options, several of them, or a name. Case, blanks and typographic signs do not count.

Case counts where nothing else tells two options apart (`Bps` and `bps`).
"""

import re
from collections.abc import Collection, Iterable, KeysView, Mapping
from dataclasses import dataclass
from itertools import islice
from numbers import Integral
from typing import Any, ClassVar

from monlab.grading.check import Check, pairs, unfit_text
from monlab.grading.verdict import Verdict

__all__ = ["choice"]

ALIKE = str.maketrans(
    {"‘": "'", "’": "'", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "–": "-", "—": "-", "‑": "-", "−": "-"}
)
MOST_CHOSEN = 100


BRACKET = re.compile(r"\s*([()\[\]{}])\s*")
BETWEEN = re.compile(r"(?<=\w)\s*[-_:,/]+\s*(?=\w)")  # signs between two words
VERSION = re.compile(r"\b(?:version\s+|v)(?=\d)")
ARTICLE = re.compile(r"^(?:the|an?) ")
SEPARATOR = re.compile(r"\s*[,;\s]\s*(?:and\s+)?")  # between the names of a set that is written as one text


def folded(text: str, cased: bool = False) -> str:
    """A text without what does not count: blanks, signs between words, `v` before a version, an article, quotes, mostly case."""
    plain = text.translate(ALIKE)
    closed = BRACKET.sub(r"\1", " ".join((plain if cased else plain.casefold()).split()))
    words = BETWEEN.sub(" ", closed.strip("\"'`*.!,; "))
    return ARTICLE.sub("", VERSION.sub("", words))


def listed(answer: Any) -> Any:
    """Arrays, keys, and columns and indexes of frames as lists, with whole numbers as texts; anything else as it is."""
    if isinstance(answer, KeysView):
        answer = list(islice(answer, MOST_CHOSEN + 1))
    elif getattr(answer, "ndim", 0) == 1 and hasattr(answer, "tolist"):
        answer = getattr(answer, "iloc", answer)[: MOST_CHOSEN + 1].tolist()
    if not isinstance(answer, list | tuple | set | frozenset) or len(answer) > MOST_CHOSEN:
        return answer
    texts = [str(one) if isinstance(one, Integral) and not isinstance(one, bool) else one for one in answer]
    return frozenset(texts) if isinstance(answer, set | frozenset) else texts


@dataclass(frozen=True, kw_only=True)
class ChoiceCheck(Check):
    """A question that a short text answers, or a set of them."""

    options: tuple[str, ...]  # empty: any text
    sets: tuple[frozenset[str], ...]  # right answers, folded; one text each unless several are wanted
    several: bool
    cased: bool  # whether case tells options apart

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

    def verdict(self, answer: Any) -> Verdict:
        return super().verdict(listed(answer))

    def kept(self, answer: Any) -> Any:
        return listed(answer)

    def judge(self, answer: Any) -> Verdict:
        words = {self._folded(one): one for one in self._texts(answer)}
        mine = frozenset(words)
        if mine in self.sets:
            return self.right("That is it.")
        for example, message in self.rejects:
            if mine == frozenset(self._folded(one) for one in self._texts(example)):
                return self.wrong(message, mistake=message)
        known = {self._folded(option) for option in self.options}
        unknown = sorted(mine - known) if known else []
        if unknown:
            return self.wrong(f"{words[unknown[0]].strip()!r} is none of the options: {', '.join(self.options)}.")
        if self.several:
            return self._counted(mine)
        return self.wrong("One answer is wanted, and yours lists several." if len(mine) > 1 else "That is not it.")

    def _folded(self, text: str) -> str:
        return folded(text, self.cased)

    def _texts(self, answer: Any) -> list[str]:
        """The texts in an answer, without empty ones. One text may name several, where no option holds what separates them."""
        if not isinstance(answer, str):
            return [one for one in listed(answer) if one.strip()]
        if self.several and self.options and not any(SEPARATOR.search(option) for option in self.options):
            return SEPARATOR.split(answer.strip("[](){} \n,;"))
        return [answer]

    def _counted(self, mine: frozenset[str]) -> Verdict:
        """How far a set is from the nearest right one; the message of a wrong member comes first."""
        right = max(self.sets, key=lambda one: len(one & mine))
        wrong, missing = mine - right, right - mine
        for example, message in self.rejects:
            if isinstance(example, str) and self._folded(example) in wrong:
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
    several, choices = not isinstance(right, str), tuple(options)
    cased = len({folded(option) for option in choices}) < len(choices)
    if len({folded(option, cased) for option in choices}) < len(choices):
        raise ValueError(f"{id}: two options read the same: {', '.join(choices)}.")
    given = [[answer] if isinstance(answer, str) else listed(answer) for answer in (right, *accepts)]
    return ChoiceCheck(
        id=id,
        options=choices,
        sets=tuple(dict.fromkeys(frozenset(folded(one, cased) for one in answer) for answer in given)),
        several=several,
        cased=cased,
        accepts=tuple(accepts),
        rejects=pairs(rejects),
        hints=tuple(hints),
        solution=solution or (right if isinstance(right, str) else ", ".join(sorted(right))),
    )
