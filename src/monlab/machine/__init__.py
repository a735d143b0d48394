"""This machine, for a notebook: what its tools and its metrics say of it, and load to look for.

Names load when they are first used: the process that burns lies in this package and must stay small.
"""

from importlib import import_module
from typing import Any

# name -> module, and the name inside it
_HOMES = {
    "burn": ("burner", "burn"),
    "stop": ("burner", "stop"),
    "mystery": ("hidden", "mystery"),
    "reveal": ("hidden", "reveal"),
    "run": ("programs", "run"),
    "exhibition": ("trials", "exhibition"),
    "trial": ("trials", "trial"),
    "script": ("programs", "script"),
    "red": ("checklists", "red"),
    "use": ("checklists", "use"),
    "answers": ("checklists", "answers"),
    "watched": ("sidebyside", "watched"),
    "scraped": ("sidebyside", "scraped"),
    "compare": ("sidebyside", "compare"),
    "ranked": ("processes", "ranked"),
    "groups": ("cgroups", "questions"),
    "group": ("cgroups", "sentence"),
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"machine has no {name!r}; it has {', '.join(_HOMES)}")
    module, inside = _HOMES[name]
    return getattr(import_module(f"monlab.machine.{module}"), inside)
