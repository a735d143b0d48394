"""Customers by the hundred: k6 where it is there, else a generator in Python. Both follow one plan and write one summary."""

import contextlib
import json
import math
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import psutil

from monlab import endpoints
from monlab.files import read_json, write_whole
from monlab.problem import LabProblem, nearest
from monlab.settings import Settings, settings
from monlab.stack import helpers, servers

END_SECONDS = 25  # the last customers get so long to be served
FIRST_SECONDS = 0.7  # a plan that the generator refuses is refused by then
HIGHEST_RATE = 500.0


class Load:
    """`load("steady", rate=20, seconds=60)` starts customers and returns at once; `load.wait()`, `load.stop()`, `load.summary()`."""

    def __call__(
        self,
        profile: str = "steady",
        rate: float = 20,
        seconds: float = 120,
        mix: dict[str, float] | None = None,
        generator: str = "",
    ) -> str:
        """Sends customers: `rate` arrivals a second (the profile may multiply it) for `seconds`. Load that runs already is ended.

        profile: steady, rush or spike. mix: action -> weight, of browse, stock, order, slow and decline. generator: k6 or python;
        left out, k6 if it is there. Raises LabProblem for what cannot be done.
        """
        config = settings()
        known = _known(config)
        plan = _plan(known, profile, rate, seconds, mix or known["mix"])
        url = endpoints.service_url(config, "frontend")
        k6 = servers.present("k6", config)
        if generator not in ("", "k6", "python"):
            raise LabProblem(f"There is no generator {generator!r}.{nearest(generator, ('k6', 'python'))}")
        if generator == "k6" and k6 is None:
            raise LabProblem("k6 is not here. `./lab fetch shop` gets it; without `generator=` Python does its work.")
        self.stop()
        chosen = generator or ("k6" if k6 else "python")
        _summary_file(config).unlink(missing_ok=True)
        command = _command(config, k6 if chosen == "k6" else None, json.dumps(plan), url)
        _log_file(config).parent.mkdir(parents=True, exist_ok=True)
        with _log_file(config).open("wb") as log:
            process = helpers.start(config, command, log)
        record = {"pid": process.pid, "started": psutil.Process(process.pid).create_time(), "plan": plan}
        write_whole(_record_file(config), json.dumps(record))
        with contextlib.suppress(subprocess.TimeoutExpired):
            if process.wait(FIRST_SECONDS):
                raise LabProblem(f"The load did not start: {_why()}")
        what = known["profiles"][profile]["what"]
        return f"{chosen} sends {rate:g} customers a second for {seconds:g} s ({profile}: {what})."

    def running(self) -> bool:
        """Whether customers are still coming."""
        return _process(settings()) is not None

    def wait(self) -> pd.DataFrame:
        """Waits for the last customer; returns the summary."""
        config = settings()
        process = _process(config)
        if process:
            record = read_json(_record_file(config))
            planned = sum(stage["seconds"] for stage in record["plan"]["stages"])
            with contextlib.suppress(psutil.TimeoutExpired):
                process.wait(planned + 2 * END_SECONDS)
        return self.summary()

    def stop(self) -> str:
        """No new customers; those in the shop are served. Returns a sentence."""
        config = settings()
        process = _process(config)
        if process is None:
            return "No load was running."
        process.send_signal(signal.SIGINT)
        try:
            process.wait(END_SECONDS)
        except psutil.TimeoutExpired:
            process.kill()
            return "The load did not end in time and was killed; it left no summary."
        return "The load has ended."

    def summary(self) -> pd.DataFrame:
        """What the last load saw itself: one row an action and status with `count`; p50, p95, p99 and longest, in seconds, by action."""
        try:
            found = read_json(_summary_file(settings()))
            rows, dropped = found["rows"], found["dropped"]
        except (ValueError, KeyError, TypeError):  # none, or one that was cut short
            still = "the load still runs; `shop.load.wait()`." if self.running() else _why()
            raise LabProblem(f"There is no summary: {still}") from None
        counts = pd.DataFrame([row for row in rows if "count" in row], columns=["action", "status", "count"])
        times = pd.DataFrame([_times(row) for row in rows if "seconds" in row], columns=["action", *COLUMNS.values()])
        frame = counts.merge(times, on="action", how="left")
        frame.attrs["dropped"] = dropped
        return frame


COLUMNS = {"med": "p50", "p(95)": "p95", "p(99)": "p99", "max": "longest"}
load = Load()


def _times(row: dict[str, Any]) -> dict[str, Any]:
    return {"action": row["action"], **{name: row["seconds"][key] for key, name in COLUMNS.items()}}


def _known(config: Settings) -> dict[str, Any]:
    known: dict[str, Any] = json.loads((config.shop / "load" / "profiles.json").read_text("utf-8"))
    return known


def _plan(known: dict[str, Any], profile: str, rate: float, seconds: float, mix: dict[str, float]) -> dict[str, Any]:
    if str(profile) not in known["profiles"]:
        raise LabProblem(
            f"There is no load {profile!r}.{nearest(str(profile), known['profiles'])} Known: {', '.join(known['profiles'])}."
        )
    if not _number(rate) or not _number(seconds) or not 0 < rate <= HIGHEST_RATE or not 1 <= seconds <= 86400:
        raise LabProblem(f"rate is a number above 0 and up to {HIGHEST_RATE:g}, seconds one from 1 to 86400.")
    for action in mix:
        if action not in known["mix"]:
            raise LabProblem(f"Customers do not {action!r}.{nearest(action, known['mix'])} They: {', '.join(known['mix'])}.")
    if not all(map(_number, mix.values())) or sum(mix.values()) <= 0 or min(mix.values()) < 0:
        raise LabProblem("The weights of a mix are 0 or more, and one at least is more.")
    stages = [{"rate": rate * factor, "seconds": seconds * part} for factor, part in known["profiles"][profile]["stages"]]
    return {"stages": stages, "mix": mix, "products": known["products"]}


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _command(config: Settings, k6: servers.Server | None, plan: str, url: str) -> list[str]:
    summary = str(_summary_file(config))
    if k6 is None:
        return [sys.executable, "-m", "monlab.shop.generator", plan, url, summary]
    values = [word for pair in (f"PLAN={plan}", f"SHOP_URL={url}", f"SUMMARY={summary}") for word in ("--env", pair)]
    return [*k6.command("k6"), "run", "--quiet", "--no-usage-report", *values, str(config.shop / "load" / "shop.js")]


def _record_file(config: Settings) -> Path:
    return config.state / "load.json"


def _log_file(config: Settings) -> Path:
    return config.state / "logs" / "load.log"


def _summary_file(config: Settings) -> Path:
    return config.state / "load-summary.json"


def _process(config: Settings) -> psutil.Process | None:
    """The generator that runs; None when it has ended, also when its number belongs to another process by now."""
    try:
        record = read_json(_record_file(config))
        process = psutil.Process(record["pid"])
        alive = process.create_time() == record["started"] and process.status() != psutil.STATUS_ZOMBIE
        _reap(process)
        return process if alive else None
    except (psutil.NoSuchProcess, TypeError, KeyError, ValueError):
        return None


def _reap(process: psutil.Process) -> None:
    """Takes the exit code of a generator that this very process started, so that no zombie stays."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(process.pid, os.WNOHANG)


def _why() -> str:
    log = _log_file(settings())
    said = log.read_text("utf-8", "replace").strip().splitlines()[-3:] if log.exists() else []
    return "the last load said: " + " ".join(said) if said else "no load has run yet. `shop.load(...)` starts one."
