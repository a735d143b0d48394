"""Objectives from and to other tools' YAML: Sloth's `prometheus/v1` and OpenSLO's `openslo/v1alpha`.

What a record here does not hold (an alert's own labels and annotations, plugins) is refused by name where it would change what
is counted, and left out where it would not.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import timedelta
from fractions import Fraction
from typing import Any

import yaml

from monlab.problem import LabProblem, nearest
from monlab.slo.durations import words
from monlab.slo.numbers import shown, whole
from monlab.slo.queries import WINDOW, query, texts
from monlab.slo.records import SEVERITIES, SLO, Calendar, Events, Rolling, labels, share
from monlab.slo.records import window as of_text
from monlab.slo.rule_files import as_bad_and_total, events, number, period

SLOTH = "prometheus/v1"
OPENSLO = "openslo/v1alpha"
MAX_CHARACTERS = 200_000
MAX_FIELDS = 10_000
SLOTH_NAME = "[A-Za-z0-9][-A-Za-z0-9_.]*[A-Za-z0-9]"  # as its validator has it
SLOTH_FIELDS = {"version", "service", "labels", "slos"}
SLOTH_SLO_FIELDS = {"name", "description", "objective", "labels", "sli", "alerting"}
SLOTH_ALERTING_FIELDS = {"name", "labels", "annotations", "page_alert", "ticket_alert"}
OPENSLO_OBJECTIVE_FIELDS = {"displayName", "value", "target", "ratioMetrics"}
OPENSLO_UNITS = {"Day": 1, "Week": 7}


class _Once(yaml.SafeLoader):
    """Safe YAML in which a field may stand once: PyYAML would take the last one and say nothing."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [
            key.value for key, _value in node.value if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge"
        ]
        twice = [key for at, key in enumerate(keys) if key in keys[:at]]
        if twice:
            raise LabProblem(f"The field {shown(twice[0])} stands twice{node.start_mark}. Keep one of the two.".replace("\n", ""))
        return super().construct_mapping(node, deep)

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Merges (`<<`) of merges multiply: nine lines of nine stand for more fields than there is memory."""
        super().flatten_mapping(node)
        if len(node.value) > MAX_FIELDS:
            raise LabProblem(f"The specification merges (`<<`) more than {MAX_FIELDS:,} fields into one. Write the fields out.")

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """PyYAML lets through what a scalar's reader raises, without the line."""
        try:
            return super().construct_object(node, deep)
        except (ValueError, KeyError, AttributeError, IndexError):
            if not isinstance(node, yaml.ScalarNode) or len(node.value) > 100:
                raise
            where = f"line {node.start_mark.line + 1}, column {node.start_mark.column + 1}"
            raise LabProblem(
                f"The specification has {shown(node.value)} at {where}, which is no date or number that there is. Mend it, or quote it."
            ) from None


def loaded(text: str) -> Any:
    """YAML as data. Raises LabProblem for what is too long or no YAML."""
    if not isinstance(text, str):
        raise LabProblem(f"The specification is {shown(text)}. Hand in the file's text: path.read_text().")
    if len(text) > MAX_CHARACTERS:
        raise LabProblem(f"The specification has {len(text):,} characters; {MAX_CHARACTERS:,} are read. Split it.")
    try:
        return yaml.load(text, _Once)  # _Once is a safe loader
    except (RecursionError, ValueError):
        raise LabProblem(
            "The specification is nested too deeply, or holds a number of thousands of digits. Write it flat."
        ) from None
    except yaml.composer.ComposerError as error:
        if "but found another document" in str(error):
            raise LabProblem("The specification holds several documents. Split it at ---, and hand in one at a time.") from None
        raise LabProblem(f"The specification is no YAML: {' '.join(str(error).split())[:200]} Mend that line.") from None
    except yaml.YAMLError as error:
        raise LabProblem(f"The specification is no YAML: {' '.join(str(error).split())[:200]} Mend that line.") from None


def _known(body: Any, known: set[str], what: str) -> Mapping[str, Any]:
    if not isinstance(body, Mapping):
        raise LabProblem(f"{what} is {shown(body)}, not a list of fields. It has {', '.join(sorted(known))}.")
    for key in body:
        if key not in known:
            raise LabProblem(f"{what} has no field {shown(key)}. It has {', '.join(sorted(known))}.{nearest(str(key), known)}")
    return body


def _percent(value: Any) -> Fraction:
    """Sloth writes percentages: 99.9. A share there is the mistake that is made the other way round."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise LabProblem(f"Sloth's objective is {shown(value)}. It is a percentage without a sign there: write 99.9.")
    if not 0 <= value <= 100:
        raise LabProblem(f"Sloth's objective is {value}, and a percentage lies between 0 and 100. Write 99.9.")
    if 0 < value <= 1:
        raise LabProblem(f"Sloth's objective is {value}, a share. It is a percentage there: write {value * 100:.12g}.")
    return share(Fraction(str(value)) / 100, "Sloth's objective")


def from_sloth(text: str, window: str = "30d") -> list[SLO]:
    """The objectives of a Sloth file. The period stands in Sloth's command line, not in its file."""
    found = loaded(text)
    if isinstance(found, Mapping) and found.get("kind") == "PrometheusServiceLevel":
        raise LabProblem(
            f"The file is a Kubernetes object of Sloth's operator. Sloth's own file is read: what is under `spec`, with "
            f"`version: {SLOTH}`, and fields written as in error_query."
        )
    body = _known(found, SLOTH_FIELDS, "A Sloth file")
    if body.get("version") != SLOTH:
        raise LabProblem(f"The file's version is {shown(body.get('version'))}; {SLOTH} is read. Write `version: {SLOTH}`.")
    many = body.get("slos")
    if not isinstance(many, list) or not many:
        raise LabProblem(f"The file's slos are {shown(many)}. Write a list with one objective at least.")
    return [_of_sloth(body, one, window) for one in many]


def _of_sloth(body: Mapping[str, Any], raw: Any, window: str) -> SLO:
    one = _known(raw, SLOTH_SLO_FIELDS, "An SLO of Sloth")
    sli = _known(one.get("sli") or {}, {"events", "raw", "plugin"}, "An SLI of Sloth")
    several = [kind for kind, body in sli.items() if body]
    if len(several) > 1:
        raise LabProblem(
            f"The SLI of {shown(one.get('name'))} is {' and '.join(several)} at once. Sloth takes one of them: keep events."
        )
    queries = sli.get("events")
    if not queries:
        other = "".join(f" is `{kind}`, which" for kind in ("raw", "plugin") if sli.get(kind))
        raise LabProblem(
            f"The SLI of {shown(one.get('name'))}{other} counts no events. Write `events` with error_query and total_query."
        )
    pair = _known(queries, {"error_query", "total_query"}, "Sloth's events")
    alerting = one.get("alerting") or {}
    if not isinstance(alerting, Mapping):
        raise LabProblem(
            f"The alerting of {shown(one.get('name'))} is {shown(alerting)}. Write fields, as in `name: OrdersFail`."
        )
    _known(alerting, SLOTH_ALERTING_FIELDS, "Sloth's alerting")
    return SLO(
        service=texts(body.get("service"), "The service"),
        name=texts(one.get("name"), "The SLO's name"),
        objective=_percent(one.get("objective")),
        sli=Events(total=_windowed(pair, "total_query"), bad=_windowed(pair, "error_query")),
        window=of_text(window),
        description=texts(one.get("description"), "The description"),
        labels={**labels(body.get("labels")), **labels(one.get("labels"))},
        alert=texts(alerting.get("name"), "The alert's name"),
        severities=tuple(severity for severity in SEVERITIES if not _disabled(alerting, f"{severity}_alert")),
    )


def _disabled(alerting: Mapping[str, Any], kind: str) -> bool:
    off = _known(alerting.get(kind) or {}, {"disable", "labels", "annotations"}, f"Sloth's {kind}").get("disable", False)
    if not isinstance(off, bool):
        raise LabProblem(f"The field disable of Sloth's {kind} is {shown(off)}. Write true or false.")
    return off


def _windowed(pair: Mapping[str, Any], name: str) -> str:
    """A query of Sloth's. Its validator wants the window, too."""
    text = query(texts(pair.get(name), name), name)
    if text and WINDOW not in text:
        raise LabProblem(f"{name} has no window, and Sloth refuses it: write sum(rate({shown(text)[1:-1]}[{WINDOW}])).")
    return text


def to_sloth(slos: SLO | Iterable[SLO]) -> str:
    """A Sloth file. Raises LabProblem for what Sloth refuses: several services in one file, an objective of 0."""
    many = [slos] if isinstance(slos, SLO) else list(slos)
    for one in many:
        if not one.objective:
            raise LabProblem(f"The objective of {one.id} is 0, and Sloth refuses it. Choose one above 0.")
        if isinstance(one.window, Calendar):
            raise LabProblem(
                f"The window of {one.id} is a {one.window.unit} of the calendar, and Sloth's rolls. Choose days, as in 30d."
            )
        for what, name in (("service", one.service), ("name", one.name)):
            if not re.fullmatch(SLOTH_NAME, name):
                raise LabProblem(
                    f"The {what} of {one.id} is {shown(name)}, and Sloth takes letters, digits, - _ and . between two letters or digits. "
                    "Rename it."
                )
    services = {one.service for one in many}
    if len(services) != 1:
        raise LabProblem(f"Sloth's file holds one service, and these are of {len(services)}. Write a file for each.")
    return _dump({"version": SLOTH, "service": services.pop(), "slos": [_as_sloth(one) for one in many]})


def _as_sloth(slo: SLO) -> dict[str, Any]:
    bad, total = as_bad_and_total(slo)
    return {
        "name": slo.name,
        "objective": float(slo.objective * 100),
        **({"description": slo.description} if slo.description else {}),
        **({"labels": dict(slo.labels)} if slo.labels else {}),
        "sli": {"events": {"error_query": bad, "total_query": total}},
        "alerting": {
            "name": slo.alert or slo.id,
            **{
                f"{severity}_alert": {"labels": {"severity": severity}} if severity in slo.severities else {"disable": True}
                for severity in SEVERITIES
            },
        },
    }


def from_openslo(text: str) -> SLO:
    """The objective of an OpenSLO document of kind SLO: occurrences, one objective, good and total."""
    body = _known(loaded(text), {"apiVersion", "kind", "metadata", "spec"}, "An OpenSLO document")
    if body.get("apiVersion") != OPENSLO or body.get("kind") != "SLO":
        raise LabProblem(f"The document is {body.get('apiVersion')} {body.get('kind')}; {OPENSLO} SLO is read.")
    spec = _known(body.get("spec"), {"service", "description", "budgetingMethod", "objectives", "timeWindows"}, "OpenSLO's spec")
    if spec.get("budgetingMethod") != "Occurrences":
        raise LabProblem(
            f"The budgeting method is {spec.get('budgetingMethod')!r}. Only Occurrences counts events; time slices do not."
        )
    objectives = spec.get("objectives") or []
    if not isinstance(objectives, list):
        raise LabProblem(f"OpenSLO's objectives are {shown(objectives)}. Write a list with one entry.")
    if len(objectives) != 1:
        raise LabProblem(f"The document has {len(objectives)} objectives. Write one document for each.")
    one = _known(objectives[0], OPENSLO_OBJECTIVE_FIELDS, "An objective of OpenSLO")
    metrics = _known(one.get("ratioMetrics") or {}, {"good", "total", "counter"}, "OpenSLO's ratioMetrics")
    known = {"source", "queryType", "query"}
    good, total = (_known(metrics.get(key) or {}, known, f"OpenSLO's {key} metric") for key in ("good", "total"))
    for metric in (good, total):
        for key, read in (("source", "prometheus"), ("queryType", "promql")):
            if metric.get(key, read) != read:
                raise LabProblem(f"A metric's {key} is {shown(metric[key])}. Queries of prometheus are read, in promql.")
    if one.get("target") is None:
        raise LabProblem("OpenSLO's objective has no target. Write the share of good events, as in target: 0.999.")
    about = _known(body.get("metadata") or {}, {"name", "displayName"}, "OpenSLO's metadata")
    return SLO(
        service=texts(spec.get("service"), "The service"),
        name=texts(about.get("name"), "The SLO's name"),
        objective=share(one["target"]),
        sli=Events(total=texts(total.get("query"), "The query of `total`"), good=texts(good.get("query"), "The query of `good`")),
        window=_openslo_window(spec.get("timeWindows") or []),
        description=texts(spec.get("description"), "The description"),
    )


def _openslo_window(windows: Any) -> Rolling | Calendar:
    if not isinstance(windows, list) or len(windows) != 1:
        raise LabProblem(f"The document's time windows are {shown(windows)}. An objective has one: write a list with it.")
    one = _known(windows[0], {"unit", "count", "isRolling"}, "A time window of OpenSLO")
    if one.get("isRolling", True) is not True:
        raise LabProblem(
            f"The time window has isRolling: {shown(one['isRolling'])}, and those of the calendar are not read. "
            "Write isRolling: true, or leave it out."
        )
    unit = one.get("unit")
    if not isinstance(unit, str) or unit not in OPENSLO_UNITS:
        raise LabProblem(f"The time window's unit is {shown(unit)}. Write Day or Week: other parts differ in length.")
    count = whole(one.get("count"), "The time window's count", "Write days or weeks, as in 30.")
    return Rolling(timedelta(days=min(count, 10**6) * OPENSLO_UNITS[unit]))


def to_openslo(slo: SLO) -> str:
    """An OpenSLO document: good events are all less the bad ones."""
    if isinstance(slo.window, Calendar):
        raise LabProblem(
            f"The window of {slo.id} is a {slo.window.unit} of the calendar, and OpenSLO's here rolls. Choose days, as in 30d."
        )
    total = as_bad_and_total(slo)[1]
    # A bad series that is missing is 0 here, too: without it there would be no good events, and all would count as failed.
    good = (
        slo.sli.good
        if isinstance(slo.sli, Events) and slo.sli.good and "[" in slo.sli.good
        else f"({total}) - ({events(slo)[0]})"
    )
    span = period(slo)
    if span % timedelta(days=1):
        raise LabProblem(f"OpenSLO counts days, and the window is {words(span)}. Choose whole days.")
    metric = {"source": "prometheus", "queryType": "promql"}
    return _dump(
        {
            "apiVersion": OPENSLO,
            "kind": "SLO",
            "metadata": {"name": slo.name, "displayName": slo.id},
            "spec": {
                "service": slo.service,
                "description": slo.description,
                "budgetingMethod": "Occurrences",
                "objectives": [
                    {
                        "ratioMetrics": {"good": {**metric, "query": good}, "total": {**metric, "query": total}},
                        "target": float(number(slo.objective)),
                    }
                ],
                "timeWindows": [{"count": span.days, "unit": "Day"}],
            },
        }
    )


def _dump(body: Any) -> str:
    return str(yaml.safe_dump(body, sort_keys=False, width=1000))
