"""What a learner has answered and which help they took: one SQLite file in the user's state folder, for all clones.

Nothing in it leaves this machine by itself. A file that is damaged is set aside, and never keeps a check from being judged.
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock

from monlab.problem import LabProblem

WAIT_SECONDS = 5  # for another process that writes
MOST_CHARACTERS = 1_000_000  # of an answer that is kept; 100,000 that are judged may be six times as many in JSON
TABLES = """
CREATE TABLE IF NOT EXISTS attempts (at TEXT, check_id TEXT, state TEXT, mistake TEXT, answer TEXT);
CREATE INDEX IF NOT EXISTS attempts_of ON attempts (check_id);
CREATE TABLE IF NOT EXISTS help (at TEXT, check_id TEXT, kind TEXT);
"""


@dataclass(frozen=True)
class Answered:
    """The newest answer to a check."""

    check_id: str
    at: str  # UTC
    state: str
    answer: Any


class Store:
    """The file. Each method opens it anew, so that several notebooks may use it at once."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def attempted(self, check_id: str, state: str, mistake: str, answer: Any) -> str:
        """Keeps an attempt. Returns a sentence when something about the file needs to be said, else an empty text."""
        return self._write("INSERT INTO attempts VALUES (?, ?, ?, ?, ?)", (_now(), check_id, state, mistake, _packed(answer)))

    def helped(self, check_id: str, kind: str) -> str:
        """Keeps that a hint, or the question before a solution, or a solution was given."""
        return self._write("INSERT INTO help VALUES (?, ?, ?)", (_now(), check_id, kind))

    def times_helped(self, check_id: str, kind: str) -> int:
        """How often; 0 when the file cannot be read."""
        found = self._read("SELECT count(*) FROM help WHERE check_id = ? AND kind = ?", (check_id, kind))
        return int(found[0][0]) if found else 0

    def newest(self) -> list[Answered]:
        """The newest answer of each check; one too long to be kept does not count. Raises LabProblem when the file cannot be read."""
        newest = "SELECT max(rowid) FROM attempts WHERE answer IS NOT NULL GROUP BY check_id"
        try:
            rows = self._run(f"SELECT check_id, at, state, answer FROM attempts WHERE rowid IN ({newest}) ORDER BY check_id", ())
        except (sqlite3.Error, OSError) as error:
            raise LabProblem(f"Your answers in {self.path} cannot be read: {error}. Mend that file, or put it aside.") from error
        return [Answered(check_id, at, state, json.loads(answer)) for check_id, at, state, answer in rows]

    def _write(self, statement: str, values: tuple[Any, ...]) -> str:
        try:
            self._run(statement, values)
            return ""
        except (sqlite3.Error, OSError) as error:
            said = self._set_aside(error)
        try:
            if said:
                self._run(statement, values)
        except (sqlite3.Error, OSError) as error:
            said = f"{said} {error}."
        return said or f"Your progress could not be kept in {self.path}. The verdict holds all the same."

    def _read(self, statement: str, values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        try:
            return self._run(statement, values)
        except (sqlite3.Error, OSError) as error:
            self._set_aside(error)
            return []

    def _run(self, statement: str, values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        with self._open() as connection, connection:
            return list(connection.execute(statement, values))

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(self.path, timeout=WAIT_SECONDS)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(TABLES)
            yield connection

    def _set_aside(self, error: Exception) -> str:
        """Moves a damaged file out of the way; empty when the trouble is another one (a full disk, a lock that is held)."""
        if not _damaged(error):
            return ""
        aside = self.path.with_name(f"{self.path.name}.damaged-{datetime.now(UTC):%Y-%m-%d_%H-%M-%S}")
        try:
            with FileLock(self.path.with_name(f"{self.path.name}.lock"), timeout=WAIT_SECONDS):
                if not self._still_damaged():  # another process was faster
                    return "The file of your progress was damaged, and a fresh one was begun; this answer is in it."
                self.path.replace(aside)
                for ending in ("-wal", "-shm"):
                    self.path.with_name(self.path.name + ending).unlink(missing_ok=True)
        except OSError:  # a lock that is not given is one, too
            return ""
        return f"The file of your progress was damaged. It is now {aside}, and a fresh one was begun; this answer is in it."

    def _still_damaged(self) -> bool:
        try:
            self._run("SELECT at, check_id, state, mistake, answer FROM attempts LIMIT 1", ())
            self._run("SELECT at, check_id, kind FROM help LIMIT 1", ())
        except sqlite3.Error as error:
            return _damaged(error)
        return False


def _damaged(error: Exception) -> bool:
    """Whether the file is no database, or one with other tables, rather than out of reach for the moment."""
    words = str(error)
    return isinstance(error, sqlite3.DatabaseError) and (
        not isinstance(error, sqlite3.OperationalError)
        or any(sign in words for sign in ("no such column", "no column", "columns but"))
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _packed(answer: Any) -> str | None:
    """An answer as JSON, a set as a sorted list; None for what is too long or no JSON."""
    if isinstance(answer, set | frozenset | tuple):
        answer = sorted(answer, key=str)
    try:
        text = json.dumps(answer, default=_number, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return None
    return text if len(text) <= MOST_CHARACTERS else None


def _number(value: Any) -> Any:
    """numpy's numbers, by what they are in Python."""
    if hasattr(value, "item") and getattr(value, "ndim", None) == 0:
        return value.item()
    raise TypeError
