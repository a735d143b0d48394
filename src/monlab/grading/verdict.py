"""What came out of checking an answer: a value that a notebook, a terminal and a test can read. It never holds the right answer."""

from dataclasses import dataclass
from enum import Enum
from html import escape

from monlab.grading.shape import Shape


class State(Enum):
    """The four things that can be said of an answer."""

    RIGHT = "right"
    WRONG = "wrong"
    NOT_ATTEMPTED = "not attempted"
    LAB_PROBLEM = "lab problem"


COLOURS = {
    State.RIGHT: "--jp-success-color1, #388e3c",
    State.WRONG: "--jp-error-color1, #d32f2f",
    State.NOT_ATTEMPTED: "--jp-border-color1, #9e9e9e",
    State.LAB_PROBLEM: "--jp-warn-color1, #f57c00",
}


class CheckFailed(Exception):
    """A check that had to be right (`STRICT=1`) was not."""


@dataclass(frozen=True)
class Verdict:
    """A state and a sentence about it."""

    check_id: str
    state: State
    sentence: str
    mistake: str = ""  # the message of a mistake that was recognised; empty when none was
    yours: Shape | None = None  # what the answer gave ...
    wanted: Shape | None = None  # ... and what a right one looks like from outside, values left out
    note: str = ""  # something about the lab that the learner should know, whatever the state

    @property
    def message(self) -> str:
        """What is told. A learner's own words may be in it, so nothing that would steer a terminal."""
        return "".join(letter for letter in self.mistake or self.sentence if letter.isprintable() or letter in "\n\t")

    def __str__(self) -> str:
        lines = [f"{self.check_id}: {self.state.value}. {self.message}"]
        if self.yours and self.wanted:
            lines += [f"  yours:  {self.yours}", f"  wanted: {self.wanted.outline}"]
        if self.note:
            lines.append(f"  {self.note}")
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        body = f"<b>{escape(self.check_id)}: {self.state.value}.</b> <span style='white-space: pre-wrap'>{escape(self.message)}</span>"
        if self.yours and self.wanted:
            rows = (("yours", str(self.yours)), ("wanted", self.wanted.outline))
            cells = "".join(
                f"<tr><td>{name}</td><td style='text-align:left'><code>{escape(text)}</code></td></tr>" for name, text in rows
            )
            body += f"<table>{cells}</table>"
        if self.note:
            body += f"<div><i>{escape(self.note)}</i></div>"
        return f"<div style='border-left: 4px solid var({COLOURS[self.state]}); padding: 2px 0 2px 10px'>{body}</div>"
