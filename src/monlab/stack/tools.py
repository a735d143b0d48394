"""The command-line tools that come with the servers: promtool and amtool, run in the workspace."""

import shlex
import subprocess
from dataclasses import dataclass

from monlab.settings import settings
from monlab.stack import servers

SECONDS = 60


@dataclass(frozen=True)
class Said:
    """What a tool printed, and whether it was content."""

    command: str
    ok: bool
    text: str

    def __repr__(self) -> str:
        return f"$ {self.command}\n{self.text.rstrip()}\n[{'ok' if self.ok else 'refused'}]"


def promtool(*words: str, stdin: str = "") -> Said:
    """Runs Prometheus' own checker; file names are relative to the workspace. `promtool("check", "rules", "…")`."""
    return _run("prometheus", "promtool", words, stdin)


def amtool(*words: str, stdin: str = "") -> Said:
    """Runs Alertmanager's own checker; file names are relative to the workspace."""
    return _run("alertmanager", "amtool", words, stdin)


def _run(server: str, tool: str, words: tuple[str, ...], stdin: str) -> Said:
    config = settings()
    binary = servers.get(server, config, lambda line: None).binary(tool)
    done = subprocess.run(
        [binary, *words], cwd=config.workspace, input=stdin, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    return Said(shlex.join([tool, *words]), done.returncode == 0, (done.stdout + done.stderr).replace(f"{config.workspace}/", ""))
