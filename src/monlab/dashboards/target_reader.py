"""Queries of a panel's JSON -> records, and the data source that each of them means."""

import itertools
import string
from collections.abc import Iterator

from monlab.dashboards.fields import Fields
from monlab.dashboards.model import Source, Target

MIXED = "-- Mixed --"


def source(fields: Fields, key: str = "datasource") -> Source:
    """A data source as an object with type and uid, or as a bare name in files before schemaVersion 33."""
    value = fields.value.get(key)
    if isinstance(value, str):
        return Source(uid=value)
    if isinstance(value, dict):
        inside = fields.inside(key)
        return Source(inside.text("type"), inside.text("uid"))
    return Source()


def targets(panel: Fields) -> tuple[Target, ...]:
    """The queries that are shown. One without a letter gets the next free one, as when Grafana loads the file."""
    every = [(one, one.text("refId")) for one in panel.each("targets")]
    named = {ref for _, ref in every}
    free = (letter for letter in _letters() if letter not in named)
    found = [(one, ref or next(free)) for one, ref in every]
    return tuple(_target(one, panel, ref) for one, ref in found if not one.flag("hide"))


def _letters() -> Iterator[str]:
    """A to Z, then AA, AB, ..."""
    for count in itertools.count(1):
        yield from map("".join, itertools.product(string.ascii_uppercase, repeat=count))


def _target(fields: Fields, panel: Fields, ref: str) -> Target:
    own = source(fields)
    whole = source(panel)
    if whole.uid == MIXED or whole.type == "datasource":
        whole = Source()
    query = fields.value.get("query")
    kind = fields.value.get("format", "time_series")
    factor = fields.value.get("intervalFactor")
    return Target(
        ref=ref,
        expr=fields.text("expr") or (query if isinstance(query, str) else "") or fields.text("service"),
        source=own if own != Source() else whole,
        legend=fields.text("legendFormat"),
        instant=fields.flag("instant") and not fields.flag("range"),
        ranged=fields.flag("range"),
        interval=fields.text("interval"),
        format=kind if isinstance(kind, str) else "time_series",
        query_type=fields.text("queryType"),
        factor=factor if isinstance(factor, int) and 0 < factor < 1000 else 1,
        exemplar=fields.value.get("exemplar") is True,
        promql=isinstance(fields.value.get("expr"), str),
    )


def ways(fields: Fields, drawn: str) -> list[str]:
    """Sentences about queries that are asked in another way than in Grafana."""
    targets = [one for one in fields.each("targets") if not one.flag("hide")]
    found = []
    if any(one.flag("instant") and one.flag("range") for one in targets):
        found.append("Grafana asks both over the range and at its end; drawn is the range.")
    if drawn == "table" and any(one.flag("range") and not one.flag("instant") for one in targets):
        found.append("Grafana lists every sample of the range; drawn is one row a series.")
    return found
