"""Dashboards as answers: what is read of them, what their numbers mean to a reader, and what no trick hides."""

import json
import time
from copy import deepcopy
from dataclasses import replace
from random import Random

import pytest
from test_every_check import SAMPLES
from waits import in_time

from monlab import endpoints
from monlab.grading import exchange, json_answers, learner, registry
from monlab.grading.panel_units import meaning
from monlab.grading.verdict import State
from monlab.grading.yaml_answers import Unreadable
from monlab.settings import settings

CHECK = next(check for check in SAMPLES if check.id == "m90.q14")
RIGHT = json.loads(CHECK.reference)


def board(**more):
    return {**json.loads(CHECK.reference), **more}


def with_panel(place=0, **more):
    made = board()
    made["panels"][place] = {**made["panels"][place], **more}
    return made


def with_query(expr, place=0):
    return with_panel(place, targets=[{"refId": "A", "expr": expr}])


def with_defaults(place=0, **more):
    made = board()
    made["panels"][place]["fieldConfig"]["defaults"] |= more
    return made


def with_override(name, value, place=0, **defaults):
    """A board one of whose panels changes a property of all its series."""
    made = with_defaults(place, **defaults)
    rule = {"matcher": {"id": "byRegexp", "options": ".*"}, "properties": [{"id": name, "value": value}]}
    made["panels"][place]["fieldConfig"]["overrides"] = [rule]
    return made


def expr(place=0):
    return RIGHT["panels"][place]["targets"][0]["expr"]


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    """A workspace of this test's own."""
    own = replace(settings(), workspace=tmp_path / "workspace")
    own.workspace.mkdir()
    monkeypatch.setattr(json_answers, "settings", lambda: own)
    return own.workspace


def in_milliseconds():
    made = with_query(f"1000 * {expr(1)}", 1)
    made["panels"][1]["fieldConfig"]["defaults"]["unit"] = "ms"
    return made


def said(answer, seconds=5.0):
    start = time.monotonic()
    verdict = CHECK.verdict(answer)
    assert in_time(time.monotonic() - start, seconds)
    return verdict


def is_wrong(answer, words):
    verdict = said(answer)
    assert verdict.state is State.WRONG and words in verdict.message, verdict


def is_right(answer):
    assert said(answer).state is State.RIGHT, said(answer)


# --- what is read --------------------------------------------------------------------------------------------------------


def test_text_dict_and_file_are_the_same_answer(whole_archive, workspace):
    (workspace / "mine.json").write_text("\ufeff" + CHECK.reference, "utf-8")
    for answer in (RIGHT, CHECK.reference, "mine.json", workspace / "mine.json", str(workspace / "mine.json")):
        is_right(answer)


def test_what_is_kept_of_a_file_is_what_it_held(workspace):
    (workspace / "mine.json").write_text(CHECK.reference, "utf-8")
    assert CHECK.kept("mine.json") == CHECK.reference
    assert CHECK.kept("away.json") == "away.json" and CHECK.kept(RIGHT) is RIGHT


def test_an_exported_file_is_graded_where_the_file_is_not(samples, whole_archive, workspace, tmp_path):
    mine = workspace / "mine.json"
    mine.write_text(CHECK.reference, "utf-8")
    assert learner.check(CHECK.id, "mine.json").state is State.RIGHT
    exchange.export(tmp_path / "answers.json", settings())
    mine.unlink()
    [graded] = exchange.grade(tmp_path / "answers.json", settings())
    assert graded.verdict.state is State.RIGHT


def test_no_file_outside_the_workspace_is_opened(whole_archive, workspace, tmp_path):
    secret = tmp_path / "secret.json"
    secret.write_text(CHECK.reference, "utf-8")
    (workspace / "link.json").symlink_to(secret)
    for name in ("../secret.json", str(secret), "link.json"):
        is_wrong(name, "outside the workspace. It was not opened.")
    is_wrong("nowhere.json", "There is no file nowhere.json in the workspace.")


def test_an_empty_stub_is_not_attempted(whole_archive):
    assert {said(answer).state for answer in ("", {}, None, "# nothing yet")} == {State.NOT_ATTEMPTED}


def loop():
    made = board()
    made["more"] = [made]
    return made


def deep():
    made = inside = {}
    for _ in range(2000):
        inside["a"] = inside = {}
    return board(more=made)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("title: Sample\npanels: []", "neither JSON nor the name of a file"),
        ('{"title": "x", }', "no JSON that can be read"),
        ('{"title": NaN}', "NaN is no number there"),
        ("[1]", "no object"),
        ('{"a": ' + "[" * 200_0 + "]" * 200_0 + "}", "levels deep"),
        ('{"title": "x", "panels": 1' + "0" * 6000 + "}", "more digits than anybody reads"),
        ({"title": "x", "panels": [10**400]}, "a number that is larger than any here"),
        ({"title": "x", "panels": [float("inf")]}, "a number that is larger than any here"),
        ({"title": "x", 1: 2}, "a key that is no text"),
        ({"title": "x", "panels": [object()]}, "Python's type object"),
        ({"title": "\ud800", "panels": []}, "characters that cannot be seen"),
        ({"title": "{{" * 5000, "panels": []}, "One text of your answer has 10,000 characters"),
        ({"title": "x", "panels": [{}] * 30_000}, "more than 20,000 values"),
        ({"title": "x"}, "no dashboard"),
        ({"apiVersion": "dashboard.grafana.app/v2", "spec": {"elements": {}, "layout": {}}}, "v2 schema"),
        (board(panels=[{}] * 500), "500 panels"),
        (board(title=""), "no title"),
        (loop(), "levels deep"),
        (deep(), "levels deep"),
    ],
)
def test_what_is_not_read_says_why(answer, words, whole_archive):
    is_wrong(answer, words)


@pytest.mark.parametrize("regex", ["/((a+)+)+$/", "/(.*)*x/", "/a*a*a*a*a*a*b/"])
def test_a_pattern_that_never_ends_is_not_tried(regex, whole_archive):
    made = board()
    made["templating"]["list"][0]["regex"] = regex
    is_wrong(made, "repeats too much")
    by_name = {"matcher": {"id": "byRegexp", "options": regex}, "properties": [{"id": "unit", "value": "s"}]}
    made = board()
    made["panels"][0]["fieldConfig"]["overrides"] = [by_name]
    is_wrong(made, "repeats too much")


def test_a_query_nested_beyond_reading_is_judged_by_what_it_shows(whole_archive):
    is_wrong(with_query("(" * 3000 + "up" + ")" * 3000), "3 series where 1 is asked")
    assert said(with_query("(" * 3000 + expr() + ")" * 3000)).state is State.RIGHT


def test_a_greedy_query_is_refused_and_the_lab_goes_on(whole_archive):
    is_wrong(with_query('max(count_over_time({__name__=~".+"}[30d:1s]))'), "too many samples")
    is_right(RIGHT)


def test_without_the_archive_an_answer_is_not_wrong(own_state):
    assert said(RIGHT).state is State.LAB_PROBLEM


def test_an_archive_that_went_away_is_no_mistake(whole_archive):
    is_right(RIGHT)
    endpoints.write(settings(), "native", {"archive-prometheus": "http://127.0.0.1:9"})
    assert said(with_query("sum(up)")).state is State.LAB_PROBLEM


def odd_boards(many):
    """The reference with up to three values replaced by something odd, the same ones each time."""
    random = Random(7)
    odd = (
        None,
        1,
        -1,
        0.5,
        1e17,
        "x",
        "",
        "$__all",
        "${a:b:c}",
        "[[x",
        "{{",
        "/(/",
        "\\",
        [],
        {},
        [None],
        {"a": 1},
        True,
        [[]],
        "$job",
    )
    for _ in range(many):
        made = board()
        for _ in range(random.choice((1, 1, 2, 3))):
            places = [(above, key) for above, key in inside(made)]
            above, key = random.choice(places)
            above[key] = deepcopy(random.choice(odd))
        yield made


def inside(value):
    for key in value if isinstance(value, dict) else range(len(value)):
        yield value, key
        if isinstance(value[key], dict | list):
            yield from inside(value[key])


def test_no_odd_value_ends_in_an_exception(whole_archive):
    states = [said(made).state for made in odd_boards(150)]
    assert {*states} == {State.RIGHT, State.WRONG}


# --- what is right, however it is written --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        with_query(expr().replace("$job", "${job:regex}")),
        with_query(expr().replace("$job", "[[job]]")),
        with_query(expr().replace("rate(", "increase(")),
        with_query(f"clamp({expr()}, 0, 1)"),
        with_query(expr().replace("sum by (job)", "sum without (instance, code)")),
        with_query(f'label_replace({expr()}, "service", "$1", "job", "(.*)")'),
        with_query(expr().replace("$__rate_interval", "240s")),
        in_milliseconds(),
        with_panel(datasource="Prometheus"),
        with_panel(description="Was schiefgeht, als Anteil von allem."),
        with_panel(interval="5m"),
        with_panel(description="网关回答中失败的比例，超过百分之五就叫人"),
        board(panels=[*RIGHT["panels"], {**with_query("up == 7")["panels"][0], "title": "Nothing is wrong today"}]),
        with_panel(repeat="job", targets=[{"refId": "A", "expr": expr()}]),
        with_defaults(thresholds={"mode": "absolute", "steps": [{"color": "super-light-green"}, {"color": "semi-dark-red", "value": 0.05}]}),
        with_defaults(unit="percentunit", thresholds={"mode": "absolute", "steps": [{"color": "light-green"}, {"color": "#F2495C", "value": 0.05}]}),
        with_defaults(min=0, max=0.5, thresholds={"mode": "percentage", "steps": [{"color": "green", "value": None}, {"color": "red", "value": 10}]}),
        with_defaults(thresholds={"mode": "absolute", "steps": [{"color": "green"}, {"color": "dark-green", "value": 0.01}, {"color": "red", "value": 0.05}]}),
        *(with_panel(transformations=[{"id": one, "options": {}}]) for one in ("organize", "sortBy", "merge", "labelsToFields")),
        with_panel(transformations=[{"id": "renameByRegex", "options": {"regex": "(.*)", "renamePattern": "of $1"}}]),
        with_override("thresholds", {"mode": "absolute", "steps": [{"color": "green"}, {"color": "red", "value": 0.05}]}, thresholds=None),
        with_defaults(custom={"lineWidth": 3}, decimals=1, displayName="errors of ${__field.labels.job}"),
        board(schemaVersion=16),
        board(annotations={"list": []}, links=[], time={"from": "now-1h", "to": "now"}, refresh="5s"),
        board(panels=[{"type": "row", "title": "All", "collapsed": True, "panels": RIGHT["panels"]}]),
        board(panels=[*RIGHT["panels"], {"type": "text", "title": "Read me", "options": {"content": "Words."}}]),
    ],
)  # fmt: skip
def test_what_comes_to_the_same_is_right(answer, whole_archive):
    is_right(answer)


# --- what no trick hides -------------------------------------------------------------------------------------------------

SWAPPED = board(panels=[{**panel, "title": title} for panel, title in zip(RIGHT["panels"], ("Slow", "Errors"), strict=True)])
GUESSES = [{**with_query(f"vector({n})")["panels"][0], "title": f"Guess {n}"} for n in range(10)]
SECOND = {"matcher": {"id": "byName", "options": "shop"}, "properties": [{"id": "unit", "value": "percent"}]}
UNUSED = with_query(expr().replace('job=~"$job",', "").replace('{job=~"$job"}', ""))


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (with_query(""), "Query A is empty"),
        (with_panel(targets=[]), "has no query"),
        (with_query("no_such_metric"), "shows nothing"),
        (with_query("sum(rate(requests_total["), "refused the query"),
        (with_panel(targets=[{"refId": "A", "expr": expr(), "hide": True}]), "has no query"),
        (with_panel(type="stat"), "a course over time is asked"),
        (with_panel(targets=[{"refId": "A", "expr": expr(), "instant": True}]), "it shows one moment"),
        (with_panel(targets=[{"refId": "A", "expr": expr()}, {"refId": "B", "expr": "up"}]), "series where 1 is asked"),
        (with_panel(transformations=[{"id": "calculateField", "options": {}}]), "The transformation 'calculateField' is not run here"),
        (with_override("thresholds", {"mode": "absolute", "steps": [{"color": "green"}]}), "steps above the base"),
        (with_override("custom.hideFrom", {"viz": True}), "the panel shows nothing"),
        (with_defaults(unit=""), "no unit says what they are"),
        (with_defaults(unit="short"), "no unit says what they are"),
        (with_defaults(unit="s"), "calls them a time"),
        (with_query(f"100 * {expr()}"), "100 times too large"),
        (UNUSED, "series where 1 is asked"),
        (board(panels=[*RIGHT["panels"], with_query("up")["panels"][0]]), "is there twice"),
        (board(panels=RIGHT["panels"] * 2), "is there twice"),
        (with_panel(gridPos={"x": 0, "y": 0, "w": "12", "h": 6}), 'panels[0].gridPos.w is the text "12"; it must be a number.'),
        (with_panel(timeShift="1d"), "a time of its own"),
        ({"dashboard": with_panel(timeFrom="1h")}, "a time of its own"),
        (SWAPPED, "“Errors”"),
        (with_defaults(1, custom={"stacking": {"mode": "normal"}}), "its lines are stacked"),
        (board(panels=[*RIGHT["panels"], *GUESSES]), "10 panels beside those that were asked"),
        (board(templating={"list": [{**RIGHT["templating"]["list"][0], "hide": 2}]}), "is hidden"),
        (with_panel(datasource={"type": "influxdb", "uid": "x"}), "another data source than Prometheus"),
        (with_panel(description=""), "it has no description"),
        (with_panel(description="Errors."), "says nothing that the title does not say"),
        (with_panel(description="Wrong answers"), "has fewer than 3 words"),
        (board(templating={"list": []}), "no variable `job`"),
        (with_panel(type="geomap"), "not drawn here"),
        (with_query(f"{expr()} > 0.1"), "has gaps"),
        (with_query(f"{expr()} or vector(0)"), "series"),
    ],
)  # fmt: skip
def test_what_does_not_come_to_the_same_is_wrong(answer, words, whole_archive):
    is_wrong(answer, words)


def test_a_unit_for_one_series_counts(whole_archive):
    made = board()
    made["panels"][0]["targets"][0]["legendFormat"] = "{{job}}"
    made["panels"][0]["fieldConfig"]["overrides"] = [SECOND]
    is_wrong(made, "The unit says percent")


@pytest.mark.parametrize(
    ("unit", "other", "factor"),
    [
        ("percent", "percentunit", 0.01),
        ("ms", "s", 1e-3),
        ("dtdurations", "s", 1),
        ("suffix: ms", "s", 1e-3),
        ("suffix:%", "percentunit", 0.01),
        ("mbytes", "bytes", 2**20),
        ("decmbytes", "bytes", 1e6),
        ("MBs", "Bps", 1e6),
        ("MiBs", "binBps", 2**20),
        ("suffix: MiB/s", "Bps", 2**20),
        ("bps", "Bps", 1 / 8),
        ("opm", "reqps", 1 / 60),
        ("suffix:req/s", "reqps", 1),
        ("suffix: orders per minute", "opm", 1),
        ("req/s", "cps", 1),
        ("none", "short", 1),
        ("suffix: pieces", "short", 1),
        ("prefix:€", "currencyEUR", 1),
    ],
)
def test_units_that_say_the_same(unit, other, factor):
    mine, right = meaning(unit), meaning(other)
    assert mine.dimension == right.dimension
    assert mine.factor / right.factor == pytest.approx(factor)


@pytest.mark.parametrize(
    ("unit", "other"), [("s", "short"), ("bytes", "Bps"), ("percent", "none"), ("currencyUSD", "currencyEUR"), ("s", "reqps")]
)
def test_units_that_do_not(unit, other):
    assert meaning(unit).dimension != meaning(other).dimension


def test_a_text_that_is_no_json_is_never_opened():
    with pytest.raises(Unreadable):
        json_answers.text_of("/etc/passwd")


def test_no_message_of_a_known_mistake_holds_the_right_query():
    for check in registry.everything(settings()).values():
        if hasattr(check, "seen"):
            queries = {target["expr"] for panel in json.loads(check.reference)["panels"] for target in panel["targets"]}
            assert not [message for _, message in check.rejects for query in queries if query in message]
