"""Frames and error positions from answers as servers give them."""

import math

import numpy as np
import pytest

from monlab.problem import LabProblem
from monlab.telemetry import frames
from monlab.telemetry.errors import QueryProblem
from monlab.telemetry.prometheus import Prometheus, seconds_of


def test_an_instant_answer_has_a_column_for_each_label_and_the_value_last():
    frame = frames.table("vector", [{"metric": {"a": "1"}, "value": [0, "2"]}, {"metric": {"b": "x"}, "value": [0, "NaN"]}])
    assert list(frame.columns) == ["a", "b", "value"] and frame.value[0] == 2 and math.isnan(frame.value[1])


@pytest.mark.parametrize(("kind", "result", "value"), [("scalar", [0, "3.5"], 3.5), ("string", [0, "x"], "x")])
def test_scalars_and_strings_are_one_cell(kind, result, value):
    assert frames.table(kind, result).value.tolist() == [value]


def test_an_empty_answer_still_has_its_value_column():
    assert list(frames.table("vector", []).columns) == ["value"] and list(frames.table("matrix", []).columns) == ["time", "value"]
    assert frames.wide([]).empty


def test_a_native_histogram_counts_its_observations():
    series = {"metric": {"__name__": "h"}, "histogram": [0, {"count": "7", "sum": "1", "buckets": []}]}
    assert frames.table("vector", [series]).value.tolist() == [7]


def test_a_range_answer_is_wide_in_utc_with_gaps():
    result = [
        {"metric": {"x": "a", "y": "1"}, "values": [[60, "1"], [120, "2"]]},
        {"metric": {"x": "b", "y": "1"}, "values": [[120, "5"]]},
    ]
    frame = frames.wide(result)
    assert list(frame.columns) == ['{x="a"}', '{x="b"}'] and str(frame.index.tz) == "UTC" and math.isnan(frame.iloc[0, 1])


def test_a_gap_of_all_series_is_a_row_of_its_own():
    frame = frames.wide([{"metric": {}, "values": [[0.5, "1"], [20.5, "2"]]}], np.array([0.5, 10.5, 20.5]))
    assert frame["value"].isna().tolist() == [False, True, False]


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        ([{"__name__": "up"}], ["up"]),
        ([{}], ["value"]),
        ([{"job": "a"}], ['{job="a"}']),
        ([{"__name__": "m", "job": "a"}, {"__name__": "n", "job": "a"}], ["m", "n"]),
        ([{"job": "a"}, {}], ['{job="a"}', "value"]),
    ],
)
def test_series_are_named_by_what_tells_them_apart(labels, names):
    assert frames.series_names(labels) == names


@pytest.mark.parametrize(
    ("query", "message", "shown"),
    [
        ("up{", "1:4: parse error: unexpected end", "unexpected end\n  up{\n     ^ line 1, column 4"),
        ("sum(\n  up[", "2:6: parse error: unclosed", "unclosed\n    up[\n       ^ line 2, column 6"),
        ("x", "query timed out", "query timed out"),
        (
            "a" * 500 + "!" + "b" * 500,
            "1:501: parse error: unexpected",
            f"unexpected\n  …{'a' * 80}!{'b' * 79}…\n  {' ' * 81}^ line 1, column 501",
        ),
        ("(" * 900, "1:900: parse error: unclosed", f"unclosed\n  …{'(' * 160}\n  {' ' * 160}^ line 1, column 900"),
        ("", "1:1: parse error: no expression found", "no expression found\n  \n  ^ line 1, column 1"),
    ],
)
def test_a_refusal_points_into_the_query(query, message, shown):
    assert str(QueryProblem(query, message)).endswith(shown)


@pytest.mark.parametrize(
    ("text", "seconds"), [("30s", 30), ("1h30m", 5400), ("500ms", 0.5), (90, 90), (np.int64(90), 90), ("7d", 604800)]
)
def test_durations_are_read_as_prometheus_writes_them(text, seconds):
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "5", "5 minutes", "m5", "5x", "-5m", [], {}, None])
def test_what_is_no_duration_is_told(text):
    with pytest.raises(LabProblem, match="no duration"):
        seconds_of(text)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"step": 0}, "step"),
        ({"step": "0s"}, "step"),
        ({"step": -60}, "step"),
        ({"step": float("nan")}, "step"),
        ({"step": float("inf")}, "step"),
        ({"last": float("nan")}, "window"),
        ({"last": -300}, "window"),
        ({"last": float("inf")}, "window"),
    ],
)
def test_a_range_that_leads_nowhere_is_told_before_anybody_is_asked(words, said):
    with pytest.raises(LabProblem, match=f"A {said} of "):
        Prometheus("prometheus", "http://nobody.invalid").query_range("up", end=0.0, **words)
