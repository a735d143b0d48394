"""Rules over the archived month: recorded by asking a throwaway Prometheus that holds it, kept in a second one."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from throwaway_prometheus import prometheus

from monlab import web
from monlab.archive.month import INCIDENTS
from monlab.settings import settings
from monlab.slo import formats
from monlab.slo import rule_files as rules
from monlab.slo.durations import length, words
from monlab.slo.records import SLO
from monlab.stack import month as parts
from monlab.stack import servers

START, END = pd.Timestamp("2026-06-01", tz="UTC"), pd.Timestamp("2026-06-30 23:55", tz="UTC")
# Every five minutes, and every minute around what goes wrong: (start, end, step in seconds)
BEFORE, AFTER = pd.Timedelta("1h"), pd.Timedelta("7h")
STRETCHES = (
    (START, END, 300),
    (pd.Timestamp("2026-06-15 00:01", tz="UTC"), pd.Timestamp("2026-06-15 23:59", tz="UTC"), 60),
    (pd.Timestamp("2026-06-22 00:01", tz="UTC"), pd.Timestamp("2026-06-22 23:59", tz="UTC"), 60),
    *(
        (pd.Timestamp(INCIDENTS[name].began) - BEFORE, pd.Timestamp(INCIDENTS[name].ended) + AFTER, 60)
        for name in ("retry storm", "bad deploy", "disk full", "partition")
    ),
)
GRID = pd.DatetimeIndex(
    np.unique(np.concatenate([pd.date_range(a, b, freq=f"{step}s").as_unit("ns").asi8 for a, b, step in STRETCHES])), tz="UTC"
)


def program(server: str, name: str) -> list[str]:
    return servers.get(server, settings(), lambda line: None).command(name)


@contextmanager
def archive(folder: Path) -> Iterator[str]:
    """The URL of a Prometheus that holds a copy of June."""
    parts.obtain(["metrics"], settings(), lambda line: None)
    folder.mkdir()
    shutil.copytree(parts.place("metrics", settings()) / "data", folder / "data")
    with prometheus(folder) as url:
        yield url


def asked(url: str, query: str, start: pd.Timestamp, end: pd.Timestamp, step: int) -> list[tuple[dict[str, str], pd.Series]]:
    """The series of a range query, by time."""
    answer = web.get(
        f"{url}/api/v1/query_range",
        120,
        params={"query": query, "start": start.timestamp(), "end": end.timestamp(), "step": step},
    )
    assert answer.status_code == 200, answer.text
    return [
        (one["metric"], pd.Series([float(v) for _t, v in one["values"]], index=[t for t, _v in one["values"]], dtype=float))
        for one in answer.json()["data"]["result"]
    ]


def on_grid(url: str, query: str) -> pd.Series:
    """The one series of a query at every instant of the grid; NaN where it has no value."""
    found = pd.Series(np.nan, index=GRID.as_unit("s").asi8.astype(float))
    for start, end, step in STRETCHES:
        for _labels, values in asked(url, query, start, end, step):
            found.loc[values.index] = values
    return found


def counters(url: str, selector: str) -> pd.DataFrame:
    """Raw counters, a row a minute, a column a series."""
    pieces = []
    for start in pd.date_range(START, END, freq="5D"):
        stop = min(start + timedelta(days=5, minutes=-1), END)
        # last_over_time within a minute: the sample itself, and nothing where there is none
        got = asked(url, f"last_over_time({selector}[1m])", start, stop, 60)
        minutes = pd.date_range(start, stop, freq="min")
        frame = {
            ",".join(f"{k}={v}" for k, v in sorted(labels.items()) if k != "__name__"): pd.Series(
                values.to_numpy(), index=pd.to_datetime(values.index, unit="s", utc=True)
            ).reindex(minutes)
            for labels, values in got
        }
        pieces.append(pd.DataFrame(frame, index=minutes))
    return pd.concat(pieces)


def ours(slo: SLO) -> list[dict]:
    return [rule for group in rules.rules(slo)["groups"] for rule in group["rules"]]


def sloths(slo: SLO, folder: Path) -> list[dict]:
    """What Sloth makes of the same objective."""
    spec, out = folder / f"{slo.id}.yaml", folder / f"{slo.id}.rules.yaml"
    spec.write_text(formats.to_sloth([slo]), "utf-8")
    subprocess.run(
        [*program("sloth", "sloth"), "generate", "-i", spec, "-o", out, f"--default-slo-period={words(rules.period(slo))}"],
        check=True,
        capture_output=True,
    )
    return [rule for group in yaml.safe_load(out.read_text("utf-8"))["groups"] for rule in group["rules"]]


def ratios(made: list[dict]) -> dict[str, dict]:
    """Window -> the rule that records the error ratio over it."""
    found = {}
    for rule in made:
        kind, _, window = rule.get("record", "").partition(":ratio_rate")
        if kind in ("slo:errors_per_request", "slo:sli_error"):
            found[words(length(window))] = rule  # Sloth writes 28 days as 4w
    return found


def alerts(made: list[dict]) -> dict[str, str]:
    """Severity -> the alert's query."""
    return {rule["labels"]["severity"]: rule["expr"] for rule in made if "alert" in rule}
