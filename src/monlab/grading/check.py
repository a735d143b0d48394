"""A question with what is right, what is a known mistake, and help. Kinds of questions are subclasses in `kinds/`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import EllipsisType
from typing import Any, ClassVar

from monlab.grading.verdict import State, Verdict
from monlab.problem import LabProblem

Rejects = (
    Mapping[Any, str] | Iterable[tuple[Any, str]]
)  # answer -> the message it must get; pairs where an answer cannot be a key
CONTROL = {code: None for code in (*range(32), *range(127, 160)) if chr(code) not in "\t\n\r"}


@dataclass(frozen=True, kw_only=True)
class Check:
    """One question. A test holds every check to its examples: all of `accepts` are right, each of `rejects` gets its message."""

    id: str  # m02.q3
    accepts: tuple[Any, ...]  # right answers that differ in form from the reference
    rejects: tuple[tuple[Any, str], ...]
    hints: tuple[str, ...]  # steps, each of which tells a little more
    solution: str  # what `solution()` shows, as Markdown

    wants: ClassVar[str] = "a text"  # completes "The answer is ..."
    types: ClassVar[tuple[type, ...]] = (str,)
    most_characters: ClassVar[int] = 10_000

    def verdict(self, answer: Any) -> Verdict:
        """Judges an answer. Never raises for what an answer holds; trouble of the lab is a state of its own."""
        if blank(answer):
            return Verdict(self.id, State.NOT_ATTEMPTED, f"No answer yet. The answer is {self.wants}.")
        unfit = self.unfit(answer)
        if unfit:
            return self.wrong(unfit)
        try:
            return self.judge(answer)
        except LabProblem as problem:
            return Verdict(self.id, State.LAB_PROBLEM, f"Your answer was not judged. {problem}")

    def judge(self, answer: Any) -> Verdict:
        """The kind's own judgement of an answer that has the right type and size. May raise LabProblem."""
        raise NotImplementedError

    def plain(self, example: Any) -> Any:
        """One of `accepts` or of the rejected answers as a learner would give it."""
        return example

    def kept(self, answer: Any) -> Any:
        """What is remembered of an answer, and can be judged again elsewhere."""
        return answer

    def unfit(self, answer: Any) -> str:
        """Why an answer is not looked at, as a sentence; empty when it is."""
        if isinstance(answer, bool) or not isinstance(answer, self.types):
            return f"The answer is {self.wants}; yours is of Python's type {type(answer).__name__}."
        return unfit_text(answer, self.most_characters) if isinstance(answer, str) else ""

    def right(self, sentence: str) -> Verdict:
        return Verdict(self.id, State.RIGHT, sentence)

    def wrong(self, sentence: str, **more: Any) -> Verdict:
        return Verdict(self.id, State.WRONG, sentence, **more)


def blank(answer: Any) -> bool:
    """Whether a learner has not answered yet: nothing, three dots, or only comments."""
    if answer is None or isinstance(answer, EllipsisType):
        return True
    if isinstance(answer, str):
        lines = (line.strip() for line in answer[:100_000].splitlines())
        return len(answer) < 100_000 and all(not line or line.startswith("#") or line in ("...", "…") for line in lines)
    return isinstance(answer, list | tuple | set | frozenset | dict) and all(
        one is None or (isinstance(one, str) and not one) for one in answer
    )


def unfit_text(text: str, most_characters: int) -> str:
    """Why a text is not looked at: too long, or with characters that no answer has."""
    if len(text) > most_characters:
        return f"Your answer has {len(text):,} characters and an answer to this question at most {most_characters:,}. It was not looked at."
    if text.translate(CONTROL) != text or any(0xD800 <= ord(letter) <= 0xDFFF for letter in text):
        return "Your answer holds characters that cannot be seen, such as NUL. Type it anew, or copy it from another place."
    return ""


def pairs(rejects: Rejects) -> tuple[tuple[Any, str], ...]:
    """Rejected answers with their messages, however an author wrote them."""
    return tuple(rejects.items()) if isinstance(rejects, Mapping) else tuple(rejects)


def fenced(text: str, language: str) -> str:
    """A text as a Markdown code block."""
    return f"```{language}\n{text.strip()}\n```"
