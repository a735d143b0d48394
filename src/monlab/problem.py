"""What a learner meets when something goes wrong: a sentence that says what was being done, what happened and what to do next."""

import difflib
import sys
from collections.abc import Iterable
from typing import Any


class LabProblem(Exception):
    """Something about the lab, not about an answer, went wrong.

    Notebooks and the command line show the sentence alone, without a traceback.
    """

    def _render_traceback_(self) -> list[str]:
        """IPython shows these lines in place of a traceback."""
        return [f"LabProblem: {self}"]


class NotUp(LabProblem):
    """A service was never started, or was taken down: waiting does not help."""


class Elsewhere(LabProblem):
    """The cell would change servers that somebody else runs.

    In a notebook it ends the cell without an error: the sentence is shown, and the next cells run.
    """

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
        if shell is not None and Elsewhere not in shell.custom_exceptions:
            shell.set_custom_exc((Elsewhere,), _show_sentence)
            shell.events.register("post_run_cell", _no_error)


def _show_sentence(_shell: Any, _kind: type, elsewhere: Elsewhere, _traceback: Any, tb_offset: int | None = None) -> None:
    from IPython.display import Markdown, display

    display(Markdown(f"> {elsewhere}"))


def _no_error(result: Any) -> None:
    """The cell ended early and not wrongly: the notebook's runner goes on."""
    if isinstance(result.error_in_exec, Elsewhere):
        result.error_in_exec = None


def nearest(word: str, known: Iterable[str], likeness: float = 0.6) -> str:
    """`" Did you mean m02?"` when one of `known` resembles `word`, else an empty string. More `likeness` (0-1) guesses less."""
    found = difflib.get_close_matches(word, list(known), n=1, cutoff=likeness)
    return f" Did you mean {found[0]}?" if found else ""
