"""The archived month: June 2026 of the shop, always the same bytes. Here is what a notebook may ask of it.

`month.py` is its script, `simulation.py` plays it, `generate.py` puts it together, `store.py` and the loaders bring it into servers.
Making the month needs numpy and no pandas, so what asks is loaded when it is used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from monlab.archive.asking import at, counters, exemplars, plot, query, query_range, value

__all__ = ["at", "counters", "exemplars", "plot", "query", "query_range", "value"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"the archive has no {name!r}; a lesson may use {', '.join(__all__)}")
    return getattr(import_module("monlab.archive.asking"), name)
