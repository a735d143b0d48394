"""Starting, stopping and looking at the servers of the lab: compose.yaml -> running services."""

from monlab.stack.lab import down, kill, logs, reload, restart, status, up, url

__all__ = ["down", "kill", "logs", "reload", "restart", "status", "up", "url"]
