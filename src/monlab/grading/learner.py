"""`check`, `hint` and `solution`: what a learner calls in a notebook."""

from dataclasses import replace
from typing import Any

from monlab.grading import registry
from monlab.grading.verdict import CheckFailed, State, Verdict
from monlab.progress.store import Store
from monlab.settings import settings


class Note(str):
    """A text that a notebook shows as Markdown, and a terminal without quotes."""

    def __repr__(self) -> str:
        return str(self)

    def _repr_markdown_(self) -> str:
        return str(self)


def check(id: str, answer: Any = None) -> Verdict:
    """Judges an answer and keeps the attempt on this machine. Raises LabProblem for an id that does not exist.

    With STRICT=1, as in tests of solved notebooks, anything but right and not attempted raises CheckFailed.
    """
    config = settings()
    found = registry.find(id, config)
    verdict = found.verdict(answer)
    if verdict.state in (State.RIGHT, State.WRONG):
        trouble = Store(config.progress_file).attempted(id, verdict.state.value, verdict.mistake, found.kept(answer))
        if trouble:
            verdict = replace(verdict, note=trouble)
    if config.strict and verdict.state not in (State.RIGHT, State.NOT_ATTEMPTED):
        raise CheckFailed(str(verdict))
    return verdict


def hint(id: str) -> Note:
    """One more hint each time. After the last one it says so, and shows that one again."""
    config = settings()
    found, store = registry.find(id, config), Store(config.progress_file)
    if not found.hints:
        return Note(f"{id} has no hints. `solution({id!r})` shows an answer.")
    step = min(store.times_helped(id, "hint"), len(found.hints) - 1)
    store.helped(id, "hint")
    more = (
        f"Call `hint({id!r})` again for more."
        if step + 1 < len(found.hints)
        else f"That was the last one; `solution({id!r})` shows an answer."
    )
    return Note(f"**Hint {step + 1} of {len(found.hints)}.** {found.hints[step]}\n\n{more}")


def solution(id: str, sure: bool = False) -> Note:
    """An answer, when it is asked for a second time or with `sure=True`."""
    config = settings()
    found, store = registry.find(id, config), Store(config.progress_file)
    if not sure and not store.times_helped(id, "asked"):
        store.helped(id, "asked")
        return Note(
            f"This shows an answer to {id}. Sure? Call `solution({id!r})` again to see it, or `hint({id!r})` for one more step."
        )
    store.helped(id, "solution")
    return Note(f"**One answer to {id}.**\n\n{found.solution}")
