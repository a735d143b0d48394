"""What the gate's objectives say today: their error ratios, asked of Prometheus, and a sentence where a measurement wants one."""

from datetime import datetime, timedelta

from monlab.slo import policy
from monlab.slo.records import SLO
from monlab.slo.rule_files import error_ratio, some_events, without_partner
from monlab.telemetry.prometheus import Prometheus

EARLY = 0.01  # of the window: who holds nothing of its first part does not hold the window


def decisions(agreed: policy.Agreement, server: Prometheus, change: str, now: datetime) -> list[policy.Decision]:
    """A decision for each objective of the agreement at a moment; LabProblem where the server does not answer."""
    ratios: dict[str, float | None] = {}
    seen: dict[str, str] = {}
    for slo in agreed.slos:
        ratios[slo.id], seen[slo.id] = _measured(slo, server, now)
    return policy.gate(ratios, agreed, change, now, seen)


def _measured(slo: SLO, server: Prometheus, now: datetime) -> tuple[float | None, str]:
    """The error ratio of the window that ends now, None where there is not one, and what is to be said of it."""
    start, _end = slo.window.bounds(now)
    span = max(now - start, timedelta(minutes=1))
    found = _answers(server, error_ratio(slo, span), now)
    if len(found) > 1:
        return None, f"The query has {len(found)} answers, and an objective is judged by one: sum over all series."
    if not found:
        return None, ""
    said = []
    which, some = some_events(slo, span)
    alone = len(server.query(without_partner(slo, span), now)) if some else 0
    if alone:
        return None, f"{alone} series of `{which}` find none of `total` with the same labels, and do not count: group both alike."
    if some and found[0] in (0, 1) and server.query(some, now).empty:
        said.append(f"No event counted as {which}, since {some} finds no series: mend it, if it should.")
    early = min(span, max(span * EARLY, timedelta(minutes=5)))  # long enough for a few scrapes
    if server.query(error_ratio(slo, early), now - span + early).empty:
        said.append(
            f"Prometheus holds nothing of it from {start:%Y-%m-%d %H:%M}, where the window starts: what came later was judged."
        )
    return found[0], " ".join(said)


def _answers(server: Prometheus, query: str, now: datetime) -> list[float]:
    values = server.query(query, now).get("value")
    return [] if values is None else [float(value) for value in values.dropna()]
