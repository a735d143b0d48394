"""Grafana's classic dashboard JSON -> records. Reads files of schemaVersion 16 to 42, also those nobody here made.

Whatever cannot be read is named in a sentence and the rest is read all the same; only a text that is no dashboard at all raises.
"""

import json
from typing import Any

from monlab.dashboards.fields import Fields, said
from monlab.dashboards.model import Annotation, Dashboard, Variable
from monlab.dashboards.panel_reader import panels
from monlab.dashboards.target_reader import source
from monlab.problem import LabProblem

OLDEST, NEWEST = 16, 42
MAX_BYTES = 20_000_000


def parse(text: str, name: str = "The dashboard") -> Dashboard:
    """Reads JSON text. Raises LabProblem with one sentence when it is not JSON, or no dashboard."""
    if len(text) > MAX_BYTES:
        raise LabProblem(f"{name} is larger than {MAX_BYTES // 1_000_000} MB; no dashboard is.")
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        line = text.splitlines()[error.lineno - 1].strip()[:80] if text.strip() else ""
        raise LabProblem(
            f"{name} is not JSON: {error.msg} at line {error.lineno}, column {error.colno}" + (f": {line}" if line else ".")
        ) from None
    except ValueError as error:  # a number of thousands of digits
        raise LabProblem(f"{name} cannot be read as JSON: {error}.") from None
    except RecursionError:
        raise LabProblem(f"{name} is nested too deeply to be a dashboard.") from None
    return of(found, name)


def of(found: Any, name: str = "The dashboard") -> Dashboard:
    """Reads parsed JSON. Raises LabProblem when it is no dashboard."""
    notes: list[str] = []
    model = _unwrapped(found, name, notes)
    problems: list[str] = []
    fields = Fields(model, "", problems)
    version = fields.whole("schemaVersion")
    if version > NEWEST:
        notes.append(f"schemaVersion {version} is newer than {NEWEST}, the newest read here; what is new in it is not drawn.")
    elif 0 < version < OLDEST:
        notes.append(
            f"schemaVersion {version} is older than {OLDEST}, the oldest read here; Grafana rewrites such a file when it loads it."
        )
    title = fields.text("title")
    if not title:
        notes.append('It has no title: Grafana refuses such a file with "Dashboard title cannot be empty".')
    return Dashboard(
        title=title or "(no title)",
        uid=fields.text("uid"),
        description=fields.text("description"),
        panels=panels(fields),
        variables=tuple(_variable(one) for one in fields.inside("templating").each("list") if one.text("name")),
        annotations=tuple(
            _annotation(one)
            for one in fields.inside("annotations").each("list")
            if one.flag("enable", True) and one.value.get("builtIn") != 1
        ),
        inputs=tuple((one.text("name"), one.text("pluginId")) for one in fields.each("__inputs") if one.text("name")),
        notes=tuple(notes),
        problems=tuple(dict.fromkeys(problems)),  # some values are read more than once
    )


def _unwrapped(found: Any, name: str, notes: list[str]) -> dict[str, Any]:
    if not isinstance(found, dict):
        raise LabProblem(f"{name} is {said(found)}; a dashboard is a JSON object with `title` and `panels`.")
    if isinstance(found.get("dashboard"), dict) and "panels" not in found:
        inside = found["dashboard"]
        if isinstance(inside.get("dashboard"), dict):
            raise LabProblem(
                f'{name} is wrapped twice in {{"dashboard": ...}}. Take both wrappers off: `title` and `panels` belong at the top.'
            )
        notes.append(
            'The file is wrapped in {"dashboard": ...}, as the HTTP API wants it. Provisioning wants what is inside: '
            'given the wrapper, Grafana says "Dashboard title cannot be empty".'
        )
        found = inside
    spec = found.get("spec")
    if isinstance(spec, dict) and (
        "elements" in spec or "layout" in spec or str(found.get("apiVersion", "")).startswith("dashboard")
    ):
        if "elements" not in spec and "panels" in spec:
            notes.append("The file is wrapped as a Kubernetes resource; the classic dashboard is its `spec`.")
            return dict(spec)
        raise LabProblem(
            f"{name} has the v2 schema (`elements` and `layout`), which is not supported here. Export it as classic JSON."
        )
    if isinstance(found.get("elements"), dict) and "layout" in found:
        raise LabProblem(
            f"{name} has the v2 schema (`elements` and `layout`), which is not supported here. Export it as classic JSON."
        )
    if not isinstance(found.get("panels"), list) and not isinstance(found.get("rows"), list):
        raise LabProblem(f"{name} is JSON, but no dashboard: it has no list `panels`.")
    return found


def _variable(fields: Fields) -> Variable:
    kind = fields.text("type")
    raw = fields.value.get("query")
    query = raw if isinstance(raw, str) else ""
    if isinstance(raw, dict):
        inside = fields.inside("query")
        query = inside.text("query") or inside.text("expr")
        if not query and inside.text("label"):  # Loki's editor keeps the parts apart
            query = f"label_values({inside.text('stream')}{', ' if inside.text('stream') else ''}{inside.text('label')})"
    current = fields.inside("current").value.get("value")
    values = current if isinstance(current, list) else [] if current is None else [current]
    return Variable(
        name=fields.text("name"),
        type=kind,
        query=query or fields.text("definition"),
        current=tuple(str(value) for value in values if value != ""),
        options=tuple(
            (str(one.value.get("text", "")), str(one.value.get("value", "")))
            for one in fields.each("options")
            if one.value.get("value") not in (None, "$__all")
        ),
        multi=fields.flag("multi"),
        include_all=fields.flag("includeAll"),
        all_value=fields.text("allValue"),
        regex=fields.text("regex"),
        sort=fields.whole("sort") if isinstance(fields.value.get("sort"), int) else 0,
        auto=fields.flag("auto"),
        auto_count=fields.whole("auto_count", 30),
        auto_min=fields.text("auto_min", "10s"),
        source=source(fields),
        label=fields.text("label"),
    )


def _annotation(fields: Fields) -> Annotation:
    target = fields.inside("target")
    return Annotation(
        fields.text("name"),
        fields.text("expr") or target.text("expr"),
        source(fields),
        fields.text("titleFormat"),
        fields.text("iconColor", "#5794F2"),
    )
