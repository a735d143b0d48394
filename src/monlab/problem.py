"""The one exception a learner meets: a sentence that says what was being done, what happened and what to do next."""

import difflib
from collections.abc import Iterable


class LabProblem(Exception):
    """Something about the lab, not about an answer, went wrong.

    Notebooks and the command line show the sentence alone, without a traceback.
    """

    def _render_traceback_(self) -> list[str]:
        """IPython shows these lines in place of a traceback."""
        return [f"LabProblem: {self}"]


def nearest(word: str, known: Iterable[str]) -> str:
    """`" Did you mean m02?"` when one of `known` resembles `word`, else an empty string."""
    found = difflib.get_close_matches(word, list(known), n=1, cutoff=0.4)
    return f" Did you mean {found[0]}?" if found else ""
