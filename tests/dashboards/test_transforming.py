"""Transformations and overrides of a panel, on answers written here."""

import numpy as np
import pytest
from files import board, panel
from matplotlib.figure import Figure

from monlab.dashboards import reader
from monlab.dashboards.asking import Answer, Series
from monlab.dashboards.looks import looks
from monlab.dashboards.pictures import states
from monlab.dashboards.pictures.canvas import Canvas
from monlab.dashboards.pictures.timeseries import timeseries
from monlab.dashboards.shown import Asked, Line, Shown
from monlab.dashboards.tables import table_of, written
from monlab.dashboards.transformations import of_lines, of_table
from monlab.dashboards.window import Window

ROWS = (("a", "x", 1.0), ("b", "x", 3.0), ("c", "y", 2.0))  # job, zone, value


def shown(made, *queries):
    """A panel with the same series for each query, the value ten times larger each time."""
    found = reader.of(board(made)).panels[0]
    series = [
        tuple(Series({"job": job, "zone": zone}, np.array([0.0]), np.array([value * 10**place])) for job, zone, value in ROWS)
        for place, _ in enumerate(queries)
    ]
    asked = tuple(Asked(target, "", Answer(one)) for target, one in zip(found.targets, series, strict=True))
    lines = tuple(Line(one.labels["job"], one, query.target.ref) for query in asked for one in query.answer.series)
    return Shown(found, asked, lines)


def table(transformations, refs="A", overrides=()):
    made = panel(kind="table", transformations=[{"id": name, "options": options} for name, options in transformations])
    made["targets"] = [{"refId": ref, "expr": "x"} for ref in refs]
    made["fieldConfig"]["overrides"] = list(overrides)
    one = shown(made, *refs)
    found, left_out = of_table(table_of(one), list(one.lines), one.panel.transformations)
    words = written(found, one.panel)
    return words.heads, [[text for text, _ in row] for row in words.rows], left_out


@pytest.mark.parametrize(
    ("transformations", "refs", "heads", "first"),
    [
        ([], "A", ("job", "zone", "Value"), ["a", "x", "1"]),
        ([("merge", {})], "AB", ("job", "zone", "Value #A", "Value #B"), ["a", "x", "1", "10"]),
        ([("organize", {"excludeByName": {"zone": True}, "renameByName": {"Value": "Up"}, "indexByName": {"Value": 0, "job": 1}})], "A", ("Up", "job"), ["1", "a"]),
        ([("filterFieldsByName", {"include": {"names": ["job"]}})], "A", ("job",), ["a"]),
        ([("filterFieldsByName", {"exclude": {"pattern": "/^Val/"}})], "A", ("job", "zone"), ["a", "x"]),
        ([("renameByRegex", {"regex": "Value #(.*)", "renamePattern": "query $1"})], "AB", ("job", "zone", "query A", "query B"), ["a", "x", "1", "10"]),
        ([("sortBy", {"sort": [{"field": "Value", "desc": True}]})], "A", ("job", "zone", "Value"), ["b", "x", "3"]),
        ([("limit", {"limitField": 1})], "A", ("job", "zone", "Value"), ["a", "x", "1"]),
        ([("groupBy", {"fields": {"zone": {"operation": "groupby"}, "Value": {"operation": "aggregate", "aggregations": ["sum"]}}})], "A", ("zone", "Value (sum)"), ["x", "4"]),
        ([("calculateField", {"mode": "binary", "binary": {"left": "Value #B", "operator": "/", "right": "Value #A"}, "alias": "share"})], "AB",
         ("job", "zone", "Value #A", "Value #B", "share"), ["a", "x", "1", "10", "10"]),
        ([("calculateField", {"mode": "reduceRow", "reduce": {"reducer": "sum"}, "replaceFields": True})], "AB", ("Total",), ["11"]),
        ([("reduce", {"reducers": ["max", "mean"]})], "A", ("Field", "Max", "Mean"), ["a", "1", "1"]),
        ([("joinByField", {"byField": "zone"})], "A", ("job", "zone", "Value"), ["a", "x", "1"]),
        ([("filterByRefId", {"include": "B"})], "AB", ("job", "zone", "Value #B"), ["a", "x", "10"]),
    ],
)  # fmt: skip
def test_a_table_is_transformed_as_grafana_documents_it(transformations, refs, heads, first):
    found, rows, left_out = table(transformations, refs)
    assert (found, rows[0], left_out) == (heads, first, [])


@pytest.mark.parametrize("options", [{"sort": [{"field": "nothing"}]}, {"sort": 1}, {}])
def test_what_a_transformation_cannot_do_is_left_out_and_named(options):
    _, rows, left_out = table([("sortBy", options), ("organize", {})])
    assert len(rows) == 3 and left_out == ["sortBy"]


def test_series_of_a_graph_are_renamed_and_filtered():
    one = shown(panel(), "A")
    made = reader.of(board(panel(transformations=[
        {"id": "filterFieldsByName", "options": {"include": {"pattern": "a|b"}}}, {"id": "renameByRegex", "options": {"regex": "(.*)", "renamePattern": "job $1"}},
        {"id": "organize", "options": {"excludeByName": {"job b": True}}}, {"id": "limit", "options": {}}, {"id": "sortBy", "options": {}, "disabled": True}]))).panels[0]  # fmt: skip
    lines, left_out = of_lines(list(one.lines), made.transformations)
    assert [line.name for line in lines] == ["job a"] and left_out == ["limit"]


@pytest.mark.parametrize(
    ("matcher", "changed"),
    [
        ({"id": "byName", "options": "a"}, "a"), ({"id": "byRegexp", "options": "/A|b/i"}, "ab"), ({"id": "byRegexp", "options": "b|c"}, "bc"),
        ({"id": "byFrameRefID", "options": "A"}, "abc"), ({"id": "byType", "options": "number"}, "abc"), ({"id": "byType", "options": "time"}, ""),
        ({"id": "byNames", "options": {"mode": "exclude", "names": ["b"]}}, "ac"), ({"id": "byNames", "options": {"mode": "include", "names": ["b"]}}, "b"),
        ({"id": "byValue", "options": {}}, ""), ({"id": "byRegexp", "options": "/(/"}, ""),
    ],
)  # fmt: skip
def test_an_override_changes_the_series_it_means(matcher, changed):
    made = panel()
    made["fieldConfig"]["overrides"] = [
        {"matcher": matcher, "properties": [{"id": "unit", "value": "s"}, {"id": "custom.transform", "value": "negative-Y"}]}
    ]
    one = shown(made, "A")
    found = [look.name for look in looks(one.panel, one.lines) if look.panel.unit == "s" and look.panel.upside_down]
    assert "".join(found) == changed


def test_columns_of_a_table_are_hidden_named_and_given_units():
    overrides = [
        {"matcher": {"id": "byName", "options": "zone"}, "properties": [{"id": "custom.hidden", "value": True}]},
        {"matcher": {"id": "byName", "options": "Value"}, "properties": [{"id": "unit", "value": "percentunit"}, {"id": "displayName", "value": "Share"}]},
    ]  # fmt: skip
    heads, rows, _ = table([], overrides=overrides)
    assert heads == ("job", "Share") and rows[0] == ["a", "100%"]


@pytest.mark.parametrize(
    ("series_override", "name", "value"),
    [({"alias": "a", "color": "#ff0000"}, "color", "#ff0000"), ({"alias": "/a/", "transform": "negative-Y"}, "upside_down", True), ({"alias": "a", "fill": 5}, "fill", 0.5)],
)  # fmt: skip
def test_series_overrides_of_an_old_graph_are_applied(series_override, name, value):
    one = shown(panel(kind="graph", seriesOverrides=[series_override]), "A")
    look = looks(one.panel, one.lines)[0]
    assert (look.color if name == "color" else getattr(look.panel, name)) == value


def test_a_state_timeline_has_a_band_for_each_stretch_without_a_change_and_a_gap_for_null():
    line = Line("a", Series({}, np.arange(6) * 60.0, np.array([1.0, 1.0, 2.0, np.nan, np.nan, 2.0])), "A")
    assert states.stretches(line, Window(0, 360)) == [(0, 120, 1), (120, 180, 2), (300, 360, 2)]


def test_a_limit_far_above_the_values_does_not_widen_the_axis():
    made = panel()
    made["fieldConfig"]["defaults"] = {
        "custom": {"thresholdsStyle": {"mode": "line"}},
        "thresholds": {"mode": "absolute", "steps": [{"value": None, "color": "green"}, {"value": 100, "color": "red"}]},
    }
    line = Line("a", Series({}, np.arange(3) * 60.0, np.array([1.0, 2.0, 3.0])), "A")
    figure = Figure(figsize=(4, 3))
    timeseries(Canvas(figure, (4, 3)), Shown(reader.of(board(made)).panels[0], (), (line,)), Window(0, 120), (0, 0, 4, 3), [])
    assert figure.axes[0].get_ylim()[1] < 10
