"""Starts Grafana from its release archive as the official image starts it: with its home folder, and with secrets from files.

`serve.py HOME [words]`; a variable GF_... that ends in __FILE gives its file's content to the variable without that ending,
which is the image's doing and not Grafana's.
"""

import os
import sys
from pathlib import Path

ENDING = "__FILE"


def with_secrets(environment: dict[str, str]) -> dict[str, str]:
    """The environment with the content of files in place of their paths."""
    found = {}
    for name, value in environment.items():
        if name.startswith("GF_") and name.endswith(ENDING):
            found[name.removesuffix(ENDING)] = Path(value).read_text("utf-8").rstrip("\n")
        else:
            found[name] = value
    return found


if __name__ == "__main__":
    home, *words = sys.argv[1:]
    program = f"{home}/bin/grafana"
    os.execve(program, [program, "server", f"--homepath={home}", *words], with_secrets(dict(os.environ)))
