"""Units, reducers, intervals, legends and thresholds against what Grafana's own code answered (made by make_cases.cjs)."""

import json
import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from monlab.dashboards import intervals, legends, looks, reducers, units
from monlab.dashboards.model import Panel, Threshold

CASES = json.loads(Path(__file__).with_name("cases.json").read_text("utf-8"))


def answer(case):
    match case["kind"]:
        case "unit":
            return units.formatted(case["value"], case["unit"], case["decimals"])
        case "reducer":
            values = np.array([math.nan if one is None else one for one in case["values"]], float)
            return reducers.reduce(values, case["reducer"])
        case "rounded":
            return intervals.rounded_ms(case["interval_ms"])
        case "words":
            return intervals.words(case["seconds"] * 1000)
        case "milliseconds":
            return intervals.milliseconds(case["text"])
        case "step":
            return intervals.step_ms(case["range_ms"], case["points"], intervals.milliseconds(case["least"]))
        case "legend":
            return legends.rendered(case["pattern"], case["labels"])
        case "color":
            steps = tuple(Threshold(value, color) for value, color in case["steps"])
            return looks.Look(Panel(1, "", "stat", 0, 0, 6, 4, thresholds=steps), "", "").shade(case["value"])
    raise AssertionError(case["kind"])


def named(case):
    return " ".join(str(value) for key, value in case.items() if key not in ("expected", "values"))


@pytest.mark.parametrize("case", CASES, ids=named)
def test_ours_answers_as_grafana_does(case):
    found, expected = answer(case), case["expected"]
    if case["kind"] == "reducer":
        assert found == pytest.approx(math.nan if expected is None else expected, rel=1e-12, nan_ok=True)
    elif case["kind"] == "color":
        assert found == looks.color_of(expected)
    else:
        assert found == expected


def test_the_table_is_large_and_has_every_kind():
    kinds = Counter(case["kind"] for case in CASES)
    assert kinds.total() >= 120 and kinds.keys() == {
        "unit",
        "reducer",
        "rounded",
        "words",
        "milliseconds",
        "step",
        "legend",
        "color",
    }


@pytest.mark.parametrize("value", [math.inf, -math.inf, 1e308, -1e308, 1e-320])
@pytest.mark.parametrize("decimals", [None, 0, 2, 15])
def test_the_largest_and_smallest_numbers_are_written_in_every_unit(value, decimals):
    """A division by zero is infinite in each unit; Grafana itself has no sensible text for some of these."""
    for unit in (*units.KNOWN, "suffix:orders", "si:mF", "count:orders", "currency:CHF", "something"):
        text = units.formatted(value, unit, decimals)
        assert "inf" not in text.lower() and "nan" not in text.lower(), (unit, text)
