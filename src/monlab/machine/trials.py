"""What Prometheus and promtool make of broken exporters, asked live: one row an exporter."""

from collections.abc import Hashable

import pandas as pd

from monlab import web
from monlab.machine import broken, programs
from monlab.machine.programs import Program
from monlab.problem import LabProblem, nearest
from monlab.settings import settings
from monlab.stack.tools import promtool
from monlab.telemetry.pages import Page
from monlab.telemetry.prometheus import prom
from monlab.waiting import wait_until

OWN_SERIES = "up|scrape_.*|ALERTS.*"  # what Prometheus adds by itself: to each target, and for an alert about it


class Exhibition:
    """The broken exporters, served by one program: each has a page of its own."""

    def __init__(self, program: Program) -> None:
        self.program = program

    def targets(self) -> str:
        """A target file of Prometheus: one target an exporter."""
        self.program.scraped()
        address = self.program.address
        entries = [
            f"- targets: ['{address}']\n  labels: {{instance: {one.name}, __metrics_path__: /{one.name}/metrics}}\n"
            for one in broken.ALL
        ]
        return "# Broken exporters of module 1\n" + "".join(entries)

    def page(self, name: str) -> Page:
        """The text of one exporter's page, with the headers that came with it."""
        return Page(repr(self.program.get(f"/{_known(name).name}/metrics")))

    def sentence(self, name: str) -> str:
        """What is wrong with an exporter, and its remedy."""
        return _known(name).sentence

    def stop(self) -> str:
        return self.program.stop()

    def __repr__(self) -> str:
        return f"{len(broken.ALL)} broken exporters: {', '.join(one.name for one in broken.ALL)}"


def exhibition() -> Exhibition:
    """Starts the program that shows all broken exporters."""
    return Exhibition(programs.start(settings(), "broken exporters", ["-m", "monlab.machine.broken"]))


def trial(shown: Exhibition) -> pd.DataFrame:
    """One row an exporter: what Prometheus did and said, samples on the page and stored, what promtool said. All read live.

    Raises Elsewhere where Prometheus cannot reach the exporters.
    """
    shown.program.scraped()
    names = [one.name for one in broken.ALL]
    wait_until(lambda: _scraped_twice(names), seconds=30, what="each broken exporter was scraped")
    now = prom.value("time()")
    said = {target["instance"]: target for target in prom.targets().to_dict("records")}
    here = f'instance=~"{"|".join(names)}"'
    seen = _by_instance(f"scrape_samples_scraped{{{here}}}", now)
    stored = _by_instance(f'count by (instance) ({{{here}, __name__!~"{OWN_SERIES}"}})', now)
    return pd.DataFrame(_row(shown, one, said[one.name], seen.get(one.name, 0), stored.get(one.name, 0)) for one in broken.ALL)


def _by_instance(query: str, time: float) -> dict[str, int]:
    found = prom.query(query, time)
    return {} if found.empty else {name: int(value) for name, value in zip(found["instance"], found["value"], strict=True)}


def asked_promtool(text: str) -> str:
    """What `promtool check metrics` says of a page; empty when it is content."""
    return " ".join(promtool("check", "metrics", stdin=text).text.split())


def _row(shown: Exhibition, one: broken.Broken, target: dict[Hashable, object], seen: int, stored: int) -> dict[str, object]:
    down = target["health"] != "up"
    return {
        "exporter": one.name,
        "Prometheus": broken.DOWN if down else broken.LOST if stored < seen else broken.SILENT,
        "it says": str(target["last_error"]) or "nothing",
        "samples read": seen,
        "stored": stored,
        "promtool says": asked_promtool(_text(shown, one)) or "nothing",
    }


def _text(shown: Exhibition, one: broken.Broken) -> str:
    """The page as `curl` would hand it to promtool: whatever came, headers ignored."""
    address = f"http://{shown.program.address}/{one.name}/metrics"
    try:
        with web.get(address, 10, stream=True) as answer:
            return answer.raw.read(decode_content=False).decode("utf-8", "replace")
    except web.FAULTS:
        return one.text()[: -one.missing_bytes]


def _scraped_twice(names: list[str]) -> bool:
    targets = prom.targets()
    mine = targets[targets["instance"].isin(names)] if len(targets) else targets
    if len(mine) < len(names) or (mine["health"] == "unknown").any():
        return False
    seen = prom.query(f'count_over_time(up{{instance=~"{"|".join(names)}"}}[1m])')
    return len(seen) == len(names) and bool((seen["value"] >= 2).all())


def _known(name: str) -> broken.Broken:
    if name not in broken.BY_NAME:
        raise LabProblem(f"There is no broken exporter {name!r}.{nearest(name, broken.BY_NAME)}")
    return broken.BY_NAME[name]
