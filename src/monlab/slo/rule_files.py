"""An objective -> recording and alerting rules for Prometheus.

What differs from Sloth's rules, and why:
- A bad-event series that does not exist yet counts as 0 (`or 0 * total`): Sloth's ratio has no value until the first error, so its
  windows are empty when an outage gives birth to the series.
- The period's ratio counts events. Sloth averages the 5-minute ratios, in which a quiet night weighs as much as a busy noon.
- Limits are exact: 0.001, where Sloth's arithmetic gives 0.0009999999999999432.
- An objective without a budget (1) or without a limit (0) gets records, no burn-rate alert, and a comment that says why.
- A factor that no outage can reach gets no row: an alert that cannot fire is no alert. Sloth writes it all the same.
"""

from datetime import timedelta
from fractions import Fraction
from typing import Any

import yaml

from monlab.problem import LabProblem
from monlab.slo.durations import Length, length, words
from monlab.slo.numbers import shown
from monlab.slo.queries import WINDOW
from monlab.slo.records import SLO, Calendar, Events, Latency
from monlab.slo.windows import BurnWindow, Policy, for_period

RECORD = "slo:errors_per_request:ratio_rate"  # and the window
NOW = timedelta(minutes=5)  # how fast it burns at the moment, for dashboards


def events(slo: SLO) -> tuple[str, str]:
    """The queries of bad and of all events a second, with `[{{.window}}]` in them; a bad series that is missing counts as 0."""
    if isinstance(slo.sli, Latency) and slo.sli.native:
        total = f"histogram_count({_native(slo.sli)})"
        return f"{total} * {_slow(slo.sli)}", total
    if isinstance(slo.sli, Latency):
        total = _rate(f"{slo.sli.histogram}_count{{{slo.sli.labels}}}")
        return f"{total} - ({_rate(_bucket(slo.sli))} or 0 * {total})", total
    total = _rate(slo.sli.total)
    if slo.sli.good:
        return f"{total} - ({_rate(slo.sli.good)} or 0 * {total})", total
    return f"{_rate(slo.sli.bad)} or 0 * {total}", total


def some_events(slo: SLO, span: timedelta) -> tuple[str, str]:
    """Which events count as none where no series of them is there, `bad` or `good`, and their query; both empty when none do."""
    if isinstance(slo.sli, Events):
        which, query = ("good", slo.sli.good) if slo.sli.good else ("bad", slo.sli.bad)
    elif slo.sli.native:
        return "", ""
    else:
        which, query = "good", _bucket(slo.sli)
    return which, _rate(query).replace(WINDOW, words(span))


def without_partner(slo: SLO, span: timedelta) -> str:
    """The query of those series of `some_events` to which no series of all events has the same labels; empty where none could be."""
    some = some_events(slo, span)[1]
    return f"({some}) unless ({events(slo)[1].replace(WINDOW, words(span))})" if some else ""


def _bucket(sli: Latency) -> str:
    return f'{sli.histogram}_bucket{{le="{sli.le}"{f", {sli.labels}" if sli.labels else ""}}}'


def _rate(query: str) -> str:
    """A counter's selector becomes the sum of its rates; a query with a window in it stays as it is."""
    return f"({query})" if WINDOW in query else f"sum(rate({query}[{WINDOW}]))"


def _native(sli: Latency) -> str:
    """A native histogram is one series, without _bucket, _count and le: all its buckets add up at once."""
    return f"sum(rate({sli.histogram}{{{sli.labels}}}[{WINDOW}]))"


def _slow(sli: Latency) -> str:
    return f"(1 - histogram_fraction(0, {sli.threshold_seconds:.12g}, {_native(sli)}))"


def error_ratio(slo: SLO, span: timedelta) -> str:
    """The query of the error ratio over a window."""
    if isinstance(slo.sli, Latency) and slo.sli.native:
        return _slow(slo.sli)[1:-1].replace(WINDOW, words(span))
    bad, total = events(slo)
    return f"({bad}) / {total}".replace(WINDOW, words(span))


def period(slo: SLO) -> timedelta:
    """The length that alerts are computed for: of a calendar's part its usual one, as the SRE book counts it."""
    if isinstance(slo.window, Calendar):
        return timedelta(days={"week": 7, "month": 30, "quarter": 90, "year": 365}[slo.window.unit])
    return slo.window.length


def number(value: Fraction) -> str:
    return f"{float(value):.15g}"


def rules(slo: SLO, policy: Policy | None = None) -> dict[str, Any]:
    """A rule file's content: a group of records and a group of alerts. `rule_file` writes it as YAML.

    Raises LabProblem when the policy is for another period.
    """
    span = period(slo)
    chosen = policy or for_period(span)
    if chosen.period != span:
        raise LabProblem(
            f"The SLO {slo.id} counts {words(span)} and the alert windows are for {words(chosen.period)}. "
            "Factors follow from the period: choose windows of the same one."
        )
    groups = [{"name": f"slo-records-{slo.id}", "rules": [*_ratios(slo, chosen, span), *_about(slo, span)]}]
    alerts = _alerts(slo, chosen)
    if alerts:
        groups.append({"name": f"slo-alerts-{slo.id}", "rules": alerts})
    return {"groups": groups}


def rule_file(*slos: SLO, policy: Policy | None = None) -> str:
    """The rules of one or more objectives as a file for Prometheus; comments on top name those that get no alert, and why.

    Raises LabProblem for an objective that comes twice.
    """
    for one in slos:
        if not isinstance(one, SLO):
            raise LabProblem(f"{shown(one)} is no objective. Make one with slo.SLO(...), or slo.from_mapping({{...}}).")
    twice = [one.id for at, one in enumerate(slos) if one.id in {other.id for other in slos[:at]}]
    if twice or not slos:
        raise LabProblem(
            f"The objective {twice[0]} comes twice: its series would be recorded twice. Give each a name of its own."
            if twice
            else "There is no objective to write rules for. Name at least one."
        )
    groups = [group for one in slos for group in rules(one, policy)["groups"]]
    silent = "".join(f"# {_why_silent(one)}\n" for one in slos if not _alerts(one, policy or for_period(period(one))))
    return silent + str(yaml.safe_dump({"groups": groups}, sort_keys=False, width=1000))


def _why_silent(slo: SLO) -> str:
    """Why no alert on burn rates is written for it. Names hold no line's end, so this is one line."""
    if not slo.severities:
        return f"No alerts for {slo.service} {slo.name}: its severities name none."
    if not slo.budget:
        why = "1 leaves no budget, so there is nothing to burn. Alert on failures themselves, or choose an objective below 1."
    elif not slo.objective:
        why = "0 allows everything to fail."
    else:
        why = f"{number(slo.objective)} allows so much that no outage burns fast enough for any window."
    return f"No alerts for {slo.service} {slo.name}: an objective of {why}"


def error_ratio_query(slo: SLO, window: Length) -> str:
    """The query of the error ratio over a window, as in `error_ratio_query(orders, "1h")`."""
    return error_ratio(slo, length(window))


def selector(slo: SLO) -> str:
    service, name = (text.replace("\\", "\\\\").replace('"', '\\"') for text in (slo.service, slo.name))
    return f'{{slo_service="{service}", slo="{name}"}}'


def _labels(slo: SLO) -> dict[str, str]:
    return {"slo_service": slo.service, "slo": slo.name, **slo.labels}


def _ratios(slo: SLO, policy: Policy, span: timedelta) -> list[dict[str, Any]]:
    return [
        {
            "record": RECORD + words(one),
            "expr": error_ratio(slo, one),
            "labels": {**_labels(slo), "slo_window": words(one)},
        }
        for one in sorted({NOW, *policy.lengths, span})
    ]


def _about(slo: SLO, span: timedelta) -> list[dict[str, Any]]:
    """Objective, budget and what is left of it, for dashboards."""
    records = [("slo:objective:ratio", f"vector({number(slo.objective)})"), ("slo:budget:ratio", f"vector({number(slo.budget)})")]
    if slo.budget:
        own = selector(slo)
        left = f"1 - max without (slo_window) ({RECORD}{words(span)}{own}) / {number(slo.budget)}"
        burn = f"max without (slo_window) ({RECORD}{words(NOW)}{own}) / {number(slo.budget)}"
        records += [("slo:budget_left:ratio", left), (f"slo:burn_rate:ratio_rate{words(NOW)}", burn)]
    return [{"record": name, "expr": query, "labels": _labels(slo)} for name, query in records]


def _alerts(slo: SLO, policy: Policy) -> list[dict[str, Any]]:
    found = []
    for severity in slo.severities:
        rows = [row for row in policy.of(severity) if slo.objective and row.factor(policy.period) * slo.budget < 1 and slo.budget]
        if rows:
            found.append(_alert(slo, policy, severity, rows))
    return found


def _alert(slo: SLO, policy: Policy, severity: str, rows: list[BurnWindow]) -> dict[str, Any]:
    about = _literal(f"{slo.service} {slo.name}")
    return {
        "alert": slo.alert or "".join(part.capitalize() for part in slo.id.replace("_", "-").split("-")) + "BudgetBurn",
        "expr": "\nor\n".join(_row(slo, policy, row) for row in rows),
        "labels": {"severity": severity, **{name: _literal(text) for name, text in _labels(slo).items()}},
        "annotations": {
            "summary": f"{about} spends its error budget too fast",
            "description": f"{about} fails {{{{ $value | humanizePercentage }}}} of its events; {number(slo.budget * 100)} % are allowed.",
        },
    }


def _literal(text: str) -> str:
    """Prometheus fills in an alert's labels and annotations as templates: this one says what it is."""
    return text.replace("{{", '{{"{{"}}')


def _row(slo: SLO, policy: Policy, row: BurnWindow) -> str:
    limit = f"{row.factor(policy.period):.15g} * {number(slo.budget)}"
    parts = [f"max without (slo_window) ({RECORD}{words(span)}{selector(slo)}) > {limit}" for span in (row.long, row.short)]
    return f"({parts[0]} and {parts[1]})"


def counted_from_birth(selector: str, window: Length) -> str:
    """The query of a counter's events in a window, those included that a series brought with it when it was born.

    A series that was there a window ago tells its increase; one that was not tells its value, all of which is new.
    """
    span = words(length(window))
    return f"sum((increase({selector}[{span}]) and {selector} offset {span}) or {selector})"


def as_bad_and_total(slo: SLO) -> tuple[str, str]:
    """The two queries for tools that know no missing series, as Sloth: bad events are then counted, or all less the good ones."""
    if not isinstance(slo.sli, Events):
        return events(slo)
    return _alone(slo.sli.bad) if slo.sli.bad else events(slo)[0], _alone(slo.sli.total)


def _alone(query: str) -> str:
    """A query that stands for itself, without the brackets it needs among others."""
    return query if WINDOW in query else _rate(query)
