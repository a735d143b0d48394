"""The command-line tools that come with the servers: promtool and amtool, run in the workspace."""

from monlab.settings import settings
from monlab.stack import engines
from monlab.stack.engine import Said


def promtool(*words: str, stdin: str = "") -> Said:
    """Runs Prometheus' own checker; file names are relative to the workspace. `promtool("check", "rules", "…")`."""
    return engines.current(settings()).tool("prometheus", "promtool", words, stdin)


def amtool(*words: str, stdin: str = "") -> Said:
    """Runs Alertmanager's own checker; file names are relative to the workspace."""
    return engines.current(settings()).tool("alertmanager", "amtool", words, stdin)
