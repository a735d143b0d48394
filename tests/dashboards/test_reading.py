"""What the reader makes of classic JSON, and of what is none. No server is asked."""

import json

import pytest
from files import OLD, board, panel, variable

from monlab import dashboards as dashboard
from monlab.dashboards import intervals, reader
from monlab.dashboards.choices import choices
from monlab.dashboards.layout import laid_out
from monlab.dashboards.running import run
from monlab.dashboards.variables import Value, filled, one, resembling
from monlab.dashboards.window import Window
from monlab.problem import LabProblem


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{not json", "is not JSON"),
        ("[]", "is a list"),
        ('"text"', "is the text"),
        ('{"a": 1}', "has no list `panels`"),
        ('{"dashboard": {"dashboard": {"panels": []}}}', "wrapped twice"),
        ('{"apiVersion": "dashboard.grafana.app/v2beta1", "spec": {"elements": {}, "layout": {}}}', "v2 schema"),
        ('{"elements": {}, "layout": {}}', "v2 schema"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_what_is_no_dashboard_gets_one_sentence(text, words):
    with pytest.raises(LabProblem, match="(?s)" + words.replace("(", r"\(")) as raised:
        reader.parse(text)
    assert len(str(raised.value).splitlines()) == 1


def test_the_wrapper_of_the_api_is_taken_off_and_named():
    found = reader.of({"dashboard": board(panel()), "overwrite": True})
    assert len(found.panels) == 1 and "Dashboard title cannot be empty" in found.notes[0]


def test_old_panels_are_drawn_as_what_they_became_and_named():
    graph, single = reader.of(OLD).panels
    assert (graph.type, graph.unit, single.type, single.unit) == ("timeseries", "s", "stat", "percent")
    assert single.reducers == ("mean",) and [step.value for step in single.thresholds] == [None, 50.0, 80.0]
    assert '"graph" is an old panel type' in graph.notes[0]


@pytest.mark.parametrize("name", dashboard.names())
def test_the_limits_of_a_committed_time_series_are_drawn(name):
    """Grafana's default is to keep them out of the picture."""
    for found in dashboard.read(name).panels:
        assert found.type != "timeseries" or not found.thresholds or found.draws_thresholds, found.title


def test_a_text_as_a_width_is_named_with_its_place():
    found = reader.of(board(panel(gridPos={"x": 0, "y": 0, "w": "12", "h": 6})))
    assert found.problems == ('panels[0].gridPos.w is the text "12"; it must be a number.',)
    assert found.panels[0].w == 6


@pytest.mark.parametrize("bad", [None, 1, "text", [], {}, True, [None], [1], {"a": None}, float("nan"), 1e300])
@pytest.mark.parametrize("key", ["panels", "templating", "annotations", "__inputs", "schemaVersion", "title", "rows"])
def test_no_value_of_a_wrong_type_crashes_the_reader(key, bad):
    try:
        reader.of({**board(panel()), key: bad})
    except LabProblem as problem:
        assert "panels" in str(problem)


@pytest.mark.parametrize("bad", [None, 1, "text", [], {}, True, [None], [1], {"a": None}, float("nan"), 1e300])
def test_no_part_of_a_panel_of_a_wrong_type_crashes_the_reader(bad):
    for key in (
        *panel(),
        "options",
        "interval",
        "maxDataPoints",
        "repeat",
        "links",
        "transformations",
        "libraryPanel",
        "yaxes",
        "legend",
    ):
        for kind in ("graph", "timeseries", "singlestat"):
            reader.of(board({**panel(kind=kind), key: bad}))


def test_what_is_not_supported_is_named_on_its_panel():
    found = reader.of(board({**panel(), "type": "geomap"}, {"libraryPanel": {"name": "Shared", "uid": "x"}}))
    assert "geomap" in found.panels[0].unsupported and 'Library panel "Shared"' in found.panels[1].unsupported


def test_a_repeated_panel_stands_side_by_side_and_moves_what_follows():
    found = reader.of(
        board(panel(title="on $host", repeat="host", maxPerRow=2), panel(id=2, gridPos={"x": 0, "y": 6, "w": 24, "h": 3}))
    )
    placed = laid_out(found.panels, {"host": Value(("a", "b", "c"), True)})
    assert [(one.title, one.x, one.y, one.w) for one in placed] == [
        ("on a", 0, 0, 12), ("on b", 12, 0, 12), ("on c", 0, 6, 12), ("A panel", 0, 12, 24),
    ]  # fmt: skip


def test_a_repeated_row_brings_its_panels_along():
    rows = board({"type": "row", "title": "Of $host", "repeat": "host", "gridPos": {"x": 0, "y": 0, "w": 24, "h": 1}},
                 panel(title="in $host", gridPos={"x": 0, "y": 1, "w": 24, "h": 5}))  # fmt: skip
    placed = laid_out(reader.of(rows).panels, {"host": Value(("a", "b"), True)})
    assert [(one.title, one.y) for one in placed] == [("Of a", 0), ("in a", 1), ("Of b", 6), ("in b", 7)]


def test_panels_of_a_collapsed_row_are_drawn_below_it():
    row = {
        "type": "row",
        "collapsed": True,
        "gridPos": {"x": 0, "y": 10, "w": 24, "h": 1},
        "panels": [panel(title="inside", gridPos={"x": 0, "y": 3, "w": 12, "h": 4})],
    }
    placed = laid_out(reader.of(board(row)).panels, {})
    assert [one.type for one in placed] == ["row", "timeseries"] and placed[1].y == placed[0].y + 1


def test_a_panel_without_a_place_is_as_large_as_in_grafana():
    found = reader.of(board({"type": "stat", "title": "Bare"}, panel(gridPos={"y": 2}))).panels
    assert [(one.x, one.y, one.w, one.h) for one in found] == [(0, 0, 6, 3), (0, 2, 6, 3)]


def test_a_query_without_a_letter_gets_the_next_free_one_as_in_grafana():
    asked = [{"expr": "a"}, {"expr": "b", "refId": "A"}, {"expr": "c", "hide": True}, {"expr": "d", "refId": None}]
    made = panel(targets=asked)
    assert [(one.expr, one.ref) for one in reader.of(board(made)).panels[0].targets] == [("a", "B"), ("b", "A"), ("d", "D")]
    many = reader.of(board(panel(targets=[{"expr": "x"}] * 28))).panels[0].targets
    assert [one.ref for one in many[25:]] == ["Z", "AA", "AB"]


@pytest.mark.parametrize(("span", "wide"), [(6, 12), (2.5, 5), (0, 1), (-3, 1), (99, 24), (1e308, 24), (float("nan"), 24), (float("inf"), 24)])  # fmt: skip
def test_a_panel_of_an_old_row_is_as_wide_as_its_span(span, wide):
    rows = board(rows=[{"panels": [{"type": "graph", "title": "Old", "span": span}]}])
    assert reader.of(rows).panels[0].w == wide


def test_a_value_of_a_wrong_type_is_named_once():
    found = reader.of(board(panel(targets=[{"expr": "up", "hide": "true", "refId": 5}, 5])))
    assert len(found.problems) == len(set(found.problems)) == 3


def test_a_text_has_its_variables_filled_in():
    made = panel(kind="text", title="Of $host", options={"content": "# Service $host"})
    [placed] = laid_out(reader.of(board(made)).panels, {"host": Value(("a.b",), True)})
    assert (placed.title, placed.content) == ("Of a.b", "# Service a.b")


def test_a_gap_between_panels_closes_as_it_does_in_grafana():
    far = panel(id=2, gridPos={"x": 0, "y": 100_000, "w": 12, "h": 4})
    placed = laid_out(reader.of(board(panel(), far)).panels, {})
    assert [one.y for one in placed] == [0, 6]


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("$job", "(a|b)"), ("${job}", "(a|b)"), ("[[job]]", "(a|b)"), ("${job:csv}", "a,b"), ("${job:pipe}", "a|b"), ("${job:json}", '["a", "b"]'),
        ("${job:glob}", "{a,b}"), ("[[job:csv]]", "a,b"), ("${dot}", r"x\\.y"), ("${plain}", "x.y"), ("$other", "$other"), ("$1", "$1"), ("$jobs", "$jobs"),
        ("${job:singlequote}", "'a','b'"), ("${job:text}", "A + B"), ("$all", ".*"),
    ],
)  # fmt: skip
def test_variables_are_written_in_their_format(text, written):
    known = {
        "job": Value(("a", "b"), True, texts=("A", "B")),
        "dot": Value(("x.y",), True),
        "plain": one("x.y"),
        "all": Value(("a",), True, ".*"),
    }
    assert filled(text, known) == written


@pytest.mark.parametrize(
    ("archived", "points", "least", "interval", "rate"),
    [
        # https://grafana.com/docs/grafana/latest/datasources/prometheus/template-variables/: at least four scrapes, else interval + scrape
        (False, 600, "", "5s", "20s"), (True, 600, "", "1m", "4m"), (False, 600, "30s", "30s", "2m"), (False, 6, "", "5m", "5m5s"),
    ],
)  # fmt: skip
def test_the_rate_interval_follows_the_scrape_interval_of_the_data_source(archived, points, least, interval, rate):
    _, known = Window(0, 1800, archived).steps(points, least)
    assert filled("$__interval $__rate_interval", known) == f"{interval} {rate}"


def test_an_interval_that_is_none_gets_a_sentence():
    with pytest.raises(LabProblem, match="is no interval"):
        intervals.milliseconds("soon")


@pytest.mark.parametrize(("include_all", "values"), [(True, ("a", "b")), (False, ("a",))])
def test_all_is_chosen_only_where_the_variable_offers_it(include_all, values):
    made = variable("job", "a, b", "custom", includeAll=include_all, current={"value": ["$__all"], "text": ["All"]})
    found = choices(reader.of(board(templating={"list": [made]})), Window(0, 1800), {})
    assert found.known["job"].values == values and not found.notes


@pytest.mark.parametrize(
    ("name", "said"),
    [("jobs", " Did you mean job?"), ("__rate_intervl", " Did you mean __rate_interval?"), ("cluster", ""), ("db", "")],
)
def test_a_name_that_is_no_variable_is_not_taken_for_one_that_resembles_it_a_little(name, said):
    assert resembling(name, ["job", "instance", "__user", "__rate_interval"]) == said


@pytest.mark.parametrize("source", ["$datasource", {"uid": "${datasource}"}])
def test_a_data_source_that_is_not_here_is_named_on_the_panel_that_takes_it_from_a_variable(source):
    asked = {"refId": "A", "namespace": "AWS/EC2", "metricName": "CPUUtilization"}
    made = board(
        panel(datasource=source, targets=[asked]),
        templating={
            "list": [variable("datasource", "cloudwatch", "datasource", current={"text": "default", "value": "default"})]
        },
    )
    found = reader.of(made)
    known = choices(found, Window(0, 1800), {}).known
    assert 'the data source "cloudwatch"' in run(found.panels[0], Window(0, 1800), known).error


def test_variables_of_the_file_are_read():
    made = variable("job", {"query": "label_values(up, job)", "refId": "x"}, includeAll=True, current={"value": ["$__all"]})
    found = reader.parse(json.dumps(board(templating={"list": [made]}))).variables[0]
    assert found.query == "label_values(up, job)" and found.current == ("$__all",) and found.include_all
