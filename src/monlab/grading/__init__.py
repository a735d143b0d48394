"""How answers are checked. What an author of `checks.py` writes with: kinds of questions, and instants to judge them at.

A kind of question is a file in `kinds/`; every name in its `__all__` can be imported from here. Nothing lists the kinds.
"""

from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from monlab.grading import kinds
from monlab.grading.instants import between, every, moment, month

__all__ = ["between", "every", "moment", "month"]


def __getattr__(name: str) -> Any:
    if not name.startswith("_"):
        files = sorted((found.name for found in iter_modules(kinds.__path__)), key=lambda file: file != name)
        for file in files:  # the one of the same name first
            module = import_module(f"{kinds.__name__}.{file}")
            if name in module.__all__:
                return getattr(module, name)
    raise AttributeError(f"monlab.grading has no {name!r}")
