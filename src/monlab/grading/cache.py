"""Answers that never change, kept in the user's cache: what reference queries and known mistakes come to.

Keys name everything an answer depends on, the archive's contents included. A file that cannot be read is asked for again.
"""

import hashlib
import io
import json
import os
import zipfile
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from monlab.grading.results import Lines, Outcome, Refusal, Result
from monlab.settings import settings

MOST_FILES = 20_000  # about 2 KB each


def outcome(key: str, ask: Callable[[], Outcome]) -> Outcome:
    """The kept outcome of a query, or what `ask` gives, kept for the next time."""
    return _outcome(_file(key, "npz"), ask)


def said(key: str, ask: Callable[[], Any]) -> Any:
    """The same for what JSON can hold."""
    path = _file(key, "json")
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        found = ask()
        _keep(path, json.dumps(found).encode())
        return found


def folder() -> Path:
    return settings().cache / "answers"


def digest(value: Any) -> str:
    """A short fingerprint of what JSON can hold."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


@lru_cache(maxsize=1)
def code() -> str:
    """A fingerprint of what judges answers: an outcome in its words is another one when they change."""
    here = Path(__file__).parent
    return hashlib.sha256(b"".join(path.read_bytes() for path in sorted(here.rglob("*.py")))).hexdigest()[:16]


def _file(key: str, ending: str) -> Path:
    return folder() / f"{hashlib.sha256(key.encode('utf-8', 'backslashreplace')).hexdigest()[:32]}.{ending}"


_memory: dict[Path, Outcome] = {}


def _outcome(path: Path, ask: Callable[[], Outcome]) -> Outcome:
    if path not in _memory:
        found = _load(path)
        if found is None:
            found = ask()
            _keep(path, _packed(found))
        if len(_memory) > 500:
            _memory.clear()
        _memory[path] = found
    return _memory[path]


def _load(path: Path) -> Outcome | None:
    try:
        with np.load(path, allow_pickle=False) as kept:
            head = json.loads(str(kept["head"]))
            if "message" in head:
                return Refusal(head["message"], head["sentence"])
            if "lines" in head:
                return Lines(tuple(head["lines"]))
            labels = tuple(tuple((name, value) for name, value in one) for one in head["labels"])
            return Result(labels, kept["values"], kept["present"])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None


def _packed(found: Outcome) -> bytes:
    out = io.BytesIO()
    if isinstance(found, Refusal):
        np.savez_compressed(out, head=np.array(json.dumps({"message": found.message, "sentence": found.sentence})))
    elif isinstance(found, Lines):
        np.savez_compressed(out, head=np.array(json.dumps({"lines": found.ids})))
    else:
        head = np.array(json.dumps({"labels": found.labels}))
        np.savez_compressed(out, head=head, values=found.values, present=found.present)
    return out.getvalue()


def _keep(path: Path, content: bytes) -> None:
    """Written whole or not at all. A full disk costs time only, so it is no problem of the learner's."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _make_room(path.parent)
        fresh = path.with_name(f"{path.name}.{os.getpid()}")
        fresh.write_bytes(content)
        fresh.replace(path)
    except OSError:
        return


@lru_cache(maxsize=1)
def _make_room(kept: Path) -> None:
    """Once a process: an archive that was made anew leaves answers that nobody asks for again."""
    files = sorted(kept.iterdir(), key=lambda path: path.stat().st_mtime)
    for path in files[: max(0, len(files) - MOST_FILES)]:
        path.unlink(missing_ok=True)
