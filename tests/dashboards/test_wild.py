"""Dashboards that nobody here made: each is shown, listed and checked, and what is not supported is named."""

import json
import random
import re

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import pytest
from clones import REPO
from hypothesis import given, settings
from hypothesis import strategies as st
from june_boards import SPAN, june
from wild import RAISES, SAYS

from monlab import dashboards as dashboard
from monlab.problem import LabProblem
from monlab.settings import settings as lab_settings

COMMITTED = [path.read_text("utf-8") for path in sorted((REPO / "stack" / "grafana" / "dashboards").glob("*.json"))]
JUNK = (
    None, 0, -1, 1.5, float("nan"), float("inf"), 1e300, 10**400, True, "", "text", "12", "$job", "${x:regex}", "[[y]]", "/(/", "now/d", [], {}, [None], [1], {"a": None},
    "x" * 5000, "é\u202e\x00\n", "-- Mixed --", "{{", "\\", "1m", ">10s", "soon", "%",
)  # fmt: skip

pytestmark = pytest.mark.usefixtures(june.__name__)


def what_is_said(what):
    """All sentences: above the panels, on them, and of the check."""
    figure = shown(what)
    words = [text.get_text() for axes in [figure, *figure.axes] for text in axes.texts]
    plt.close("all")
    asked = dashboard.results(what, **SPAN)
    checked = dashboard.check(what, **SPAN)
    return "\n".join([*words, *asked.error, *checked.sentence]).replace("\\$", "$")


def shown(what):
    dashboard.show(what, **SPAN)
    plt.savefig("/dev/null", format="png", dpi=15)
    return plt.gcf()


@pytest.mark.parametrize("name", SAYS)
def test_a_dashboard_from_elsewhere_is_drawn_and_what_is_missing_is_named(name):
    what, *wanted = SAYS[name]
    said = what_is_said(what)
    assert "Traceback" not in said
    for words in wanted:
        assert re.sub(r"\s+", " ", words) in re.sub(r"\s+", " ", said)


@pytest.mark.parametrize("name", RAISES)
def test_what_is_no_dashboard_gets_one_clear_sentence_from_each_function(name):
    what, words = RAISES[name]
    for ask in (dashboard.show, dashboard.results, dashboard.check):
        with pytest.raises(LabProblem) as raised:
            ask(what, **SPAN)
        assert words in str(raised.value) and len(str(raised.value).splitlines()) == 1


def places(value):
    """Every place of a JSON value: what holds it, and under which key."""
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield value, key
        yield from places(value[key])


@settings(max_examples=20, deadline=None, derandomize=True)
@given(st.randoms(use_true_random=False), st.integers(1, 12))
def test_no_mutation_of_a_dashboard_crashes(chance: random.Random, changes):
    what = json.loads(chance.choice(COMMITTED))
    what["panels"] = chance.sample(what["panels"], min(3, len(what["panels"])))
    for _ in range(changes):
        holder, key = chance.choice(list(places(what)) or [(what, "title")])
        if chance.random() < 0.3 and key in holder:
            del holder[key]
        else:
            holder[key] = chance.choice(JUNK)
    try:
        shown(what)
        dashboard.check(what, **SPAN)
    except LabProblem as problem:
        assert len(str(problem).splitlines()) == 1
    plt.close("all")


def test_a_lab_that_is_down_is_named_on_each_panel(monkeypatch, tmp_path):
    there = lab_settings({"XDG_STATE_HOME": str(tmp_path)}, REPO)
    for module in ("monlab.telemetry.prometheus", "monlab.dashboards.asking"):
        monkeypatch.setattr(f"{module}.settings", lambda: there)
    found = dashboard.results("shop-overview", **SPAN)
    assert len(found) and found.error.str.contains("is not up").all()
    assert "is not up" in what_is_said("shop-overview")
