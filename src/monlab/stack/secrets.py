"""Passwords and tokens of the lab's servers: made once for a clone, each in a file of its own that only this user can open."""

import os
import secrets
from pathlib import Path

from monlab.settings import Settings

BYTES = 24


def file(settings: Settings, name: str) -> Path:
    """The file that holds the secret `name`; it is made, with a random value, when it is not there, or is none."""
    settings.secrets.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = settings.secrets / name
    if not _is_secret(path):
        fresh = settings.secrets / f".{name}.{os.getpid()}"
        with open(fresh, "w", encoding="utf-8", opener=_private) as out:
            out.write(secrets.token_urlsafe(BYTES))
        fresh.replace(path)
    return path


def value(settings: Settings, name: str) -> str:
    """The secret itself."""
    return file(settings, name).read_text("utf-8").strip()


def _is_secret(path: Path) -> bool:
    """Whether a file holds one, also one that a person has chosen. A full disk leaves an empty file."""
    try:
        text = path.read_text("utf-8").strip()
    except (FileNotFoundError, UnicodeDecodeError):
        return False
    return bool(text) and text.isprintable()


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
