"""Dashboards written for tests, with what files found in the wild have."""

import json

PROMETHEUS = {"type": "prometheus", "uid": "any"}


def panel(expr="up", kind="timeseries", title="A panel", description="Says something.", **more):
    return {
        "id": more.pop("id", 1),
        "type": kind,
        "title": title,
        "description": description,
        "gridPos": more.pop("gridPos", {"x": 0, "y": 0, "w": 12, "h": 6}),
        "datasource": PROMETHEUS,
        "targets": [{"refId": "A", "expr": expr}],
        "fieldConfig": {"defaults": {"unit": more.pop("unit", "")}, "overrides": []},
        **more,
    }


def board(*panels, **more):
    return {"title": "A test", "schemaVersion": 41, "panels": list(panels), **more}


def variable(name, query, kind="query", **more):
    return {"name": name, "type": kind, "query": query, **more}


OLD = board(
    {"id": 1, "type": "graph", "title": "Old", "gridPos": {"x": 0, "y": 0, "w": 12, "h": 6}, "datasource": "Prometheus",
     "yaxes": [{"format": "s"}, {"format": "short"}], "targets": [{"refId": "A", "expr": "up"}]},
    {"id": 2, "type": "singlestat", "title": "Single", "gridPos": {"x": 12, "y": 0, "w": 12, "h": 6}, "datasource": None, "format": "percent",
     "valueName": "avg", "thresholds": "50,80", "colors": ["green", "orange", "red"], "targets": [{"refId": "A", "expr": "up"}]},
    schemaVersion=16,
)  # fmt: skip
TEXT = json.dumps(OLD)
