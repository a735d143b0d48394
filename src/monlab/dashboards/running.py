"""Each panel's queries, run: what a panel shows before it is drawn."""

from collections.abc import Mapping
from dataclasses import replace

from monlab.dashboards import asking, legends, transformations
from monlab.dashboards.model import Annotation, Panel, Source, Target
from monlab.dashboards.shown import Asked, Line, Shown
from monlab.dashboards.tables import table_of
from monlab.dashboards.times import overridden
from monlab.dashboards.variables import Value, filled, one, resembling
from monlab.dashboards.window import Window
from monlab.problem import LabProblem
from monlab.telemetry.errors import QueryProblem

POINTS_A_COLUMN = 50  # a panel over the whole width has about as many points as a screen
MOST_MOMENTS = 200
EXPRESSIONS = ("__expr__", "-100")


def run(panel: Panel, window: Window, known: Mapping[str, Value]) -> Shown:
    """Runs the panel's queries. Never raises for what a file or server holds: a failed query is a sentence."""
    if panel.unsupported or panel.type in ("row", "text"):
        return Shown(panel)
    own = {**known, **{name: one(value) for name, value in panel.own}}
    try:
        there, said = overridden(window, filled(panel.time_from, own), filled(panel.time_shift, own))
    except LabProblem as problem:
        there, said = window, f"Its own time is not applied: {problem}"
    if there != window:
        own |= there.own()
    asked = tuple(_asked(panel, target, there, own) for target in panel.targets)
    lines = [line for one in asked for line in _lines(panel, one, own)]
    shown = Shown(panel, asked, tuple(lines), (), there, tuple(note for note in (said, *(one.note for one in asked)) if note))
    if panel.type == "table":
        _, left_out = transformations.of_table(table_of(shown), lines, panel.transformations)
    else:
        lines, left_out = transformations.of_lines(lines, panel.transformations)
    return replace(shown, lines=tuple(lines), left_out=tuple(dict.fromkeys(left_out)))


def _asked(panel: Panel, target: Target, window: Window, known: Mapping[str, Value]) -> Asked:
    source = filled_source(target.source if target.source != Source() else panel.source, known)
    if source.uid in ("-- Grafana --", "-- Dashboard --", *EXPRESSIONS) or source.type in ("datasource", "__expr__"):
        return Asked(target, error=_from_elsewhere(target, source))
    unknown: set[str] = set()
    query = target.expr
    try:
        kind, note = asking.kind_for(source, target.promql)
        now = at_once(panel, target)
        step, steps = window.steps(
            panel.max_points or panel.w * POINTS_A_COLUMN,
            filled(target.interval, known),
            filled(panel.interval, known),
            target.factor,
        )
        if now:
            steps = {**steps, "__auto": known["__range"]}
        query = filled(target.expr, {**known, **steps}, unknown)
        unknown = {name for name in unknown if not name.isdigit() and not _is_group(name, target.expr)}
        if not query.strip() and not target.query_type:
            return Asked(target, error=f"Query {target.ref} is empty.")
        answer = asking.ask(kind, query, window, step, now, target.query_type)
        return Asked(target, query, answer, unknown=frozenset(unknown), note=" ".join((*answer.notes, note)).strip())
    except QueryProblem as problem:
        near = resembling(min(unknown), [*known, *steps]) if unknown else ""
        hint = f" No variable is named {', '.join(sorted(unknown))}.{near}" if unknown else ""
        return Asked(target, query, error=f"{problem}{hint}", refused=True, unknown=frozenset(unknown))
    except LabProblem as problem:
        return Asked(target, query, error=str(problem), away=asking.away(source, window))


def _is_group(name: str, expr: str) -> bool:
    """Whether it is a named group of label_replace: `"$name"`."""
    return "label_replace" in expr and f'"${name}"' in expr


def _from_elsewhere(target: Target, source: Source) -> str:
    if source.type == "__expr__" or source.uid in EXPRESSIONS:
        return f"Query {target.ref} is an expression over other queries, which is not calculated here."
    return f'Query {target.ref} takes its data from "{source.uid or source.type}", which is not supported here.'


def at_once(panel: Panel, target: Target) -> bool:
    """Whether a query is asked for one moment, the end of the range.

    A table that does not say how is asked so: what it wants is the present state, and old files left it out.
    """
    return target.instant or (target.format == "table" and panel.type == "table" and not target.ranged)


def filled_source(source: Source, known: Mapping[str, Value]) -> Source:
    """The source with its variable filled: a variable's value is a type, or a name."""
    uid = filled(source.uid, known)
    return replace(source, uid=uid)


def _lines(panel: Panel, asked: Asked, known: Mapping[str, Value]) -> list[Line]:
    """The query's series with their names: the panel's own, the pattern of the legend, or what Grafana makes of the labels."""
    legend = asked.target.legend
    labels = [dict(series.labels) for series in asked.answer.series]
    names = legends.unique(labels, asked.query) if legend == "__auto" else []
    found = []
    for number, series in enumerate(asked.answer.series):
        if names:
            name = names[number]
        elif legend:
            name = legends.rendered(filled(legend, known), labels[number])
        else:
            name = legends.automatic(labels[number], asked.query)
        found.append(Line(legends.displayed(filled(panel.display_name, known), name, labels[number]), series, asked.target.ref))
    return found


def moments(
    annotations: tuple[Annotation, ...], window: Window, known: Mapping[str, Value]
) -> tuple[list[tuple[float, str, str]], list[str]]:
    """Seconds, words and colour of each annotation in the window, and sentences about those that are not drawn.

    An annotation stands where its series begins to be there.
    """
    found, said = [], []
    for annotation in annotations:
        step, steps = window.steps(600)
        try:
            if not annotation.expr or asking.kind_of(filled_source(annotation.source, known)) != "prometheus":
                said.append(f'The annotation "{annotation.name}" is not drawn: only Prometheus is asked for annotations.')
                continue
            answer = asking.ask("prometheus", filled(annotation.expr, {**known, **steps}), window, step)
        except LabProblem as problem:
            said.append(f'The annotation "{annotation.name}" is not drawn: {problem}')
            continue
        for series in answer.series:
            there = series.values > 0
            for index in range(len(there)):
                if there[index] and (index == 0 or not there[index - 1]):
                    words = legends.rendered(annotation.title, dict(series.labels)) if annotation.title else annotation.name
                    found.append((float(series.times[index]), words, annotation.color))
    return sorted(found)[:MOST_MOMENTS], said
