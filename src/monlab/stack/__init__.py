"""Starting, stopping and looking at the servers of the lab: compose.yaml -> running services.

What people call lies in `monlab.stack.lab` and is reached from here, so that a notebook says `stack.up("m02")`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from monlab.stack.lab import (
        connect,
        disconnect,
        down,
        has,
        kill,
        logs,
        own,
        pause,
        reload,
        restart,
        status,
        unpause,
        up,
        url,
    )

__all__ = [
    "connect",
    "disconnect",
    "down",
    "has",
    "kill",
    "logs",
    "own",
    "pause",
    "reload",
    "restart",
    "status",
    "unpause",
    "up",
    "url",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:  # a submodule, or a typing error
        raise AttributeError(f"stack has no {name!r}; it has {', '.join(__all__)}")
    return getattr(import_module("monlab.stack.lab"), name)
