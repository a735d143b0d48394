"""Panels' queries, asked: which server a data source means, what came back, what went wrong."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from urllib.parse import quote

import numpy as np

from monlab import endpoints, web
from monlab.dashboards.model import Source
from monlab.dashboards.window import Window
from monlab.problem import LabProblem
from monlab.settings import settings
from monlab.telemetry.errors import QueryProblem
from monlab.telemetry.prometheus import Prometheus

SERVICES = {"prometheus": "prometheus", "loki": "loki", "jaeger": "jaeger", "tempo": "jaeger"}
SECONDS = 30
LINES, TRACES = 100, 20


@dataclass(frozen=True)
class Series:
    labels: Mapping[str, str]
    times: np.ndarray  # seconds since 1970
    values: np.ndarray


@dataclass(frozen=True)
class Answer:
    """What a server said to one query."""

    series: tuple[Series, ...] = ()
    lines: tuple[tuple[float, str, str], ...] = ()  # seconds, level, text
    edges: tuple[tuple[str, str, int], ...] = ()  # caller, called, calls
    rows: tuple[Mapping[str, str], ...] = ()
    notes: tuple[str, ...] = field(default=())

    @property
    def empty(self) -> bool:
        return not (self.series or self.lines or self.edges or self.rows)

    @property
    def hollow(self) -> bool:
        """Whether there are series and not one number in them: 0/0 is NaN."""
        return bool(self.series) and all(np.isnan(one.values).all() for one in self.series)


def kind_of(source: Source) -> str:
    """Prometheus, Loki, Jaeger or Tempo, by type or by a name that says so. Raises LabProblem for any other."""
    plugin = source.type.removeprefix("grafana-") or ""
    if plugin in SERVICES:
        return plugin
    name = source.uid.lower()
    if not plugin and name in ("", "default", "-- mixed --"):
        return "prometheus"
    if not plugin:
        found = next((kind for kind in SERVICES if kind in name), "")
        if found:
            return found
    raise LabProblem(
        f'It asks the data source "{plugin or source.uid}", which the lab does not have. The lab has Prometheus, Loki and Jaeger.'
    )


def kind_for(source: Source, promql: bool) -> tuple[str, str]:
    """The kind, and a sentence where it was guessed: old files give a data source by a name that nobody here has.

    Only Prometheus and Loki have their query under `expr`, so such a panel is asked of Prometheus.
    """
    try:
        return kind_of(source), ""
    except LabProblem:
        if source.type or not promql or "$" in source.uid:
            raise
        return "prometheus", f'No data source is named "{source.uid}" here: Prometheus is asked.'


def server_of(kind: str, archived: bool) -> str:
    return ("archive-" if archived else "") + SERVICES[kind]


def away(source: Source, window: Window) -> str:
    """The server of a source when it does not run here, though the lab runs others; else empty. Prometheus is never meant."""
    try:
        kind = kind_of(source)
    except LabProblem:
        return ""
    there = endpoints.read(settings()).urls
    gone = kind != "prometheus" and there and server_of(kind, window.archived) not in there
    return SERVICES[kind].capitalize() if gone else ""


def ask(kind: str, query: str, window: Window, step_ms: int, instant: bool = False, query_type: str = "") -> Answer:
    """Asks the server of a kind. Raises QueryProblem when it refuses, LabProblem when it is not there."""
    service = server_of(kind, window.archived)
    if not window.archived:
        return _ask(kind, service, query, window, step_ms, instant, query_type)
    url = endpoints.service_url(settings(), service)
    return _ask_once(url, kind, service, query, window, step_ms, instant, query_type)


@lru_cache(maxsize=128)
def _ask_once(_url: str, *question: Any) -> Answer:
    """An answer of the archive, which does not change: a dashboard that is checked again asks only what is new in it."""
    return _ask(*question)


def _ask(kind: str, service: str, query: str, window: Window, step_ms: int, instant: bool, query_type: str) -> Answer:
    if kind == "prometheus":
        return _prometheus(service, query, window, step_ms, instant)
    if kind == "loki":
        return _loki(service, query, window, step_ms, instant)
    return _jaeger(service, query, window, query_type)


def labels_of(label: str, metric: str, window: Window) -> list[str]:
    """Values of a label, of all series or of those of a selector."""
    parameters = {"start": f"{window.start:.3f}", "end": f"{window.end:.3f}"}
    if metric:
        parameters["match[]"] = metric
    server = Prometheus(server_of("prometheus", window.archived))
    return [str(one) for one in _got(server, f"label/{label}/values", metric, **parameters)]


def loki_labels(label: str, stream: str, window: Window) -> list[str]:
    """Names of Loki's labels, or the values of one."""
    path = f"/loki/api/v1/label/{quote(label, safe='')}/values" if label else "/loki/api/v1/labels"
    times = {"start": f"{window.start * 1e9:.0f}", "end": f"{window.end * 1e9:.0f}"}
    found = _get(server_of("loki", window.archived), path, stream, **times, **({"query": stream} if stream else {}))
    return [str(one) for one in found.get("data") or []]


def types_of(window: Window) -> dict[str, str]:
    """Metric -> type as its exporter declares it; empty where the server has no metadata (the archive)."""
    server = Prometheus(server_of("prometheus", window.archived))
    return {name: entries[0]["type"] for name, entries in server.get("metadata").items() if entries}


def tree_of(query: str, window: Window) -> dict[str, Any]:
    """The query as Prometheus' own parser reads it."""
    server = Prometheus(server_of("prometheus", window.archived))
    return dict(_got(server, "parse_query", query, query=query))


def _got(server: Prometheus, path: str, query: str, /, **parameters: str) -> Any:
    try:
        return server.get(path, **parameters)
    except QueryProblem as problem:
        raise QueryProblem(query, problem.message) from None


def _prometheus(service: str, query: str, window: Window, step_ms: int, instant: bool) -> Answer:
    server = Prometheus(service)
    if instant:
        data = _got(server, "query", query, query=query, time=f"{window.end:.3f}")
        if data["resultType"] == "string":
            raise QueryProblem(query, "the answer is a text, and a panel shows numbers")
        if data["resultType"] == "scalar":
            return Answer((_series({"metric": {}, "value": data["result"]}),))
    else:
        step = step_ms / 1000
        start, end = np.floor(window.start / step) * step, np.floor(window.end / step) * step  # on multiples of the step
        data = _got(server, "query_range", query, query=query, start=f"{start:.3f}", end=f"{end:.3f}", step=f"{step:.3f}")
        grid = np.arange(round((end - start) / step) + 1) * step + start
        return Answer(tuple(_on(grid, _series(one)) for one in data["result"]), notes=_said(data["result"]))
    if data["resultType"] == "matrix":
        raise QueryProblem(query, "the answer is a range of samples; a panel wants one number a series, such as rate() of it")
    return Answer(tuple(_series(one) for one in data["result"]), notes=_said(data["result"]))


def _said(found: list[dict[str, Any]]) -> tuple[str, ...]:
    native = any("histogram" in one or "histograms" in one for one in found)
    return ("Native histograms are shown by their count.",) if native else ()


def _series(found: dict[str, Any]) -> Series:
    points = found.get("values") or ([found["value"]] if "value" in found else [])
    if not points and ("histograms" in found or "histogram" in found):
        pairs = found.get("histograms") or [found["histogram"]]
        points = [[time, histogram["count"]] for time, histogram in pairs]
    return Series(found["metric"], np.array([one[0] for one in points], float), np.array([one[1] for one in points], float))


def _on(grid: np.ndarray, series: Series) -> Series:
    """The series with a NaN at each instant of the grid at which it has no value, so that a gap is a gap."""
    values = np.full(len(grid), np.nan)
    step = grid[1] - grid[0] if len(grid) > 1 else 1.0
    places = np.round((series.times - grid[0]) / step).astype(int)
    inside = (places >= 0) & (places < len(grid))
    values[places[inside]] = series.values[inside]
    return Series(series.labels, grid, values)


def _get(service: str, path: str, query: str, /, **parameters: Any) -> Any:
    base = endpoints.service_url(settings(), service)
    try:
        answer = web.get(base + path, SECONDS, params=parameters)
    except web.FAULTS as error:
        raise LabProblem(f"{service} does not answer at {web.shown(base)}. `stack.status()` shows what runs.") from error
    if not answer.ok:
        raise QueryProblem(query, answer.text[:300].strip(), service.removeprefix("archive-").capitalize())
    try:
        return answer.json()
    except ValueError:
        raise LabProblem(f"{service} at {web.shown(base)} answered without JSON: {answer.text[:200]}") from None


def _loki(service: str, query: str, window: Window, step_ms: int, instant: bool) -> Answer:
    start, end = (f"{moment:.9f}".replace(".", "") for moment in (window.start, window.end))
    if instant:
        body = _get(service, "/loki/api/v1/query", query, query=query, time=end, limit=LINES)
    else:
        body = _get(
            service, "/loki/api/v1/query_range", query, query=query, start=start, end=end, limit=LINES, step=f"{step_ms}ms"
        )
    data = body["data"]
    if data["resultType"] != "streams":
        return Answer(tuple(_series(one) for one in data["result"]))
    lines = [
        (int(when) / 1e9, stream["stream"].get("level", ""), text)
        for stream in data["result"]
        for when, text, *_ in stream["values"]
    ]
    return Answer(lines=tuple(sorted(lines, reverse=True)[:LINES]))


def _jaeger(service: str, query: str, window: Window, query_type: str) -> Answer:
    """The service map, or a search by service name (the newest traces)."""
    if query_type in ("dependencyGraph", "serviceMap"):
        found = _get(service, "/api/dependencies", "", endTs=round(window.end * 1000), lookback=round(window.seconds * 1000))
        return Answer(edges=tuple((one["parent"], one["child"], int(one["callCount"])) for one in found["data"] or []))
    wanted = _search(query)
    found = _get(
        service, "/api/traces", query, start=round(window.start * 1e6), end=round(window.end * 1e6), limit=TRACES, **wanted
    )
    rows = [_trace_row(one) for one in found["data"] or [] if one["spans"]]
    return Answer(rows=tuple(sorted(rows, key=lambda row: row["begins"], reverse=True)))  # Jaeger gives them in no order


def _search(query: str) -> dict[str, str]:
    try:
        return {"service": json.loads(query)["service"]}
    except (ValueError, KeyError, TypeError):
        return {"service": query}


def _trace_row(trace: dict[str, Any]) -> dict[str, str]:
    first = min(trace["spans"], key=lambda span: span["startTime"])
    failed = sum(any(tag["key"] == "error" and tag["value"] in (True, "true") for tag in span["tags"]) for span in trace["spans"])
    begun = np.datetime64(int(first["startTime"]), "us").astype("datetime64[s]")
    return {
        "trace": trace["traceID"],
        "begins": str(begun).replace("T", " "),
        "name": first["operationName"],
        "duration": f"{max(span['startTime'] + span['duration'] for span in trace['spans']) / 1e3 - first['startTime'] / 1e3:.1f} ms",
        "spans": str(len(trace["spans"])),
        "errors": str(failed),
    }
