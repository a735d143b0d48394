"""Steps, times, nulls, mappings and variables as Grafana's documentation has them: documented.yaml gives the page of each case."""

import math
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import yaml
from files import board, panel

from monlab.dashboards import reader, running, times
from monlab.dashboards.looks import Look
from monlab.dashboards.pictures.gaps import filled_gaps
from monlab.dashboards.reducers import reduce
from monlab.dashboards.variables import Value, filled, one
from monlab.dashboards.window import Window

GROUPS = yaml.safe_load(Path(__file__).with_name("documented.yaml").read_text("utf-8"))
CASES = [{"kind": group["kind"], "page": group["page"], **case} for group in GROUPS for case in group["cases"]]
NOW = datetime(2026, 6, 24, 10, 30, tzinfo=UTC).timestamp()


def of(kind):
    found = [case for case in CASES if case["kind"] == kind]
    return pytest.mark.parametrize("case", found, ids=[case["why"] for case in found])


def seconds(when):
    return when.replace(tzinfo=UTC).timestamp()


def samples(text):
    """Minutes and values; `-` is null, and at `.` there is no sample at all."""
    found = [(60.0 * place, part) for place, part in enumerate(text.split()) if part != "."]
    return np.array([when for when, _ in found]), np.array([math.nan if part == "-" else float(part) for _, part in found])


@of("interval")
def test_steps_and_intervals(case):
    window = Window(0, case["range"], archived=case["scrape"] == 60)
    step, known = window.steps(case["points"], case.get("min_step", ""), case.get("min_interval", ""), case.get("factor", 1))
    found = [step / 1000, *(filled(name, known) for name in ("$__interval", "$__rate_interval", "$__interval_ms"))]
    assert found == [case["step"], case["interval"], case["rate"], str(case["step"] * 1000)]


@of("time")
def test_relative_time_and_time_shift_of_a_panel(case):
    window = Window(NOW - 1800, NOW, archived=case.get("absolute", False))
    found, said = times.overridden(window, case.get("relative", ""), case.get("shift", ""))
    assert (found.start, found.end) == pytest.approx((seconds(case["start"]), seconds(case["end"])))
    assert said and ("no effect" in said) == case.get("absolute", False)


@of("moment")
def test_relative_moments(case):
    assert times.moment(case["text"], NOW, case.get("upward", False)) == pytest.approx(seconds(case["at"]))


@of("nulls")
def test_nulls_in_a_line(case):
    made = panel(kind="graph", nullPointMode=case["old"]) if "old" in case else panel()
    made["fieldConfig"]["defaults"]["custom"] = case.get("custom", {})
    _, values = filled_gaps(*samples(case["samples"]), reader.of(board(made)).panels[0])
    words = "".join("x" if there else " " for there in ~np.isnan(values)).split()
    assert [len(word) for word in words] == case["stretches"]


@of("reducer")
def test_reducers_of_samples_with_nulls(case):
    found = reduce(samples(case["samples"])[1], case["id"])
    assert found == pytest.approx(math.nan if case["is"] is None else case["is"], nan_ok=True)


@of("target")
def test_queries_over_a_range_and_at_once(case):
    made = panel(kind=case.get("panel", "timeseries"))
    made["targets"][0] |= case["target"]
    found = reader.of(board(made)).panels[0]
    assert running.at_once(found, found.targets[0]) == case["at_once"]
    assert case.get("said", "") in " ".join(found.notes)


@of("mapping")
def test_value_mappings(case):
    made = panel(unit=case.get("unit", ""))
    made["fieldConfig"]["defaults"]["mappings"] = [case["mapping"]]
    found = reader.of(board(made)).panels[0]
    if isinstance(case["value"], str):
        from monlab.dashboards.mappings import mapped

        assert mapped(found.mappings, case["value"])[0] == case["text"]
    else:
        assert Look(found, "", "").text(case["value"]) == case["text"]


@of("variable")
def test_variables_in_their_formats(case):
    known = {
        "servers": Value(("test1", "test2"), True, texts=("test1", "test2")),
        "dots": Value(("test1.", "test2"), True),
        "odd": Value(("foo()bar BAZ", "test2"), True),
        "quote": Value(("test'1", "test2"), True),
        "__from": one("1594671549254"),
    }
    assert filled(case["text"], known) == case["is"]


def test_every_case_has_a_page_of_grafanas_documentation():
    assert len(CASES) >= 90 and all(case["page"].startswith("https://grafana.com/docs/grafana/") for case in CASES)
    assert {case["kind"] for case in CASES} == {"interval", "time", "moment", "nulls", "reducer", "target", "mapping", "variable"}
