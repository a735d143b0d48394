"""Whatever stands in an answer: it is looked at, never run, and ends in a sentence soon."""

import shutil
import time
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sample_checks import SAMPLE
from waits import in_time

from monlab.grading import bench, registry, yaml_answers
from monlab.grading.verdict import State
from monlab.settings import settings

KINDS = {type(check).__name__: check for check in registry.checks_of(SAMPLE).values()}
SECONDS = 3

LAUGHS = "a0: &a0 [lol, lol]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10))
NASTY = {
    "code": "__import__('os').system('touch {here}/ran')",
    "a python object": "!!python/object/apply:os.system ['touch {here}/ran']",
    "a tag of its own": "groups: !mine [1]",
    "a billion laughs": LAUGHS,
    "NUL": "up\0",
    "half a character": "up \ud800",
    "ten megabytes": "a" * 10_000_000,
    "ten megabytes of comment": "# \n" * 3_500_000,
    "ten megabytes of digits": "9" * 10_000_000,
    "brackets": "[" * 50_000,
    "a query as long as allowed": "(" * 9_999,
    "another file": "rule_files: [{here}/secret]\ntests: [{{interval: 1m}}]\ntemplates: [{here}/secret]\nroute: {{receiver: a}}\n",
    "a file above": "rule_files: ['../../../etc/passwd']\ntests: [{{interval: 1m}}]\n",
    "a file of credentials": "route: {{receiver: a}}\nreceivers: [{{name: a, slack_configs: [{{api_url_file: {here}/secret}}]}}]\n",
    "targets that are no targets": "- {{targets: {{a: b}}, labels: [1]}}\n",
    "steps that read a file": "- {{source_labels: [{here}/secret], regex: '(((a+)+)+)+$', action: 7}}\n",
    "a template": "{{{{ .Values }}}} {{% include '{here}/secret' %}}",
    "two documents": "a: 1\n---\nb: 2\n",
    "a key that is a list": "? [a, b]\n: c\n",
}
DEEP: list = []
for _ in range(100_000):
    DEEP = [DEEP]
ODD = {
    "bytes": b"up",
    "an object": object(),
    "a function": lambda: "up",
    "a frame": pd.DataFrame({"value": [1.0]}),
    "an array": np.array([1.0, 2.0]),
    "a truth": True,
    "a list of lists": [["a"], [1]],
    "a list of frames": [pd.DataFrame({"value": [1.0]})],
    "a list of arrays": [np.zeros(3), None],
    "a fraction that is none": Decimal("sNaN"),
    "a length of time": timedelta(seconds=1),
    "keys": {"a": 1, "b": 2}.keys(),
    "a moment that is none": pd.NaT,
    "a mapping": {"a": {"b": "c"}},
    "many texts": [str(n) for n in range(100_000)],
    "not a number": float("nan"),
    "infinity": float("inf"),
    "a number with 5,000 digits": 10**4999,
    "a type": str,
    "a list in a list in a list": DEEP,
}


def said(check, answer):
    """The verdict, which must come soon and be a sentence."""
    start = time.monotonic()
    verdict = check.verdict(answer)
    assert in_time(time.monotonic() - start, SECONDS)
    assert verdict.state is State.WRONG, verdict
    assert 20 < len(verdict.message) < 1500 and verdict._repr_html_() and str(verdict)
    return verdict


@pytest.mark.parametrize("answer", NASTY.values(), ids=NASTY)
@pytest.mark.parametrize("kind", KINDS)
def test_a_nasty_text_is_refused_in_a_sentence(kind, answer, whole_archive, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("s3cret-words", "utf-8")
    text = answer.replace("{here}", str(tmp_path)).replace("{{", "{").replace("}}", "}") if len(answer) < 10_000 else answer
    verdict = said(KINDS[kind], text)
    assert "s3cret" not in str(verdict)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("answer", ODD.values(), ids=ODD)
@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_of_another_type_is_told_what_is_wanted(kind, answer, whole_archive):
    said(KINDS[kind], answer)


def test_the_message_names_the_wanted_type():
    assert "The answer is a PromQL query, as a text; yours is of Python's type DataFrame." in str(
        KINDS["PromQLCheck"].verdict(ODD["a frame"])
    )


def test_a_query_beyond_the_server_is_refused_and_the_next_one_answered(small_archive):
    check = KINDS["PromQLCheck"]
    greedy = check.verdict('max(count_over_time({__name__=~".+"}[30d:1s]))')
    assert greedy.state is State.WRONG and "more samples than Prometheus may load" in greedy.message
    assert check.verdict(check.reference).state is State.RIGHT


@pytest.mark.live
@pytest.mark.parametrize("rules", ["5", "1.5", "true", ".nan", "2026-06-01", "{a: 1}", "x", "[5]", "[[5]]"])
@pytest.mark.parametrize("around", ["groups: [{{name: a, rules: {}}}]", "groups: {}", "groups: [{}]", "{}"])
def test_a_rule_file_of_odd_values_is_refused_in_a_sentence(rules, around, own_state):
    said(KINDS["RulesCheck"], around.format(rules))


@pytest.fixture
def checks_apart(monkeypatch):
    """The folder in which this test alone tries answers; others use the usual one at the same time."""
    monkeypatch.setattr(bench, "FOLDER", ".checks-apart")
    folder = settings().workspace / bench.FOLDER
    yield folder
    shutil.rmtree(folder)


@pytest.mark.live
def test_nothing_is_left_of_the_folder_in_which_an_answer_was_tried(own_state, checks_apart):
    said(KINDS["RulesCheck"], "groups: [{name: a, rules: [{record: x, expr: 'rate(('}]}]")
    assert not list(checks_apart.iterdir())


@pytest.mark.live
def test_a_folder_that_another_check_takes_away_meanwhile_is_no_trouble(own_state, checks_apart, monkeypatch):
    checks_apart.mkdir(parents=True)
    monkeypatch.setattr(Path, "iterdir", lambda self: iter([self / "gone"]))
    said(KINDS["RulesCheck"], "groups: [{name: a, rules: [{record: x, expr: 'rate(('}]}]")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: [1", "is no YAML that can be read"),
        ("a: !!binary aGk=", "the YAML tag !!binary"),
        (LAUGHS, "more than 20 YAML aliases"),
        ("[" * 50 + "]" * 50, "nested more than 40 levels"),
        ("a: 2026-06-45", "is no YAML that can be read"),
    ],
)
def test_yaml_that_is_not_read_says_why(text, words):
    with pytest.raises(yaml_answers.Unreadable, match=words):
        yaml_answers.read(text)


@pytest.mark.live
@pytest.mark.parametrize(
    ("tests", "words"),
    [
        ("[1]", "`tests:` is a list of tests"),
        ("[{alert_rule_test: 5}]", "`alert_rule_test:` is a list of expectations"),
        ("[{promql_expr_test: [5]}]", "`promql_expr_test:` is a list of expectations"),
        ("[{promql_expr_test: {a: 1}}]", "`promql_expr_test:` is a list of expectations"),
        ("[{interval: [1]}]", "is no duration"),
        ("[{interval: 1m, more: 1}]", "promtool cannot read your test: "),
    ],
)
def test_a_unit_test_that_is_none_says_what_is_wrong_and_not_in_pythons_words(tests, words, own_state):
    verdict = said(KINDS["RuleTestCheck"], f"rule_files: [rules.yml]\ntests: {tests}\n")
    assert words in verdict.message and "object" not in verdict.message, verdict


@pytest.mark.live
def test_promtools_words_are_said_once(own_state):
    verdict = KINDS["RulesCheck"].verdict("groups: [{name: a, rules: [{alert: ShopDown, expr: up, for: 2min}]}]")
    assert verdict.message.count("unknown unit") == 1 and "rules.yml" not in verdict.message, verdict


def test_an_alias_or_two_are_fine():
    assert yaml_answers.read("a: &x {b: 1}\nc: *x\n") == {"a": {"b": 1}, "c": {"b": 1}}
