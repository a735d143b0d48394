"""Checks that try an answer with a tool and judge what comes out, rather than the answer's text."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from monlab import endpoints
from monlab.grading import cache
from monlab.grading.check import Check
from monlab.grading.verdict import Verdict
from monlab.grading.yaml_answers import MOST_CHARACTERS, Unreadable, read
from monlab.problem import LabProblem
from monlab.settings import settings
from monlab.stack import compose


@dataclass(frozen=True)
class Tried:
    """What came out. Two answers with the same `outcome` are the same mistake, however they are written."""

    right: bool
    outcome: str
    sentence: str


@dataclass(frozen=True, kw_only=True)
class TriedCheck(Check):
    """A question whose answer is YAML that a server's tool can try."""

    reference: str

    most_characters: ClassVar[int] = MOST_CHARACTERS

    def tried(self, text: str, data: Any) -> Tried:
        """Tries an answer that could be read. May raise LabProblem."""
        raise NotImplementedError

    @property
    def basis(self) -> str:
        """All that an outcome depends on beside the answer, for the cache."""
        raise NotImplementedError

    def judge(self, answer: str) -> Verdict:
        mine = self._tried(answer)
        if mine.right:
            return self.right(mine.sentence)
        kept(f"{self.id} {self.basis} {self.reference}", self._sound)
        for example, message in self.rejects:
            if self._outcome(example) == mine.outcome:
                return self.wrong(mine.sentence, mistake=message)
        return self.wrong(mine.sentence)

    def _sound(self) -> str:
        """Raises LabProblem when not even the reference is right here: then a tool is in trouble, not the answer."""
        found = self._tried(self.reference)
        if not found.right:
            raise LabProblem(
                f"The tool that judges it fails on a right answer, too. `./lab doctor` may say why. It says: {found.sentence}"
            )
        return found.outcome

    def _tried(self, answer: str) -> Tried:
        try:
            data = read(answer)
        except Unreadable as problem:
            return Tried(False, f"unreadable {problem}", str(problem))
        return self.tried(answer, data)

    def _outcome(self, example: str) -> str:
        """What a known mistake comes to, kept: trying all of them takes longer than a learner should wait."""
        return kept(f"{self.id} {self.basis} {example}", lambda: self._tried(example).outcome)


def kept(key: str, ask: Callable[[], str]) -> str:
    """An outcome from the cache; a new version of a tool or of what judges, or another engine's, is asked anew."""
    versions = sorted(compose.read_versions(settings().versions_file).items())
    return str(cache.said(f"{endpoints.read(settings()).engine} {versions} {cache.code()} {key}", ask))
