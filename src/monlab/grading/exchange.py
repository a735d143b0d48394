"""A learner's answers as a file, and such a file judged anew, without running a notebook."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from monlab.files import write_whole
from monlab.grading import registry
from monlab.grading.verdict import State, Verdict
from monlab.problem import LabProblem, nearest
from monlab.progress.store import Store
from monlab.settings import Settings

SCHEMA = 1
FILE = "ANSWERS.json"
MOST_UNKNOWN = 20  # ids that are listed
MOST_BYTES = 20_000_000


@dataclass(frozen=True)
class Graded:
    """One line of the outcome. `verdict` is None for an id that this course does not have; `problem` says so."""

    check_id: str
    verdict: Verdict | None
    problem: str = ""


def export(path: Path, settings: Settings) -> int:
    """Writes the newest answer of each check; returns how many. Nothing in the file tells whose or which machine's it is.

    Raises LabProblem rather than overwrite a file that is no export.
    """
    if path.exists():
        try:
            read(path)
        except LabProblem:
            raise LabProblem(f"{path} is there already and was not written by `./lab export`. Name another file.") from None
    answers = {one.check_id: {"at": one.at, "answer": one.answer} for one in Store(settings.progress_file).newest()}
    body = {
        "schema": SCHEMA,
        "course": version("monlab"),
        "exported": datetime.now(UTC).isoformat(timespec="seconds"),
        "answers": answers,
    }
    text = json.dumps(body, indent=1, ensure_ascii=False).encode("utf-8", "backslashreplace")  # half a character becomes \ud800
    write_whole(path, text.decode() + "\n")
    return len(answers)


def read(path: Path) -> dict[str, Any]:
    """Check id -> answer. Raises LabProblem that says what is wrong with the file."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise LabProblem(
                f"{path} has {path.stat().st_size / 1e6:,.0f} MB; answers of a whole course have far less than {MOST_BYTES / 1e6:.0f}."
            )
        body = json.loads(path.read_text("utf-8-sig"))  # some editors put a mark before the first letter
    except OSError as error:
        raise LabProblem(f"{path} cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError):
        raise LabProblem(f"{path} holds no JSON that can be read. `./lab export` writes such a file.") from None
    if not isinstance(body, dict) or "answers" not in body or "schema" not in body:
        raise LabProblem(f"{path} is JSON, and no file of answers. `./lab export` writes such a file.")
    if body["schema"] != SCHEMA:
        raise LabProblem(
            f"{path} has schema {str(body['schema'])[:20]}, and this course reads schema {SCHEMA}. Export it with this version."
        )
    answers = body["answers"]
    if not isinstance(answers, dict) or not all(isinstance(one, dict) and "answer" in one for one in answers.values()):
        raise LabProblem(f"{path} has no list of answers as `./lab export` writes it.")
    return {str(id): one["answer"] for id, one in answers.items()}


def grade(path: Path, settings: Settings) -> list[Graded]:
    """Judges every answer of a file, in the course's order; answers to unknown checks come last. Nothing is kept."""
    answers = read(path)
    known = registry.everything(settings)
    graded = [Graded(id, check.verdict(answers[id])) for id, check in known.items() if id in answers]
    strange = [id for id in answers if id not in known]
    unknown = [
        Graded(id, None, f"This course has no check {id[:60]!r}.{nearest(id[:60], known)}") for id in strange[:MOST_UNKNOWN]
    ]
    if len(strange) > MOST_UNKNOWN:
        unknown.append(
            Graded("...", None, f"{len(strange) - MOST_UNKNOWN:,} more answers are to checks that this course does not have.")
        )
    return graded + unknown


def summary(graded: list[Graded]) -> str:
    """`7 right, 2 wrong, 1 unknown`."""
    states = [one.verdict.state.value if one.verdict else "unknown" for one in graded]
    order = [*(state.value for state in State), "unknown"]
    return (
        ", ".join(f"{states.count(state)} {state}" for state in order if state in states) + "."
        if states
        else "The file holds no answers."
    )
