"""What a person watches while services start: one table, drawn again in place, in a terminal and in a notebook."""

import html
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from monlab.stack.engine import State

COLUMNS = ("service", "version", "state", "seconds", "address", "")
PRINT_SECONDS = 20  # where nothing can be redrawn, long work says so this often
Link = Callable[[State], str]


@dataclass(frozen=True)
class StackView:
    """The services of the lab, to be shown: a table in a notebook, text elsewhere."""

    engine: str
    states: tuple[State, ...]
    line: str  # what is going on, or why this engine and these ports
    link: Link  # where a person's browser reaches a service

    def _rows(self) -> list[tuple[str, ...]]:
        return [(s.name, s.version, s.state, f"{s.seconds:.1f}" if s.pid else "", self.link(s), s.detail) for s in self.states]

    def _repr_html_(self) -> str:
        head = "".join(f"<th style='text-align:left'>{column}</th>" for column in COLUMNS)
        body = "".join(
            "<tr>"
            + "".join(
                f"<td style='text-align:left'>{_cell(column, cell)}</td>" for column, cell in zip(COLUMNS, row, strict=True)
            )
            + "</tr>"
            for row in self._rows()
        )
        return f"<p>{html.escape(self.line)}</p><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"

    def __rich__(self) -> Table:
        # Text, not str: rich would read [brackets] in other programs' words as markup.
        table = Table(
            title=Text(self.line) if self.line else None, title_justify="left", title_style="", box=None, pad_edge=False
        )
        for column in COLUMNS:
            table.add_column(column, overflow="fold", no_wrap=column == "service")
        for row in self._rows():
            table.add_row(*map(Text, row))
        return table

    def __repr__(self) -> str:
        console = Console(width=140)
        with console.capture() as capture:
            console.print(self)
        return capture.get().rstrip()


def _cell(column: str, cell: str) -> str:
    safe = html.escape(cell)
    return f"<a href='{safe}' target='_blank'>{safe}</a>" if column == "address" else safe


class Screen:
    """Shows a changing StackView in a terminal, in a notebook, or line by line where neither is there."""

    def __init__(self) -> None:
        self._start = time.monotonic()
        self._shown: Any = None
        self._line = ""
        self._printed = 0.0
        self._notebook = in_notebook()
        self._live: Live | None = None

    def __enter__(self) -> "Screen":
        if not self._notebook and sys.stderr.isatty():
            self._live = Live(console=Console(stderr=True), refresh_per_second=8, transient=True)
            self._live.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        if self._live:
            self._live.stop()

    def say(self, line: str) -> None:
        """One line about long work; where nothing can be redrawn, a line is printed when its subject changes."""
        seconds = time.monotonic() - self._start
        if self._notebook:
            self._display({"text/plain": line, "text/html": f"<p>{html.escape(line)} ({seconds:.0f} s)</p>"})
        elif self._live:
            self._live.update(f"{line} ({seconds:.0f} s)", refresh=True)
        elif _subject(line) != _subject(self._line) or seconds - self._printed > PRINT_SECONDS:
            Console(stderr=True, soft_wrap=True).print(f"{line} ({seconds:.0f} s)", highlight=False, markup=False)
            self._printed = seconds
        self._line = line

    def show(self, look: Callable[[], StackView]) -> None:
        """The table as it is now; in a terminal without redrawing nothing is looked at and nothing shown until the end."""
        if self._notebook:
            view = look()
            self._display({"text/plain": repr(view), "text/html": view._repr_html_()})
        elif self._live:
            self._live.update(look(), refresh=True)

    def clear(self) -> None:
        """Takes the last picture away in a notebook: the final table is the cell's own result."""
        if self._notebook and self._shown:
            self._display({"text/plain": "", "text/html": ""})

    def _display(self, bundle: dict[str, str]) -> None:
        from IPython.display import display

        if self._shown:
            self._shown.update(bundle, raw=True)
        else:
            self._shown = display(bundle, raw=True, display_id=True)


def _subject(line: str) -> str:
    """A line without its numbers: two lines about the same work have the same subject."""
    return "".join(character for character in line if not character.isdigit())


def in_notebook() -> bool:
    """Whether cells of a notebook run here. Where IPython is not loaded they do not, and loading it would take longer than the rest."""
    if "IPython" not in sys.modules:
        return False
    from IPython import get_ipython

    shell = get_ipython()
    return shell is not None and shell.__class__.__name__ == "ZMQInteractiveShell"
