"""Asking a Prometheus: queries, targets, rules, alerts, metadata -> pandas frames."""

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd
import requests
from IPython.display import Markdown, display
from prometheus_api_client import PrometheusApiClientException, PrometheusConnect
from urllib3 import Retry

from monlab import web
from monlab.endpoints import service_url
from monlab.problem import LabProblem
from monlab.settings import settings
from monlab.telemetry import frames
from monlab.telemetry.errors import QueryProblem
from monlab.telemetry.pages import Page
from monlab.telemetry.parsing import UNPACKED, parsed

Time = datetime | str | float | None
UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
QUERY_SECONDS = 30
MAX_POINTS = 11_000  # what one range query may return per series


def seconds_of(duration: str | float | timedelta) -> float:
    """`"1h30m"`, 90 or a timedelta in seconds. Raises LabProblem on anything else."""
    if isinstance(duration, timedelta):
        return duration.total_seconds()
    if isinstance(duration, int | float | Real):  # numpy's whole numbers are the latter alone
        return float(duration)
    parts = re.findall(r"(\d+(?:\.\d+)?)(ms|[smhdw])", duration) if isinstance(duration, str) else []
    if not parts or "".join(number + unit for number, unit in parts) != duration.replace(" ", ""):
        raise LabProblem(f"{duration!r} is no duration. Write it as Prometheus does: 30s, 5m, 1h30m, 7d.")
    return sum(float(number) * UNITS[unit] for number, unit in parts)


class Prometheus:
    """A Prometheus of the lab, by its service name. Looked up at each call, so that it may move between calls."""

    def __init__(self, service: str, address: str = "") -> None:
        self.service = service
        self._address = address  # of a server that is not the lab's; empty: the service's own

    @property
    def url(self) -> str:
        return self._address or service_url(settings(), self.service)

    @property
    def _session(self) -> requests.Session:
        return web.session(self.url)

    @property
    def connection(self) -> PrometheusConnect:
        """The prometheus-api-client connection, for what this class does not offer.

        It has a session of its own: it sets up retries there, and ours would then ask a server that is gone for six seconds.
        """
        own = requests.Session()
        own.trust_env = self._session.trust_env
        return PrometheusConnect(url=self.url, session=own, timeout=QUERY_SECONDS, retry=Retry(0))

    def query(self, query: str, time: Time = None) -> pd.DataFrame:
        """An instant query: one row a series, a column for each label, then `value`. `time` in UTC, default now.

        What the server notes about the query (Prometheus 3 says when `rate` meets a gauge) is shown above the result.
        Raises QueryProblem, LabProblem when the server is not up.
        """
        answer = self._ask("query", query, {"query": query, **({} if time is None else {"time": _stamp(time)})})
        return frames.table(answer["resultType"], answer["result"])

    def value(self, query: str, time: Time = None) -> float:
        """The value of a query that has exactly one. Raises LabProblem otherwise."""
        found = self.query(query, time)
        if len(found) != 1:
            raise LabProblem(f"One value was wanted and the query gave {len(found)} series: {query}")
        single = found["value"].iloc[0]
        if isinstance(single, str):
            raise LabProblem(f"One number was wanted and the query gave a text: {query}")
        return float(single)

    def refused(self, query: str) -> Page:
        """What the server says to a query it refuses, as text. Raises LabProblem when it does not refuse."""
        try:
            self.query(query)
        except QueryProblem as problem:
            return Page(problem)
        raise LabProblem(f"Prometheus answered this query: {query}")

    def repeat(self, query: str, times: int) -> Page:
        """Asks the same query many times and throws the answers away, to make traffic that can be seen in metrics."""
        address = f"{self.url}/api/v1/query"
        with self._reached():
            codes = [self._session.get(address, params={"query": query}, timeout=QUERY_SECONDS).status_code for _ in range(times)]
        return Page(", ".join(f"{codes.count(code)} answers with {code}" for code in sorted(set(codes))))

    def query_range(
        self, query: str, last: str | float | timedelta = "5m", step: str | float | None = None, end: Time = None
    ) -> pd.DataFrame:
        """The query at each step of the window that ends at `end` (default now): a row an instant, a column a series.

        The step defaults to about 250 points, and at least a second. Raises QueryProblem, LabProblem.
        """
        window = seconds_of(last)
        finish = self._now() if end is None else float(_stamp(end))
        if not 0 <= window < math.inf:
            raise LabProblem(f"A window of {last!r} is none: it has a beginning and an end, in this order.")
        width = seconds_of(step) if step is not None else max(1.0, round(window / 250))
        if not 0 < width < math.inf:
            raise LabProblem(f"A step of {step!r} leads nowhere. Take one longer than nothing, such as 1m.")
        if window / width > MAX_POINTS:
            raise LabProblem(
                f"{window / width:,.0f} points a series are more than the {MAX_POINTS:,} Prometheus gives. Take a longer step."
            )
        finish = round(finish, 3)  # Prometheus counts in milliseconds
        start = round(finish - window, 3)
        parameters = {"query": query, "start": start, "end": finish, "step": width}
        grid = start + width * np.arange(int(window / width + 1e-9) + 1)
        return frames.wide(self._ask("query_range", query, parameters)["result"], grid)

    def _now(self) -> float:
        """The server's present: its clock decides where the newest sample is, and this machine's may differ."""
        return float(self._answer("query", {"query": "time()"})["data"]["result"][1])

    def plot(
        self,
        *queries: str,
        last: str | float | timedelta = "5m",
        step: str | float | None = None,
        unit: str = "",
        title: str = "",
        labels: list[str] | None = None,
    ) -> None:
        """Draws the queries over the window, one panel a query, with the unit on the axis."""
        from monlab import plots

        found = [self.query_range(query, last, step) for query in queries]
        plots.lines(found, titles=labels or list(queries), unit=unit, title=title)

    def targets(self, **labels: str) -> pd.DataFrame:
        """Scrape targets with `job`, `instance`, health, last error, last scrape and its duration; filtered by labels."""
        with self._reached():
            active = self.connection.get_targets("active")["activeTargets"]
        rows = [
            {
                **target["labels"],
                "health": target["health"],
                "last_error": target["lastError"],
                "last_scrape": pd.Timestamp(target["lastScrape"]).floor("s"),
                "scrape_seconds": target["lastScrapeDuration"],
                "scrape_url": target["scrapeUrl"],
            }
            for target in active
        ]
        columns = ["job", "instance", "health", "last_error", "last_scrape", "scrape_seconds", "scrape_url"]
        return _frame(rows, columns, labels)

    def discovered(self, job: str) -> pd.DataFrame:
        """Each target of a job as it was discovered (`__address__` and other meta labels) beside what relabelling made of it."""
        with self._reached():
            targets = self.connection.get_targets("active", job)["activeTargets"]
        rows = [
            {**target["discoveredLabels"], **{f"→ {key}": value for key, value in target["labels"].items()}} for target in targets
        ]
        return _frame(rows, ["__address__"], {})

    def rules(self, **labels: str) -> pd.DataFrame:
        """Loaded rules: group, name, kind, query, health, last error, seconds of the last evaluation, state of alerts."""
        rows = [
            {
                "group": group["name"],
                "name": rule["name"],
                "type": rule["type"],
                "query": rule["query"],
                "health": rule["health"],
                "last_error": rule.get("lastError", ""),
                "evaluation_seconds": rule["evaluationTime"],
                "state": rule.get("state", ""),
                "file": group["file"].rpartition("/")[2],
            }
            for group in self.get("rules")["groups"]
            for rule in group["rules"]
        ]
        columns = ["group", "name", "type", "query", "health", "last_error", "evaluation_seconds", "state", "file"]
        return _frame(rows, columns, labels)

    def alerts(self, **labels: str) -> pd.DataFrame:
        """Alerts that are pending or firing: labels, state, since when, value."""
        rows = [
            {
                **alert["labels"],
                "state": alert["state"],
                "active_at": pd.Timestamp(alert["activeAt"]).floor("s"),
                "value": float(alert["value"]),
            }
            for alert in self.get("alerts")["alerts"]
        ]
        return _frame(rows, ["alertname", "state", "active_at", "value"], labels)

    def metadata(self, metric: str = "") -> pd.DataFrame:
        """Type, help text and unit of a metric, or of all metrics, as their exporters declare them."""
        with self._reached():
            found = self.connection.get_metric_metadata(metric or None)
        rows = [
            {"metric": entry["metric_name"], "type": entry["type"], "help": entry["help"], "unit": entry["unit"]}
            for entry in found
        ]
        return pd.DataFrame(rows, columns=["metric", "type", "help", "unit"]).sort_values("metric", ignore_index=True)

    def tsdb(self, table: str = "seriesCountByMetricName") -> pd.DataFrame:
        """One of the tables of `/api/v1/status/tsdb`, biggest first: what fills the server's memory."""
        answer = self.get("status/tsdb")
        if table not in answer:
            raise LabProblem(f"status/tsdb has no table {table!r}. It has: {', '.join(answer)}.")
        found = answer[table]
        return pd.DataFrame(found if isinstance(found, list) else [found])

    def config(self) -> str:
        """The configuration the server uses now, as YAML."""
        return str(self.get("status/config")["yaml"])

    def get(self, path: str, **parameters: str) -> Any:
        """The `data` of any `/api/v1/` answer."""
        return self._answer(path, parameters)["data"]

    def _ask(self, path: str, query: str, parameters: dict[str, Any]) -> dict[str, Any]:
        answer = self._answer(path, parameters, query)
        notes = [*answer.get("warnings", []), *answer.get("infos", [])]
        if notes:
            display(_Notes("\n".join(f"> **Prometheus notes:** {note}" for note in notes)))
        data = answer["data"]
        if not isinstance(data, dict) or not isinstance(data.get("result"), list):
            raise self._no_prometheus(f"{data}")
        return data

    @contextmanager
    def _reached(self) -> Iterator[None]:
        """Turns what goes wrong on the way to the server into a sentence."""
        try:
            yield
        except (*web.FAULTS, PrometheusApiClientException) as error:
            ours = "`stack.status()` shows what runs; `stack.up(...)` brings it back."
            remedy = "Is the address right, and the server up?" if self._address else ours
            raise LabProblem(f"{self.service} does not answer at {web.shown(self.url)}. {remedy}") from error

    def _answer(self, path: str, parameters: dict[str, Any], query: str = "") -> dict[str, Any]:
        base = self.url
        headers = UNPACKED if web.is_loopback(base) else {}
        with self._reached():
            answer = (
                self._session.post(f"{base}/api/v1/{path}", data=parameters, headers=headers, timeout=QUERY_SECONDS)
                if query
                else self._session.get(f"{base}/api/v1/{path}", params=parameters, headers=headers, timeout=QUERY_SECONDS)
            )
        try:
            body = parsed(answer)
        except ValueError:
            raise LabProblem(
                f"{self.service} at {web.shown(base)} answered {answer.status_code} without JSON: {answer.text[:200]}"
            ) from None
        if not isinstance(body, dict) or (body.get("status") == "success" and "data" not in body):
            raise self._no_prometheus(answer.text)
        if body.get("status") != "success":
            raise QueryProblem(query or str(parameters.get("query", "")), f"{body.get('error', answer.text[:200])}")
        return dict(body)

    def _no_prometheus(self, said: str) -> LabProblem:
        return LabProblem(
            f"{self.service} at {web.shown(self.url)} answered as Prometheus does not: {said[:200]} Is that the right address?"
        )


class _Notes(Markdown):
    """Can be read in a terminal, too."""

    def __repr__(self) -> str:
        return str(self.data)


def _stamp(time: datetime | str | float) -> float:
    """Seconds since 1970. A text is read as UTC unless it says otherwise."""
    if isinstance(time, int | float):
        return float(time)
    stamp = pd.Timestamp(time)
    return float((stamp.tz_localize("UTC") if stamp.tzinfo is None else stamp).timestamp())


def _frame(rows: list[dict[str, Any]], columns: list[str], labels: dict[str, str]) -> pd.DataFrame:
    """Rows that carry all of `labels`; an empty frame has `columns`, so that code which names them still works."""
    kept = [row for row in rows if all(row.get(key) == value for key, value in labels.items())]
    return pd.DataFrame(kept) if kept else pd.DataFrame(columns=columns)


prom = Prometheus("prometheus")  # the live server of the lab
