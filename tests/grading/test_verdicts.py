"""The four states, what a wrong answer is told, and how quickly."""

import json
import time
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from throwaway_prometheus import prometheus
from waits import in_time

import monlab
from monlab import endpoints
from monlab.grading import asking, cache, choice, learner, moment, number, tried
from monlab.grading.check import Check
from monlab.grading.results import Refusal
from monlab.grading.units import quantity
from monlab.grading.verdict import CheckFailed, State
from monlab.problem import LabProblem
from monlab.progress.store import Store, _packed
from monlab.settings import settings

NOTHING = [None, ..., "", "  \n", "...", "# Your answer goes here.", "# a\n\n# b", [], set(), frozenset(), ["", None]]


@pytest.mark.parametrize("answer", NOTHING, ids=repr)
def test_an_empty_stub_is_not_attempted_whatever_the_kind(answer, samples, own_state):
    for check in samples.values():
        assert check.verdict(answer).state is State.NOT_ATTEMPTED, check.id


def test_a_stub_runs_clean_even_in_strict_mode(samples, own_state, monkeypatch):
    monkeypatch.setenv("STRICT", "1")
    assert monlab.check("m90.q1", "").state is State.NOT_ATTEMPTED


def test_strict_mode_raises_for_a_wrong_answer_and_for_a_lab_that_is_down(samples, small_archive, monkeypatch):
    assert monlab.check("m90.q5", "irate").state is State.WRONG
    monkeypatch.setenv("STRICT", "1")
    assert monlab.check("m90.q5", "rate").state is State.RIGHT
    with pytest.raises(CheckFailed, match=r"m90\.q5: wrong\. It looks at the last two samples"):
        monlab.check("m90.q5", "irate")
    endpoints.write(settings(), "", {})
    with pytest.raises(CheckFailed, match=r"m90\.q1: lab problem"):
        monlab.check("m90.q1", "up")


@pytest.mark.parametrize(
    ("urls", "words"),
    [
        ({}, 'archive-prometheus is not up. Run `stack.up("month")`'),
        ({"archive-prometheus": "http://127.0.0.1:9"}, "archive-prometheus does not answer at http://127.0.0.1:9"),
    ],
    ids=["down", "gone"],
)
def test_a_lab_that_is_down_is_never_a_wrong_answer(urls, words, samples, own_state):
    endpoints.write(settings(), "native", urls)
    for id in ("m90.q1", "m90.q4"):
        verdict = samples[id].verdict("17")
        assert verdict.state is State.LAB_PROBLEM and words in verdict.message, verdict
        assert "./lab up month" in verdict.message


@pytest.mark.live
def test_a_server_without_the_month_is_a_lab_problem(samples, own_state, tmp_path):
    with prometheus(tmp_path / "empty") as url:
        endpoints.write(settings(), "native", {"archive-prometheus": url})
        verdict = samples["m90.q1"].verdict("up")
    assert verdict.state is State.LAB_PROBLEM and "holds nothing of the archived month" in verdict.message


Q2 = 'sum by (instance) (rate(requests_total{job="shop"}[10m]))'
WRONG = {
    "refused": ("sum by (instance) (rate(requests_total[10m])", "unclosed left parenthesis\n  sum by"),
    "a range vector": ('requests_total{job="shop"}[10m]', "is a range vector"),
    "a string": ('"hello"', "is a string"),
    "a scalar": ("42", "is a scalar"),
    "empty": ('rate(requests_total{job="shoop"}[10m])', "gives nothing at any instant"),
    "series": ("sum by (instance) (rate(requests_total[10m]))", "gives 3 series where 2 are wanted"),
    "extra label": ('sum by (instance, job) (rate(requests_total{job="shop"}[10m]))', "the label `job` should not be left in it"),
    "missing label": ('sum by (code) (rate(requests_total{job="shop"}[10m]))', "it lacks the label `instance`"),
    "other series": (f'label_replace({Q2}, "instance", "$1", "instance", "(.*):.*")', '{instance="shop-1"} is none of the wanted series'),
    "a value too many": (f'{Q2} or sum by (instance) (rate(requests_total{{job="shop"}}[10m] offset 1d))', "has a value where none is wanted"),
    "no value": (f"{Q2} > 2", "has no value, and one is wanted"),
    "60 times": (f"{Q2} * 60", "all are 60 times too large: per minute where per second was asked"),
    "a hundredth": (f"{Q2} / 100", "all are 100 times too small"),
    "sign": (f"-{Q2}", "all have the wrong sign"),
    "a factor": (f"{Q2} * 1.5", "all are 1.5 times the right ones"),
    "upside down": (f"1 / {Q2}", "the ratio stands upside down"),
    "complement": (f"1 - {Q2}", "each is 1 minus the right one"),
    "some values": ('sum by (instance) (rate(requests_total{job="shop"}[11m]))', "the values differ at"),
    "too long": ("up" + " " * 10_000 + "+ up", "10,006 characters"),
}  # fmt: skip


@pytest.mark.parametrize(("query", "words"), WRONG.values(), ids=WRONG)
def test_a_wrong_query_hears_the_first_condition_that_fails(query, words, samples, small_archive):
    verdict = samples["m90.q2"].verdict(query)
    assert verdict.state is State.WRONG and words in verdict.message and not verdict.mistake, verdict


def test_native_histograms_are_no_numbers():
    answer = {"resultType": "matrix", "result": [{"metric": {}, "histograms": [[1781516700, {"count": "1"}]]}]}
    found = asking.metrics.outcome("x", [answer], moment("2026-06-15 09:45"))
    assert isinstance(found, Refusal) and "histogram_quantile" in found.sentence


def test_a_query_that_takes_too_long_is_given_up(samples, small_archive, monkeypatch):
    samples["m90.q2"].verdict("up")  # what the reference gives is known from here on
    monkeypatch.setattr(asking, "SERVER_SECONDS", 0.001)
    verdict = samples["m90.q2"].verdict('quantile_over_time(0.5, requests_total{job="shop"}[30d])')
    assert verdict.state is State.WRONG and "gave up on your query after 0.001 s" in verdict.message


def test_a_refusal_of_loki_points_into_the_query(samples, whole_archive):
    verdict = samples["m90.q12"].verdict('sum by (service) (count_over_time({level="error"}[1h])')
    assert verdict.state is State.WRONG and "^ line 1, column" in verdict.message


def test_what_would_steer_a_terminal_is_not_repeated(samples, own_state):
    assert "\x1b" not in str(samples["m90.q7"].verdict('groups: [{name: "\\e[2J", rules: [{alert: "\\e[2J", expr: up}]}]'))


def test_a_wrong_query_sees_its_own_series_beside_the_wanted_shape(samples, small_archive):
    verdict = samples["m90.q2"].verdict('sum by (code) (rate(requests_total{job="shop"}[10m]))')
    assert 'yours:  2 series, labels code: {code="200"} ' in str(verdict) and "wanted: 2 series, labels instance" in str(verdict)
    assert "<td>wanted</td>" in verdict._repr_html_() and "rate(" not in verdict._repr_html_()


def test_no_value_of_the_reference_is_told(samples, small_archive):
    """A query that is far off sees its own values and ratios, and none of the right ones."""
    right = samples["m90.q1"].archive.kept(samples["m90.q1"].reference, samples["m90.q1"].at)
    told = str(samples["m90.q1"].verdict("sum(memory_bytes)"))
    assert not [value for value in right.values.ravel() if value and f"{value:.4g}" in told]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (
            'sum(rate({__name__="requests_total", code="500", job=~"shop"}[60m])) * (1 / sum(rate(requests_total{job="shop",code!="500"}[1h])))',
            "You divided by the good requests, not by all of them.",
        ),
        (
            'sum(rate(requests_total{code=~"5.+",job="shop"}[1m])) / sum(rate(requests_total{job="shop"}[1m]))',
            "",  # empty as well, and of other words: nobody knows why
        ),
    ],
)
def test_a_mistake_is_recognised_by_what_it_comes_to(query, message, samples, small_archive):
    assert samples["m90.q1"].verdict(query).mistake == message


NUMBERS = {
    "40": "too small",
    "0.72": "60 times too small",
    "0.72 h": None,
    "2592": "60 times too large",
    "43.2 %": "Your answer is a share; the question asks for a time in min",
    "44.64": "a month of 31 days",
    "40.32": None,
    "0.0231481": "1 divided by the right number",
    "-43.2": "the wrong sign",
    "43.5": "not far off",
    "42.1875": "not far off",  # 43.2 / 1.024, and no slip of KiB: these are minutes
    "2.6 ks": "'ks' is no unit of a time",
    "~43.2 min": None,
    "about 43.2 minutes.": None,
    "0.432": "0.432 min is too small",  # a hundredth, and no share
    "forty": "cannot be read as a number",
    "1/2": "cannot be read as a number",
    "43.2 min of 30 d": "cannot be read as a number",
}


@pytest.mark.parametrize(("answer", "words"), NUMBERS.items(), ids=NUMBERS)
def test_a_wrong_number_hears_which_slip_it_is(answer, words, samples, own_state):
    verdict = samples["m90.q3"].verdict(answer)
    if words is None:
        assert verdict.state is State.RIGHT or verdict.mistake
    else:
        assert words in verdict.message and not verdict.mistake, verdict


@pytest.mark.parametrize(
    ("text", "value", "dimension"),
    [
        ("43.2 min", 2592, "a time"),
        ("3 h 20 min", 12000, "a time"),
        ("3h20m", 12000, "a time"),
        ("1 d, 2 h", None, ""),
        ("99.9 %", 0.999, "a share"),
        ("99,9%", 0.999, "a share"),
        ("0.5 GiB", 2**29, "an amount of data"),
        ("8 Mbit", 1e6, "an amount of data"),
        ("1,234,567", 1234567, ""),
        ("1 234.5 requests", 1234.5, ""),
        ("12.5/s", 12.5, "a rate"),
        ("750 per minute", 12.5, "a rate"),
        ("4.3e-4", 4.3e-4, ""),
        ("−5", -5, ""),
        ("5 apples and 3 pears", None, ""),
        ("1\u202f296 s", 1296, "a time"),
        ("1’296 s", 1296, "a time"),
        ("\u200b43.2\u2009min", 2592, "a time"),
        ("“43.2 min”", 2592, "a time"),
        ("= `43.2 min`", 2592, "a time"),
        ("(99.9 %)", 0.999, "a share"),
        ("3 hours and 20 minutes", 12000, "a time"),
        ("1.2k", 1200, ""),
        ("1.2 k requests", 1200, ""),
        ("0.5 million", 500_000, ""),
        ("2 kB", 2000, "an amount of data"),
        ("€ 45.60", 45.6, ""),
        ("EUR 45.60", 45.6, ""),
        ("45,60 €", 45.6, "an amount of money"),
        ("5100 cents", 51, "an amount of money"),
        ("0,350 s", 0.35, "a time"),
        ("-0,036", -0.036, ""),
        ("10,350", 10350, ""),
        ("", None, ""),
        ("`", None, ""),
        ("min", None, ""),
        ("1.2.3", None, ""),
    ],
)
def test_numbers_are_read_as_people_write_them(text, value, dimension):
    found = quantity(text)
    assert (found is None) if value is None else (found.value == pytest.approx(value) and found.dimension == dimension)


@pytest.mark.parametrize(
    ("unit", "answer", "words"),
    [
        ("%", "0.995", "100 times too small: a share where a percentage was asked"),
        ("%", "0.5 %", "Yours is 100 minus the right number"),
        ("%", "100.5 %", "1 divided by the right number"),
        ("%", "0.01005 %", "is too small"),
        ("%", "1.6583 %", "is too small"),  # a sixtieth, and no time
        ("times", "1.6583", "60 times too small"),
        ("EUR", "9950 EUR", "cents where euros were asked"),
        ("EUR", "99.5 USD", "'USD' is no unit of an amount of money"),
        ("EUR", "99.5 ct", "100 times too small"),
    ],
)
def test_a_slip_belongs_to_the_units_dimension(unit, answer, words):
    check = number("m90.q1", expected=99.5, unit=unit, accepts=[], rejects={}, hints=["a"], solution="", tolerance=1e-4)
    assert words in check.verdict(answer).message


def test_a_time_of_day_is_told_nothing_of_months():
    check = number("m90.q1", expected=780, unit="min", accepts=[], rejects={}, hints=["a"], solution="")
    assert "month" not in check.verdict("12 h 8 min").message


@pytest.mark.parametrize("answer", ["99.9 %", "99.98 %", "100 %"])
def test_a_share_near_the_right_one_is_no_ratio_upside_down(answer):
    check = number("m90.q1", expected=99.99, unit="%", accepts=[], rejects={}, hints=["a"], solution="", tolerance=1e-5)
    assert "not far off" in check.verdict(answer).message


@pytest.mark.parametrize(
    "answer", [Fraction(216, 5), Decimal("43.2"), timedelta(minutes=43.2), np.float32(43.2), pd.Timedelta("43min 12s")], ids=repr
)
def test_a_number_is_right_in_any_type_and_can_be_judged_again(answer, samples, own_state):
    check = samples["m90.q3"]
    assert check.verdict(answer).state is State.RIGHT
    assert check.verdict(json.loads(_packed(check.kept(answer)))).state is State.RIGHT


@pytest.mark.parametrize(
    "answer", [Decimal("NaN"), Decimal("sNaN"), Decimal("1e999999"), Fraction(10**400), timedelta.max], ids=repr
)
def test_what_is_no_finite_number_is_told_so(answer, samples, own_state):
    verdict = samples["m90.q3"].verdict(answer)
    assert verdict.state is State.WRONG and len(verdict.message) < 200


def test_a_set_of_answers_hears_how_far_it_is(samples, own_state):
    check = samples["m90.q6"]
    assert "none of the options" in check.verdict(["latency", "speed"]).message
    assert "is none of the options" in check.verdict(["latencyy"]).message
    assert check.verdict(["latency"]).message == "Not yet: 3 are missing."
    assert check.verdict(["latency", "traffic", "errors", "cost"]).message == "Money is no signal of a service's health."


def test_a_set_of_answers_may_come_as_whatever_lists_them(samples, own_state):
    names = ["latency", "traffic", "errors", "saturation"]
    ways = [
        dict.fromkeys(names).keys(),
        np.array(names),
        pd.Series(names, index=[0.5, 1.5, 2.5, 3.5]),
        pd.Index(names),
        [*names, ""],
    ]
    ways += [", ".join(names), "\n".join(names), "latency; traffic, errors and saturation", f"[{', '.join(names)}]"]
    for way in ways:
        assert samples["m90.q6"].verdict(way).state is State.RIGHT, way
        assert isinstance(samples["m90.q6"].kept(way), str | list), way


def test_whole_numbers_in_a_list_are_read_as_texts():
    check = choice("m90.q1", right={"500", "503"}, options=["402", "500", "503"], accepts=[[503, 500]], rejects=[], hints=["a"])
    for answer in ([500, 503], {500, 503}, np.array([500, 503]), ["500", 503]):
        assert check.verdict(answer).state is State.RIGHT, answer
    assert "no text" in check.verdict([True, 500]).message and "402" in check.verdict([501]).message


def test_case_counts_where_it_tells_options_apart():
    check = choice("m90.q1", right="Bps", options=["Bps", "bps"], accepts=[], rejects={"bps": "Those are bits."}, hints=["a"])
    assert check.verdict("`Bps`").state is State.RIGHT
    assert check.verdict("bps").message == "Those are bits."
    assert check.verdict("BPS").state is State.WRONG
    with pytest.raises(ValueError, match="read the same"):
        choice("m90.q1", right="a b", options=["a b", "a-b"], accepts=[], rejects={}, hints=["a"])


def test_what_is_no_option_is_told_in_the_learners_own_words(samples, own_state):
    assert "'Time_Out' is none of the options" in samples["m90.q6"].verdict(["latency", "Time_Out"]).message


def test_hints_come_one_at_a_time_and_the_place_is_kept(samples, own_state):
    said = [monlab.hint("m90.q1") for _ in range(4)]
    assert [note.partition(".")[0] for note in said] == ["**Hint 1 of 3", "**Hint 2 of 3", "**Hint 3 of 3", "**Hint 3 of 3"]
    assert "That was the last one" in said[2] and "Call `hint('m90.q1')` again" in said[0]


def test_a_solution_is_shown_when_asked_for_twice_or_surely(samples, own_state):
    assert samples["m90.q1"].reference not in monlab.solution("m90.q1")
    assert samples["m90.q1"].reference in monlab.solution("m90.q1")
    assert samples["m90.q2"].reference in monlab.solution("m90.q2", sure=True)
    assert Store(settings().progress_file).times_helped("m90.q2", "solution") == 1


def test_an_unknown_id_names_the_nearest(samples, own_state):
    for call in (monlab.check, monlab.hint, monlab.solution):
        with pytest.raises(LabProblem, match=r"There is no check 'm90.q55'. Did you mean m90.q5?"):
            call("m90.q55")


def test_ids_are_unique_and_begin_with_their_module(tmp_path):
    from monlab.grading import registry

    folder = tmp_path / "m91_other"
    folder.mkdir()
    one = 'choice("{}", right="a", accepts=[], rejects={{}}, hints=[])\n'
    for ids, words in ((("m91.q1", "m91.q1"), "two checks are called m91.q1"), (("m90.q1", "m91.q2"), "must begin with m91")):
        lines = [f"q{number} = {one.format(id)}" for number, id in enumerate(ids)]
        (folder / "checks.py").write_text("from monlab.grading import choice\n" + "".join(lines), "utf-8")
        registry._checks.cache_clear()
        with pytest.raises(ValueError, match=words):
            registry.checks_of(folder / "checks.py")


@pytest.mark.alone("measures time")
def test_a_warm_verdict_takes_less_than_300_ms(samples, small_archive):
    """At the 95th percentile, over right and wrong answers of both queries."""
    answers = [(samples[id], answer) for id in ("m90.q1", "m90.q2") for answer in queries(samples[id])]
    for check, answer in answers:
        check.verdict(answer)
    seconds = []
    for check, answer in answers * 5:
        start = time.perf_counter()
        check.verdict(answer)
        seconds.append(time.perf_counter() - start)
    assert in_time(sorted(seconds)[int(len(seconds) * 0.95)], 0.3), sorted(seconds)[-5:]


def queries(check: Check) -> list[str]:
    return [*check.accepts, *(query for query, _ in check.rejects), "up", "sum("]


def test_an_answer_that_was_kept_damaged_is_asked_for_again(samples, small_archive, kept_answers):
    check = samples["m90.q1"]
    check.verdict(check.reference)
    cache._memory.clear()
    for path in kept_answers.iterdir():
        path.write_bytes(b"damaged")
    assert check.verdict(check.reference).state is State.RIGHT


def test_what_other_code_said_of_a_known_mistake_is_not_used(own_state, monkeypatch):
    said = iter(["old words", "new words"])
    assert [tried.kept("a mistake", lambda: next(said)) for _ in range(2)] == ["old words"] * 2
    monkeypatch.setattr(cache, "code", lambda: "of a newer course")
    assert tried.kept("a mistake", lambda: next(said)) == "new words"


def test_a_reference_that_the_server_refuses_is_the_authors_error(samples, small_archive):
    with pytest.raises(ValueError, match="the reference is refused"):
        replace(samples["m90.q1"], reference="sum(").verdict("up")


def test_notes_show_themselves_as_text_and_as_markdown():
    assert repr(learner.Note("**a**")) == "**a**" and learner.Note("**a**")._repr_markdown_() == "**a**"
