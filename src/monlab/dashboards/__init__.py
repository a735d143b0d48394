"""Dashboards without Grafana: `show` draws any classic Grafana JSON by running its queries, `check` says what is wrong with each panel.

Over the live lab by default (`last="30m"`), over the archived month when `start` and `end` are given.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from monlab.dashboards.public import check, names, read, results, show

__all__ = ["check", "names", "read", "results", "show"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"dashboard has no {name!r}; a lesson may use {', '.join(__all__)}")
    return getattr(import_module("monlab.dashboards.public"), name)
