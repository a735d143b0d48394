"""Checks whose answer is a query: it is right when it comes to what the reference comes to, at every instant."""

from dataclasses import dataclass
from typing import ClassVar

from monlab.grading import asking
from monlab.grading.check import Check
from monlab.grading.differences import first_difference, line_difference, shape
from monlab.grading.instants import Instants
from monlab.grading.results import Lines, Outcome, Refusal, Result, guarded, same
from monlab.grading.tokens import tokens
from monlab.grading.verdict import Verdict


@dataclass(frozen=True, kw_only=True)
class QueryCheck(Check):
    """A question whose answer is a query, judged by what it comes to."""

    reference: str
    at: Instants
    tolerance: float

    archive: ClassVar[asking.Archive]

    def judge(self, answer: str) -> Verdict:
        wanted = self.archive.kept(self.reference, self.at)
        if isinstance(wanted, Refusal):
            raise ValueError(f"{self.id}: the reference is refused: {wanted.sentence}")
        mine = self.archive.ask(answer, self.at)
        plainly = self.other_type(answer, mine)
        if plainly:
            return self.wrong(plainly)
        wanted = guarded(wanted, mine) if isinstance(wanted, Result) else wanted
        if same(mine, wanted, self.tolerance):
            return self.right(f"Your query gives what was asked, at each of {len(self.at)} instants.")
        mistake = self._mistake(answer, mine)
        if isinstance(mine, Refusal):
            return self.wrong(mine.sentence, mistake=mistake)
        if isinstance(mine, Lines) or isinstance(wanted, Lines):
            return self.wrong(line_difference(mine, wanted), mistake=mistake)
        shapes = {"yours": shape(mine, self.at), "wanted": shape(wanted, self.at)}
        return self.wrong(first_difference(mine, wanted, self.at, self.tolerance), mistake=mistake, **shapes)

    def _mistake(self, answer: str, mine: Outcome) -> str:
        """The message of the rejected answer that comes to the same; empty when there is none."""
        for query, message in self.rejects:
            known = self.archive.kept(query, self.at)
            known = guarded(known, mine) if isinstance(known, Result) else known
            if same(mine, known, self.tolerance) and _same_nothing(answer, query, mine):
                return message
        return ""

    def other_type(self, answer: str, mine: Outcome) -> str:
        """A sentence about an answer that is no instant vector. A range query shows a scalar as a series without labels."""
        if isinstance(mine, Refusal):
            for kind in ("range vector", "string"):
                if f'invalid expression type "{kind}"' in mine.message:
                    return f"Your query is a {kind}. The answer is an instant vector: one number a series at each instant."
        elif isinstance(mine, Result) and mine.labels == ((),) and self.archive.type_of(answer) == "scalar":
            return "Your query is a scalar, a number without series. The answer is an instant vector: leave `scalar(...)` or the bare number out."
        return ""


def _same_nothing(answer: str, query: str, mine: Outcome) -> bool:
    """Whether two answers that come to the same share a mistake: those that come to nothing only when they use the same words."""
    nothing = mine.empty if isinstance(mine, Result) else isinstance(mine, Lines) and not mine.ids
    return not nothing or tokens(answer) == tokens(query)
