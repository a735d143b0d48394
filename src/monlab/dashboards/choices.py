"""Values of a dashboard's variables: what the file saved, what the caller chose, what the servers have.

Kinds of variables: https://grafana.com/docs/grafana/latest/dashboards/variables/add-template-variables/
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from monlab.dashboards import asking, intervals
from monlab.dashboards.legends import automatic
from monlab.dashboards.model import Dashboard, Variable
from monlab.dashboards.variables import ALL, Value, filled, names_in, one
from monlab.dashboards.window import Window
from monlab.problem import LabProblem, nearest

Chosen = Mapping[str, str | Sequence[str]]
FUNCTION = re.compile(r"\s*(label_values|label_names|metrics|query_result)\s*\(")
MOST = 200  # values of "all"
MOST_NAMED = 12  # values in a sentence


@dataclass
class Choices:
    """The dashboard's variables with their values, and sentences about those that could not be filled."""

    known: dict[str, Value] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    odd: list[str] = field(default_factory=list)  # sentences about chosen values that are not offered


def choices(dashboard: Dashboard, window: Window, chosen: Chosen) -> Choices:
    """Fills the variables in an order in which each finds those its query names. Raises LabProblem for a name that does not exist."""
    names = {variable.name: variable for variable in dashboard.variables}
    for name in chosen:
        if name not in names:
            raise LabProblem(
                f"The dashboard has no variable {name!r}. It has: {', '.join(names) or 'none'}.{nearest(name, names)}"
            )
    found = Choices(dict(window.own()))
    for name, plugin in dashboard.inputs:
        found.known[name] = one(plugin or name)
    _, steps = window.steps(600)
    found.known |= steps
    waiting = list(dashboard.variables)
    while waiting:
        ready = [one for one in waiting if not (names_in(one.query) & {other.name for other in waiting if other is not one})]
        if not ready:
            found.notes.append(f"The variables {', '.join(one.name for one in waiting)} name each other in a circle.")
            ready = waiting
        for variable in ready:
            waiting.remove(variable) if variable in waiting else None
            _fill(variable, window, chosen.get(variable.name), found)
        if ready is waiting:
            break
    return found


def _fill(variable: Variable, window: Window, wanted: str | Sequence[str] | None, found: Choices) -> None:
    if variable.type == "adhoc":
        found.notes.append(
            f'The variable "{variable.name}" is an ad hoc filter, which is not supported here: nothing is filtered.'
        )
        return
    try:
        options = _options(variable, window, found)
    except LabProblem as problem:
        found.notes.append(f'The variable "{variable.name}" could not be asked: {problem}')
        # the type stands for a data source that is not here, so that each panel can name it
        options = [(variable.query, variable.query)] if variable.type == "datasource" else list(variable.options)
    found.known[variable.name] = _value(variable, options, wanted, found)


def _value(variable: Variable, options: list[tuple[str, str]], wanted: str | Sequence[str] | None, found: Choices) -> Value:
    many = variable.multi or variable.include_all
    values = [value for _, value in options]
    texts = {value: text for text, value in options}
    if wanted is not None:
        asked = [wanted] if isinstance(wanted, str) else list(wanted)
    else:
        saved = [
            value
            for value in variable.current
            if value in values or (value in (ALL, "All") and variable.include_all) or variable.type in ("textbox", "constant")
        ]
        asked = saved or ([ALL] if variable.include_all else values[:1])
    everything = asked in ([ALL], ["All"], ["all"]) and variable.include_all
    if wanted is not None and values and not everything and variable.type in ("query", "custom", "interval"):
        found.odd += [_odd(variable.name, one, values) for one in asked if one not in (*values, *texts.values(), ALL)]
    if everything:
        if variable.all_value:
            return Value(tuple(values), True, exact=filled(variable.all_value, found.known), texts=("All",))
        return Value(tuple(values[:MOST]), True, texts=("All",))
    if not asked and variable.type in ("query", "custom"):
        found.notes.append(f'The variable "{variable.name}" has no value to choose: its query gave nothing.')
    return Value(tuple(asked), many, texts=tuple(texts.get(value, value) for value in asked))


def _odd(name: str, value: str, values: list[str]) -> str:
    offered = ", ".join(values[:MOST_NAMED]) + (", …" if len(values) > MOST_NAMED else "")
    return f"{name} has no value {value!r}; it offers {offered}.{nearest(value, values)}"


def _options(variable: Variable, window: Window, found: Choices) -> list[tuple[str, str]]:
    query = filled(variable.query, found.known)
    if variable.type == "query":
        kind, _ = asking.kind_for(_filled_source(variable, found), bool(FUNCTION.match(query)))
        if kind not in ("prometheus", "loki"):
            raise LabProblem("only Prometheus and Loki are asked for values of variables.")
        values = _asked(query, window) if kind == "prometheus" else _asked_loki(query, window)
        return _sorted(_matched(values, filled(variable.regex, found.known)), variable.sort)
    if variable.type == "custom":
        return _custom(query)
    if variable.type == "interval":
        listed = [(text, text) for text in re.split(r"[\s,]+", query) if text]
        if variable.auto:
            step = intervals.step_ms(window.seconds * 1000, variable.auto_count, intervals.milliseconds(variable.auto_min))
            listed.insert(0, ("auto", intervals.prometheus_words(step)))
        return listed
    if variable.type == "datasource":
        if query in asking.SERVICES:
            return [(query, query)]
        raise LabProblem(f'the lab has no data source of type "{query}".')
    if variable.type in ("textbox", "constant"):
        return [(query, query)]
    raise LabProblem(f'variables of type "{variable.type}" are not supported here.')


def _filled_source(variable: Variable, found: Choices):  # type: ignore[no-untyped-def]
    return type(variable.source)(variable.source.type, filled(variable.source.uid, found.known))


def _custom(query: str) -> list[tuple[str, str]]:
    """`a, b` or `shown : value, …`; a comma may be escaped."""
    parts = [part.replace("\\,", ",").strip() for part in re.split(r"(?<!\\),", query)]
    pairs = [part.split(" : ", 1) if " : " in part else [part, part] for part in parts if part]
    return [(text.strip(), value.strip()) for text, value in pairs]


def _asked(query: str, window: Window) -> list[str]:
    """https://grafana.com/docs/grafana/latest/datasources/prometheus/template-variables/ lists these functions."""
    text = query.strip()
    if found := re.fullmatch(r"label_values\((?:(.+),\s*)?\"?([A-Za-z_][\w.]*)\"?\s*\)", text, re.DOTALL):
        return asking.labels_of(found[2], (found[1] or "").strip(), window)
    if found := re.fullmatch(r"metrics\((.*)\)", text, re.DOTALL):
        wanted = re.compile(found[1].strip() or ".*")
        return [name for name in asking.labels_of("__name__", "", window) if wanted.search(name)]
    if found := re.fullmatch(r"label_names\((.*)\)", text, re.DOTALL):
        return sorted(
            {label for series in asking.ask("prometheus", found[1] or "up", window, 0, True).series for label in series.labels}
        )
    if found := re.fullmatch(r"query_result\((.+)\)", text, re.DOTALL):
        answer = asking.ask("prometheus", found[1], window, 0, True)
        return [f"{automatic(one.labels)} {one.values[-1]:g} {one.times[-1] * 1000:.0f}" for one in answer.series]
    if re.fullmatch(r"\w+", text):
        return asking.labels_of(text, "", window)
    answer = asking.ask("prometheus", text, window, 0, True)
    return [automatic(one.labels) for one in answer.series]


def _asked_loki(text: str, window: Window) -> list[str]:
    """https://grafana.com/docs/grafana/latest/datasources/loki/template-variables/"""
    if found := re.fullmatch(r"label_values\((?:(.+),\s*)?\"?([A-Za-z_]\w*)\"?\s*\)", text.strip(), re.DOTALL):
        return asking.loki_labels(found[2], (found[1] or "").strip(), window)
    if text.strip() in ("", "label_names()"):
        return asking.loki_labels("", "", window)
    return asking.loki_labels(text.strip(), "", window) if re.fullmatch(r"\w+", text.strip()) else _not_read(text)


def _not_read(text: str) -> list[str]:
    raise LabProblem(f'its query "{text[:80]}" is none that Loki answers with values.')


def _matched(values: list[str], regex: str) -> list[tuple[str, str]]:
    """What `/regex/` takes out of each value: its group, or groups named text and value."""
    if not regex:
        return [(value, value) for value in dict.fromkeys(values)]
    body = re.fullmatch(r"/(.*)/[gimsuy]*", regex, re.DOTALL)
    try:
        pattern = re.compile(re.sub(r"\(\?<([A-Za-z])", r"(?P<\1", body[1] if body else regex))
    except re.error as error:
        raise LabProblem(f'its regular expression "{regex}" cannot be read: {error}.') from None
    pairs: dict[str, str] = {}
    for value in values:
        found = pattern.search(value) if body else pattern.fullmatch(value)
        if not found:
            continue
        named = found.groupdict()
        first = next((group for group in found.groups() if group is not None), found[0])
        pairs.setdefault(named.get("value") or first, named.get("text") or first)
    return [(text, value) for value, text in pairs.items()]


def _sorted(pairs: list[tuple[str, str]], sort: int) -> list[tuple[str, str]]:
    """0 as they come, 1/2 by letter, 3/4 by number, 5/6 by letter without case; the even ones backwards."""
    if not 1 <= sort <= 8:
        return pairs
    number = re.compile(r"\d+(?:\.\d+)?")

    def key(pair: tuple[str, str]) -> tuple[float, str]:
        found = number.search(pair[0])
        return (float(found[0]) if found and sort in (3, 4) else 0.0, pair[0].lower() if sort in (5, 6) else pair[0])

    return sorted(pairs, key=key, reverse=sort % 2 == 0)
