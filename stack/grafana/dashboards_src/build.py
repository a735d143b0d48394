"""Writes the dashboards' JSON: python stack/grafana/dashboards_src/build.py"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from boards import ALL
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from parts import with_runbooks

INTO = Path(__file__).parents[1] / "dashboards"


def built() -> dict[str, str]:
    """File name -> JSON text, of every dashboard."""
    return {
        f"{name}.json": JSONEncoder(sort_keys=True, indent=2).encode(with_runbooks(make().build())) + "\n"
        for name, make in ALL.items()
    }


if __name__ == "__main__":
    INTO.mkdir(exist_ok=True)
    for name, text in built().items():
        (INTO / name).write_text(text, "utf-8")
