"""The month's exemplars as a file beside its metrics: Prometheus' blocks hold none."""

import gzip
import json
from collections.abc import Sequence
from pathlib import Path

from monlab.archive.records import Exemplar


def write(exemplars: Sequence[Exemplar], path: Path) -> None:
    """One JSON object a line, without the time in gzip's header: the same exemplars make the same file."""
    lines = (
        json.dumps({"labels": dict(one.labels), "time_ms": int(one.time_ms), "value": float(one.value), "trace_id": one.trace_id})
        for one in exemplars
    )
    path.write_bytes(gzip.compress("".join(f"{line}\n" for line in lines).encode(), mtime=0))


def read(path: Path) -> list[Exemplar]:
    """What `write` wrote."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [Exemplar(**json.loads(line)) for line in lines]
