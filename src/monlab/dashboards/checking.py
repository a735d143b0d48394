"""What is wrong with a dashboard's panels: queries that fail, lie or cannot be read at three in the morning."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from monlab.dashboards import asking, dimensions, units
from monlab.dashboards.dimensions import CORES, COUNTERS, MEANT, UNITS, Tree, nodes
from monlab.dashboards.model import Dashboard, Panel
from monlab.dashboards.shown import Asked, Shown
from monlab.dashboards.variables import resembling
from monlab.dashboards.window import Window
from monlab.files import from_yaml
from monlab.problem import LabProblem, nearest
from monlab.settings import settings

WINDOW = re.compile(r"\[\s*(\d+[smhdw](?:\d+[smhdw])*)\s*\]")
ONE_PROCESS = {  # grouped by one of these, a percentile stands alone
    "instance", "instance_id", "pod", "pod_name", "kubernetes_pod_name", "host", "hostname", "node", "container",
}  # fmt: skip
LAST_TWO = re.compile(r"\bi(?:rate|delta)\s*\((?:[^()]|\([^()]*\))*\)")  # of two samples, however far it looks back
# What well-known exporters call a gauge, for servers that keep no metadata.
GAUGES = re.compile(
    r"(up|go_goroutines|go_threads|go_memstats_\w+_bytes|node_load\d+|node_(memory|filesystem)_\w+|"
    r"process_(resident|virtual)_memory_bytes|process_open_fds|container_memory_\w+_bytes|kube_\w+_(status|spec|info)_?\w*)(?<!_total)"
)
NUMBERS = ("timeseries", "stat", "gauge", "bargauge", "barchart")


@dataclass(frozen=True)
class Finding:
    panel: str
    finding: str
    sentence: str


def findings(dashboard: Dashboard, shown: list[Shown], window: Window) -> list[Finding]:
    """All findings, panel by panel. Of the copies of a repeated panel the first one is judged."""
    found = [Finding("", "file", sentence) for sentence in (*dashboard.notes, *dashboard.problems)]
    types = _types(window)
    names = [*window.own(), *window.steps(600)[1], *(variable.name for variable in dashboard.variables)]
    judged: set[int | str] = set()
    for one in shown:
        panel = one.panel
        if panel.type == "row" or (panel.id or panel.title) in judged:
            continue
        judged.add(panel.id or panel.title)
        found += [
            Finding(panel.title or f"panel {panel.id}", name, sentence) for name, sentence in _panel(one, window, types, names)
        ]
    return found


def _panel(shown: Shown, window: Window, types: dict[str, str], names: list[str]) -> Iterator[tuple[str, str]]:
    panel = shown.panel
    if panel.unsupported:
        yield "not supported", panel.unsupported
        return
    yield from (("old" if "old panel type" in note else "not drawn", note) for note in panel.notes)
    if shown.left_out:
        yield "not drawn", f"The transformations {', '.join(shown.left_out)} are not applied here."
    yield from (("note", note) for note in shown.notes)
    if panel.type != "text" and not panel.description.strip():
        yield "no description", "The panel has no description: what does it show, and what to do when it is red?"
    if panel.type != "text" and not shown.asked:
        yield "no query", "The panel has no query."
    if panel.unit and panel.unit not in CORES and not units.is_known(panel.unit):
        near = nearest(panel.unit, units.KNOWN, 0.76)  # of so many ids one always resembles a little
        yield "unknown unit", f"Grafana has no unit {panel.unit!r}, and writes it behind the number as it is.{near}"
    for one in shown.asked:
        if one.error:
            yield (
                "query error",
                one.error if one.error.startswith(f"Query {one.target.ref} ") else f"Query {one.target.ref}: {one.error}",
            )
        elif one.answer.empty:
            yield "empty", f"Query {one.target.ref} is answered, and there is nothing in the answer: {one.query}"
        elif one.answer.hollow and panel.type == "timeseries":
            yield "empty", f"Query {one.target.ref} is answered, and every value is NaN, such as 0/0: {one.query}"
        yield from (
            ("unknown variable", f"Query {one.target.ref} names ${name}, which is no variable.{resembling(name, names)}")
            for name in sorted(one.unknown)
        )
        if not one.error:
            yield from _query(panel, one, window, types)


def _query(panel: Panel, asked: Asked, window: Window, types: dict[str, str]) -> Iterator[tuple[str, str]]:
    yield from _fixed(panel, asked)
    try:
        yield from list(_meaning(panel, asked, window, types))
    except RecursionError:
        yield (
            "query error",
            f"Query {asked.target.ref} is nested too deep to be judged. Break it up, into recording rules for example.",
        )


def _meaning(panel: Panel, asked: Asked, window: Window, types: dict[str, str]) -> Iterator[tuple[str, str]]:
    """What Prometheus' own reading of the query tells."""
    try:
        tree = asking.tree_of(asked.query, window)
    except LabProblem:
        return  # LogQL, or a server without this path
    for judge in (_gauge_rate, _averaged_percentile, _missing_le):
        yield from judge(tree, types)
    if panel.type in NUMBERS:
        yield from _unit(panel, tree)


def _fixed(panel: Panel, asked: Asked) -> Iterator[tuple[str, str]]:
    """A window of its own is right where title or description says it: "last hour", "over 1h"."""
    if asked.target.instant or panel.type not in ("timeseries", "heatmap", "barchart", "stat", "gauge"):
        return
    said = f"{panel.title} {panel.description} {asked.target.legend}".lower()
    for found in dict.fromkeys(WINDOW.findall(LAST_TWO.sub("", asked.target.expr))):
        if found not in said.replace(" ", "") and not any(word in said for word in _spoken(found)):
            yield (
                "hard-coded window",
                f"Query {asked.target.ref} always looks back {found}, however far one zooms. Write [$__rate_interval], or say {found} in the title.",
            )


def _spoken(window: str) -> list[str]:
    """A window as a title may say it: 5m is "5 min", 1h is "hour"."""
    number, unit = window[:-1], {"s": "sec", "m": "min", "h": "hour", "d": "day", "w": "week"}[window[-1]]
    usual = {
        "1h": ["hour"],
        "1m": ["minute"],
        "60m": ["hour"],
        "1d": ["day", "daily"],
        "24h": ["day", "daily"],
        "7d": ["week"],
        "1w": ["week"],
    }
    return [window, f"{number} {unit}", f"{number}-{unit}", *usual.get(window, [])]


def _gauge_rate(tree: Tree, types: dict[str, str]) -> Iterator[tuple[str, str]]:
    for call in _calls(tree, ("rate", "irate", "increase")):
        for inside in nodes(call["args"]):
            name = inside.get("name", "")
            if (
                inside["type"] == "matrixSelector"
                and name
                and types.get(name, "gauge" if GAUGES.fullmatch(name) else "") == "gauge"
            ):
                yield (
                    "rate over a gauge",
                    f"{call['func']['name']} takes {name} for a counter, and it is a gauge: each fall would count as a restart. Use delta or deriv, or draw the gauge.",
                )


def _averaged_percentile(tree: Tree, _types: dict[str, str]) -> Iterator[tuple[str, str]]:
    for one in nodes(tree):
        over = (one["type"] == "aggregation" and one["op"] in ("avg", "sum")) or _is_call(one, ("avg_over_time", "sum_over_time"))
        alone = one["type"] == "aggregation" and one["without"] != bool(ONE_PROCESS & set(one["grouping"]))
        below = nodes(one.get("expr") or one.get("args")) if over and not alone else []
        summary = any(
            m["name"] == "quantile" and m["value"] not in ("0", "1", "0.0", "1.0")  # the smallest and the largest one
            for x in below
            if x["type"].endswith("Selector")
            for m in x.get("matchers", [])
        )
        if summary or any(_is_call(x, ("histogram_quantile",)) for x in below):
            yield (
                "averaged percentile",
                "A percentile is averaged or summed: the result is no percentile of anything. Add up the buckets first, then take histogram_quantile.",
            )


def _missing_le(tree: Tree, _types: dict[str, str]) -> Iterator[tuple[str, str]]:
    for call in _calls(tree, ("histogram_quantile",)):
        for inside in nodes(call["args"][-1]):
            if inside["type"] != "aggregation" or inside["op"] in ("topk", "bottomk", "limitk", "limit_ratio"):
                continue  # those keep all labels
            buckets = any("_bucket" in x.get("name", "") for x in nodes(inside["expr"]))
            if buckets and bool({"le", "vmrange"} & set(inside["grouping"])) == inside["without"]:
                yield (
                    "missing by (le)",
                    "histogram_quantile needs the label le, and the sum has dropped it. Write sum by (le) (...).",
                )
                break


def _unit(panel: Panel, tree: Tree) -> Iterator[tuple[str, str]]:
    kind = dimensions.dimension(tree)
    if kind is None or any("unit" in one.properties for one in panel.overrides):
        return
    allowed, meant = UNITS.get(kind), MEANT.get(panel.unit)
    if allowed and panel.unit not in allowed and not panel.unit.startswith(("suffix:", "time:")):
        unit = f"shows {panel.unit!r}" if panel.unit else "has no unit"
        yield (
            "wrong unit",
            f"The query gives {_words(kind)}, and the panel {unit}. Choose {' or '.join(one for one in allowed if one and units.is_known(one))}.",
        )
    elif not allowed and meant:
        yield "wrong unit", f"The query gives {_words(kind)}, and the panel says {meant} ({panel.unit})."


def _words(kind: str) -> str:
    return {
        "ratio": "a ratio from 0 to 1",
        "percent": "percent from 0 to 100",
        "bytes/s": "bytes a second",
        "seconds/s": "seconds a second, a share of the time",
        "count/s": "events a second",
        "count": "a count",
    }.get(kind, kind)


def _calls(tree: Tree, names: tuple[str, ...]) -> list[Tree]:
    return [one for one in nodes(tree) if _is_call(one, names)]


def _is_call(tree: Tree, names: tuple[str, ...]) -> bool:
    return tree["type"] == "call" and tree["func"]["name"] in names


def _types(window: Window) -> dict[str, str]:
    """Metric -> type: the shop's contract, and what the exporters declare where the server has kept it.

    The archive keeps no metadata. Names of node_exporter and others end in what they are; what does not end like a counter is a gauge there.
    """
    contract = from_yaml((settings().repo / "stack" / "telemetry.yaml").read_text("utf-8"))["metrics"]
    found = {name: str(one["type"]) for name, one in contract.items()}
    try:
        if window.archived:
            names = asking.labels_of("__name__", "", window)
            return {
                name: "gauge" for name in names if not name.endswith(COUNTERS) and not name.startswith("pg_stat_database_")
            } | found
        return asking.types_of(window) | found
    except LabProblem:
        return found
