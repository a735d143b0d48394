"""Dashboards as one meets them: every generation of Grafana, exported, wrapped, broken. Name -> JSON, and words that must be said about it."""

import json

from files import PROMETHEUS, board, panel, variable

GRID = {"x": 0, "y": 0, "w": 12, "h": 6}
BARE = {"type": "timeseries", "title": "Bare", "targets": [{"refId": "A", "expr": "up"}]}


def with_(made, **more):
    return {**made, **more}


def asking(source, **target):
    return board(with_(panel(), datasource=source, targets=[{"refId": "A", "datasource": source, **target}]))


def custom(**more):
    made = panel("up")
    made["fieldConfig"]["defaults"]["custom"] = more
    return board(made)


def overridden(matcher, option, *properties):
    made = panel("up")
    made["fieldConfig"]["overrides"] = [
        {
            "matcher": {"id": matcher, "options": option},
            "properties": [{"id": name, "value": value} for name, value in properties],
        }
    ]
    return board(made)


def transformed(*ids, kind="table", **options):
    return board(panel("up", kind=kind, transformations=[{"id": name, "options": options} for name in ids]))


def variables(*listed, expr='up{job=~"$job"}', **more):
    return board(panel(expr), templating={"list": list(listed)}, **more)


ROWS = {"schemaVersion": 14, "title": "Rows", "rows": [
    {"title": "First", "showTitle": True, "height": "250px", "panels": [
        {"id": 1, "type": "graph", "title": "Left", "span": 6, "datasource": "Prometheus", "fill": 1, "nullPointMode": "null as zero", "stack": True,
         "percentage": True, "legend": {"show": True, "values": True, "current": True, "avg": True}, "yaxes": [{"format": "s", "logBase": 10, "min": "0"}, {}],
         "seriesOverrides": [{"alias": "/down/", "color": "#BF1B00", "yaxis": 2}], "thresholds": [{"value": 1, "colorMode": "critical", "op": "gt"}],
         "targets": [{"expr": "up", "refId": "A", "intervalFactor": 2, "step": 240, "legendFormat": "{{job}}"}]},
        {"id": 2, "type": "singlestat", "title": "Right", "span": 6, "format": "percent", "valueName": "avg", "thresholds": "50,80", "colorValue": True,
         "valueMaps": [{"op": "=", "value": "1", "text": "UP"}, {"op": "=", "value": "null", "text": "N/A"}], "sparkline": {"show": True},
         "targets": [{"expr": "up", "refId": "A"}]},
    ]},
    {"title": "Each $job", "repeat": "job", "collapse": True, "height": 150, "panels": [with_(BARE, span=12, repeat="instance", minSpan=3)]},
]}  # fmt: skip
EXPORTED = {"__inputs": [{"name": "DS_PROMETHEUS", "type": "datasource", "pluginId": "prometheus"}, {"name": "VAR_ROOT", "type": "constant", "value": "x"}],
            "__requires": [{"type": "grafana", "id": "grafana", "version": "9.0.0"}], "__elements": {},
            **board(with_(panel(), datasource={"type": "prometheus", "uid": "${DS_PROMETHEUS}"}))}  # fmt: skip
V2 = {
    "elements": {"panel-1": {"kind": "Panel", "spec": {}}},
    "layout": {"kind": "GridLayout", "spec": {"items": []}},
    "title": "New",
}
TABLE = board(
    with_(panel('sum by (job) (up)', kind="table"), targets=[{"refId": "A", "expr": "sum by (job) (up)", "format": "table", "instant": True},
          {"refId": "B", "expr": "count by (job) (up)", "format": "table", "instant": True}],
          transformations=[{"id": "merge", "options": {}}, {"id": "organize", "options": {"excludeByName": {"Time": True}, "indexByName": {"job": 2, "Value #A": 1},
                           "renameByName": {"Value #A": "Up", "Value #B": "All"}}}, {"id": "sortBy", "options": {"sort": [{"field": "Up", "desc": True}]}}]))  # fmt: skip

RAISES = {
    "no JSON": ("{'a': 1}", "is not JSON"),
    "nothing": ("", "There is no dashboard"),
    "cut off": (json.dumps(board(panel()))[:-20], "is not JSON"),
    "a comment": ('{"title": "x", // no\n "panels": []}', "is not JSON"),
    "a list": ([board(panel())], "is a list"),
    "wrapped twice": ({"dashboard": {"dashboard": board(panel())}}, "wrapped twice"),
    "wrapped thrice": ({"dashboard": {"dashboard": {"dashboard": board(panel())}}}, "wrapped twice"),
    "v2": (V2, "v2 schema"),
    "v2beta1 of Kubernetes": ({"apiVersion": "dashboard.grafana.app/v2beta1", "kind": "Dashboard", "metadata": {"name": "x"}, "spec": V2}, "v2 schema"),
    "v2 of the API": ({"dashboard": V2, "overwrite": True}, "v2 schema"),
    "panels as an object": ({"title": "x", "panels": {"1": panel()}}, "no list `panels`"),
    "an alert rule": ({"apiVersion": 1, "groups": []}, "no list `panels`"),
    "a list of dashboards from the search": ({"dashboards": [{"uid": "x"}]}, "no list `panels`"),
}  # fmt: skip

SAYS = {
    "rows of Grafana 4": (ROWS, "is older than 16", '"graph" is an old panel type', "a second axis"),
    "exported": (EXPORTED,),
    "wrapped for the API": ({"dashboard": board(panel()), "meta": {"slug": "x"}, "folderId": 0}, 'wrapped in {"dashboard": ...}'),
    "v1 of Kubernetes": ({"apiVersion": "dashboard.grafana.app/v1beta1", "kind": "Dashboard", "metadata": {}, "spec": board(panel())}, "Kubernetes"),
    "newer than known": (board(panel(), schemaVersion=99), "newer than 42"),
    "version as a text": (board(panel(), schemaVersion="39"), "schemaVersion is the text"),
    "no title": ({"panels": [panel()]}, "It has no title"),
    "no panels": (board(),),
    "null everywhere": (board({key: None for key in panel()} | {"type": "stat", "targets": [{"expr": None, "refId": None}]}), "is empty"),
    "nothing but a type": (board({"type": "timeseries"}), "has no query"),
    "no type": (board({"title": "What"}), "names no type"),
    "no place": (board(BARE, BARE, BARE),),
    "a huge place": (board(panel(gridPos={"x": 999, "y": 10**9, "w": 10**6, "h": 10**6})),),
    "a place below zero": (board(panel(gridPos={"x": -5, "y": -5, "w": -1, "h": -1}, id=-7)),),
    "a place as text": (board(panel(gridPos={"x": "0", "y": "0", "w": "12", "h": "6"})), "it must be a number"),
    "ids twice": (board(panel(id=1), panel(id=1, title="Other", gridPos=with_(GRID, x=12))),),
    "ids as text": (board(panel(id="panel-1")), "it must be a number"),
    "refresh false, style, tags, links": (board(panel(), refresh=False, style="dark", tags=[None], links=[{"type": "dashboards"}], timepicker=[], time={"from": "now-6h"}),),
    "booleans as texts": (board(panel(repeat="", transparent="true", hideTimeOverride="false", targets=[{"expr": "up", "hide": "true", "instant": "false"}])), "it must be true or false"),
    "numbers as texts": (board(panel(maxDataPoints="100", interval="1m", targets=[{"expr": "up", "intervalFactor": "2"}])),),
    "hidden queries": (board(panel(targets=[{"refId": "A", "expr": "up", "hide": True}])), "has no query"),
    "letters beyond ASCII": (board(panel(title="温度 🌡️ é \u202e \x07"), title="Панель"),),
    "a megabyte of text": (board(panel(kind="text", options={"content": "word " * 200_000}), panel(id=2, title="x" * 100_000, description="y" * 100_000)),),
    "a megabyte of query": (board(panel(f'up{{job!="{"x" * 1_000_000}"}}')),),
    "queries nested deep": (board(panel("up or " * 500 + "up"), panel("(" * 20_000 + "up" + ")" * 20_000, id=2)), "nested too deep to be judged"),
    "a query of many parts": (board(panel("+".join(["up"] * 100), unit="none")),),
    "deep": (json.loads('{"title": "x", "panels": [{"type": "row", "panels": ' + "[" * 400 + "]" * 400 + "}]}"), "must be an object"),
    "a library panel": (board({"gridPos": GRID, "id": 1, "libraryPanel": {"name": "Shared", "uid": "abc"}}), 'Library panel "Shared"'),
    "a library panel with a copy": (board(panel(libraryPanel={"name": "Shared", "uid": "abc", "model": {}})), "drawn from the copy"),
    "kinds that are not drawn": (board(*(panel(kind=kind, id=number, title=kind) for number, kind in enumerate(
        ("alertlist", "dashlist", "news", "geomap", "canvas", "histogram", "traces", "flamegraph", "acme-panel", "welcome")))), 'type "acme-panel"', 'type "news"'),
    "a table of old": (board(panel("up", kind="table-old", styles=[{"pattern": "Time", "type": "hidden"}], columns=[], transform="table")), "columns and styles of an old table"),
    "a text panel of old": (board({"type": "text", "mode": "html", "content": "<h1>Hello $job</h1>", "title": ""}),),
    "a table": (TABLE,),
    # data sources
    "a source by name": (asking("Metrics of Oslo", expr="up"), 'No data source is named "Metrics of Oslo" here'),
    "a source by name with a typo": (asking("gone", query="SELECT 1"), 'the data source "gone"'),
    "mixed": (board(panel(datasource={"type": "datasource", "uid": "-- Mixed --"}, targets=[{"refId": "A", "expr": "up", "datasource": PROMETHEUS},
              {"refId": "B", "query": "SELECT 1", "datasource": {"type": "influxdb", "uid": "i"}}])), '"influxdb"'),
    "mixed of old": (board(panel(datasource="-- Mixed --", targets=[{"refId": "A", "expr": "up", "datasource": "Prometheus"}])),),
    "Grafana itself": (asking({"type": "datasource", "uid": "-- Grafana --"}, queryType="randomWalk"), "not supported here"),
    "another panel": (asking({"type": "datasource", "uid": "-- Dashboard --"}, panelId=2), "not supported here"),
    "expressions": (asking({"type": "__expr__", "uid": "__expr__"}, type="math", expression="$A * 2"), "is an expression over other queries"),
    "expressions of old": (asking("__expr__", type="reduce", expression="A"), "is an expression over other queries"),
    **{kind: (asking({"type": kind, "uid": "x"}, **more), kind.removeprefix("grafana-")) for kind, more in {
        "elasticsearch": {"query": "*", "metrics": [{"type": "count", "id": "1"}]}, "influxdb": {"query": "from(bucket: 1)"}, "cloudwatch": {"namespace": "AWS/EC2"},
        "mysql": {"rawSql": "SELECT 1", "format": "table"}, "graphite": {"target": "a.b"}, "stackdriver": {}, "grafana-testdata-datasource": {"scenarioId": "csv"}}.items()},
    "Loki": (asking({"type": "loki", "uid": "x"}, expr='sum(rate({service=~".+"}[$__auto]))', queryType="range"),),
    "Loki with a mistake": (asking({"type": "loki", "uid": "x"}, expr='{service="a"} |='), "Loki refused"),
    "Tempo": (asking({"type": "tempo", "uid": "x"}, query="{ }", queryType="traceql"),),
    "Jaeger": (asking({"type": "jaeger", "uid": "x"}, queryType="search", service="frontend", tags="", operation=""),),
    "a syntax error": (board(panel("sum(rate(up[5m])")), "Prometheus refused the query"),
    "a range where a moment is wanted": (board(panel("up[5m]", kind="stat", targets=[{"refId": "A", "expr": "up[5m]", "instant": True}])), "range of samples"),
    "a text as an answer": (board(panel(kind="stat", targets=[{"refId": "A", "expr": '"words"', "instant": True}])), "is a text"),
    # variables
    "all of them": (variables(variable("job", "label_values(up, job)", includeAll=True, multi=True, current={"text": ["All"], "value": ["$__all"]})),),
    "all of old": (variables(variable("job", "label_values(up, job)", includeAll=True, current={"text": "All", "value": "$__all"}, options=[])),),
    "all by its own words": (variables(variable("job", "label_values(job)", includeAll=True, allValue=".*", current={"value": "$__all"})),),
    "with a regular expression": (variables(variable("job", "label_values(up, job)", regex="/^(?<text>p)(?<value>.*)$/")),),
    "with a broken one": (variables(variable("job", "label_values(up, job)", regex="/((/")), "regular expression"),
    "results of a query": (variables(variable("job", "query_result(topk(3, sum by (job) (up)))", regex='/job="([^"]+)"/')),),
    "of another source": (variables(variable("job", "SHOW TAG VALUES", datasource={"type": "influxdb", "uid": "x"})), 'The variable "job" could not be asked'),
    "of Loki": (variables(variable("job", {"label": "service", "refId": "x", "stream": "", "type": 1}, datasource={"type": "loki", "uid": "x"})),),
    "data sources": (variables(variable("ds", "prometheus", "datasource", regex="/prod-.*/", current={"value": "default"})),),
    "data sources of another kind": (variables(variable("ds", "tempo2", "datasource")), 'no data source of type "tempo2"'),
    "ad hoc": (variables({"name": "Filters", "type": "adhoc", "filters": []}), "is an ad hoc filter"),
    "text, constant, custom": (variables(variable("job", "pay.*", "textbox"), variable("c", "1", "constant"), variable("u", "a : b, c\\,d", "custom", multi=True)),),
    "interval, auto": (variables(variable("step", "1m,10m,1h", "interval", auto=True, auto_count=30, auto_min="10s", current={"value": "$__auto_interval_step"}), expr="rate(http_requests_total[$step])"),),
    "in a circle": (variables(variable("job", 'label_values(up{instance="$instance"}, job)'), variable("instance", 'label_values(up{job="$job"}, instance)')), "in a circle"),
    "of a new kind": (variables({"name": "x", "type": "switch"}), 'type "switch" are not supported'),
    "unknown": (board(panel('up{job="$nowhere"}')), "$nowhere, which is no variable"),
    "every format": (variables(variable("job", "a,b", "custom", multi=True, current={"value": ["a", "b"]}), expr='label_replace(vector(1), "x", "' + "".join(
        f"${{job:{form}}}" for form in ("regex", "pipe", "csv", "raw", "percentencode", "date", "text", "queryparam", "glob", "lucene")) + '[[job]]", "", "")'),),
    # repeats
    "a repeated panel": (variables(variable("job", "label_values(up, job)", multi=True, includeAll=True, current={"value": "$__all"})) | {
        "panels": [panel(repeat="job", repeatDirection="h", maxPerRow=3), panel(repeat="job", repeatDirection="v", id=2, gridPos=with_(GRID, y=7)), panel(repeat="none", id=3)]},),
    "copies that were saved": (board(panel(repeat="job"), panel(id=2, repeatPanelId=1, repeatIteration=1, scopedVars={"job": {"value": "x"}})),),
    # fields, overrides, transformations
    "overrides": (overridden("byRegexp", "/.*/", ("color", {"mode": "fixed", "fixedColor": "rgba(1,2,3,0.4)"}), ("custom.transform", "negative-Y"), ("unit", "percentunit"), ("custom.lineStyle", {"fill": "dash"})),),
    "overrides by query": (overridden("byFrameRefID", "A", ("displayName", "A"), ("custom.fillBelowTo", "x"), ("custom.axisPlacement", "right")), "the area between two series", "a second axis"),
    "overrides by value": (overridden("byValue", {"op": "gte", "reducer": "max", "value": 1}, ("custom.hideFrom", {"viz": True})), 'matcher "byValue"'),
    "all but one": (overridden("byNames", {"mode": "exclude", "names": ["up"], "readOnly": True}, ("custom.hideFrom", {"viz": True, "legend": False, "tooltip": False})),),
    "an override of a new kind": (overridden("byName", "x", ("custom.sparkles", True)), "custom.sparkles"),
    "transformations that are applied": (transformed("merge", "organize", "labelsToFields"),),
    "transformations that are not": (transformed("configFromData", "partitionByValues"), "configFromData, partitionByValues"),
    "transformations of a graph": (transformed("calculateField", kind="timeseries", mode="binary"), "calculateField"),
    "transformations of a wrong shape": (transformed("organize", "sortBy", "groupBy", "reduce", sort="x", fields=[], excludeByName=[1]), "not applied"),
    "nulls": (custom(spanNulls=3_600_000, insertNulls=60_000),),
    "stacked to a hundred": (custom(stacking={"mode": "percent"}, fillOpacity=250, lineWidth=-3),),
    "logarithmic": (custom(scaleDistribution={"type": "log", "log": 2}),),
    "its own time": (board(panel(timeFrom="1h", timeShift="1d", hideTimeOverride=True)), "has no effect"),
    "a heatmap of series": (board(panel(kind="heatmap", options={"calculate": True, "calculation": {"xBuckets": {"mode": "size"}}})), "would be calculated"),
    "old alert": (board(panel(kind="graph", alert={"conditions": [], "name": "x"}, timeRegions=[{"op": "time"}])), "alert of the old kind", "Regions of time"),
    "annotations": (board(panel(), annotations={"list": [{"builtIn": 1, "datasource": "-- Grafana --", "enable": True, "name": "Annotations & Alerts", "type": "dashboard"},
        {"name": "Mine", "datasource": {"type": "loki", "uid": "x"}, "enable": True, "expr": '{a="b"}'}, {"name": "Tags", "datasource": {"type": "grafana", "uid": "-- Grafana --"}, "enable": True, "type": "tags"},
        {"name": "Broken", "datasource": PROMETHEUS, "enable": True, "expr": "up{"}, {"name": "Off", "enable": False, "expr": "up{"}]}), '"Mine" is not drawn', '"Tags" is not drawn', '"Broken" is not drawn'),
    "exemplars": (board(panel(targets=[{"refId": "A", "expr": "up", "exemplar": True}])), "Exemplars are not drawn"),
}  # fmt: skip
