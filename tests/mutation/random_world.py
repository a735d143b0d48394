"""A Prometheus full of random series that tells whether two queries mean the same: do they agree wherever it was asked?"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import promql_tree
from promql_tree import Node
from random_series import MINUTES_A_DAY, Metric, RandomSeries, contract, examples, kind_of, routes
from throwaway_prometheus import prometheus, send

from monlab import web
from monlab.grading.instants import Instants, Stretch
from monlab.grading.results import TOLERANCE, Result, result, same
from monlab.settings import settings

START_S = 1_781_308_800  # 2026-06-13 00:00 UTC
SEEDS = (11, 12, 13)  # a day each
BEGIN_S, END_S = START_S + 3 * 3600 + 17, START_S + len(SEEDS) * 86_400 - 60
# Instants that fall on many offsets within a minute: the second are asked where the first see no difference.
FEW, MANY = (Instants((Stretch(BEGIN_S, END_S, step),)) for step in (1867, 287))
ASK_SECONDS = 30
SUFFIXES = ("_bucket", "_count", "_sum")


class Refused(Exception):
    """Prometheus refuses a query: it is none, or it fails on these series."""


@dataclass(frozen=True)
class RandomWorld:
    url: str

    def equal(self, one: str, other: str, tolerance: float = TOLERANCE) -> bool:
        """Whether two queries have the same type and the same answers, as far as this world can tell. Raises Refused.

        `other` is the reference, which is asked again and again: its answers are kept.
        """
        if self.type_of(one) != self._kept_type(other):
            return False
        return all(same(self.answer(one, instants), self._kept(other, instants), tolerance) for instants in (FEW, MANY))

    def answer(self, query: str, instants: Instants = FEW) -> Result:
        """What a query gives, by the rules that answers are judged by. Raises Refused.

        Of a range vector it is the sum of each window, which tells one window from another.
        """
        if promql_tree.bare(self.tree(query))["type"] in ("matrixSelector", "subquery"):
            query = f"sum_over_time({query})"
        [stretch] = instants.stretches
        asked = {"query": query, "start": stretch.start, "end": stretch.end, "step": stretch.step}
        return result([self._asked("query_range", asked)["result"]], instants)

    _kept = lru_cache(maxsize=8)(answer)

    def type_of(self, query: str) -> str:
        """scalar, vector, string or matrix. Raises Refused."""
        return self._asked("query", {"query": query, "time": 0})["resultType"]

    _kept_type = lru_cache(maxsize=8)(type_of)

    def tree(self, query: str) -> Node:
        """Its syntax tree. Raises Refused."""
        try:
            return promql_tree.parse(self.url, query)
        except ValueError as error:
            raise Refused(str(error)) from None

    def _asked(self, path: str, parameters: dict[str, Any]) -> dict[str, Any]:
        body = web.post(f"{self.url}/api/v1/{path}", ASK_SECONDS, data=parameters).json()
        if body["status"] != "success":
            raise Refused(body["error"])
        return body["data"]


@contextmanager
def random_world(folder: Path, references: Iterable[str] = ()) -> Iterator[RandomWorld]:
    """A world that holds the contract's metrics and whatever metrics and label values these references name besides."""
    file = settings().repo / "stack" / "telemetry.yaml"
    with prometheus(folder) as url:
        trees = [promql_tree.parse(url, query) for query in references]
        metrics = widened(contract(file), [node for tree in trees for _, node in promql_tree.nodes(tree)])
        for day, seed in enumerate(SEEDS):
            one = RandomSeries(seed, START_S + day * 86_400, routes(file))
            times_ms = (START_S + day * 86_400 + 60 * np.arange(MINUTES_A_DAY)) * 1000
            send(url, list(one.series(metrics)), times_ms)
        yield RandomWorld(url)


def widened(metrics: Sequence[Metric], nodes: Sequence[Node]) -> list[Metric]:
    """The metrics with the label values that selectors ask for, and those that no contract names."""
    found = {metric.name: metric for metric in metrics}
    for node in nodes:
        wanted = {one["name"]: one for one in node.get("matchers", [])}
        name = wanted.get("__name__", {"type": "", "value": ""})
        if name["type"] != "=":
            continue
        base = _base(name["value"], found)
        metric = found.get(base) or Metric(base, "histogram" if base != name["value"] else kind_of(base), _jobs(wanted))
        more = {
            label: values
            for label, one in wanted.items()
            if label not in ("__name__", "job", "instance", "service", "le") and (values := _values(one))
        }
        known = {label: list(metric.labels.get(label, ())) for label in {**metric.labels, **more}}
        labels = {label: list(dict.fromkeys([*values, *more.get(label, ())])) for label, values in known.items()}
        for label in more.keys() - metric.labels.keys():
            labels[label].append("other")
        found[base] = replace(metric, labels=labels)
    return list(found.values())


def _base(name: str, known: dict[str, Metric]) -> str:
    """The histogram a series belongs to, or its own name."""
    for suffix in SUFFIXES:
        base = name.removesuffix(suffix)
        if base != name and (suffix == "_bucket" or known.get(base, Metric("", "", ())).kind == "histogram"):
            return base
    return name


def _jobs(wanted: dict[str, Node]) -> list[str]:
    return _values(wanted["job"]) if "job" in wanted else ["other"]


def _values(matcher: Node) -> list[str]:
    if matcher["type"] in ("=", "!="):
        return [matcher["value"]] if matcher["value"] else []
    return examples(matcher["value"])
