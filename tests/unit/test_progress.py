"""Guesses and waiting."""

import re
import time
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

from monlab import prom
from monlab.problem import LabProblem
from monlab.progress.guesses import Guess, guess
from monlab.settings import settings
from monlab.waiting import wait_until


@pytest.fixture(autouse=True)
def own_state(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


def test_a_guess_is_kept_and_three_dots_do_not_wipe_it():
    assert "no guess yet" in repr(guess("m99.g1", ...))
    assert "you guess 4" in repr(guess("m99.g1", 4))
    assert guess("m99.g1", ...).value == 4 and guess("m99.g1").value == 4
    assert guess("m99.g2").value is None


@pytest.mark.parametrize(
    ("value", "result", "line"),
    [
        (None, 5, "measured: 5 targets (no guess was made)"),
        (5, 5, "you guessed 5 · measured: 5 targets · right"),
        (10, 5, "you guessed 10 · measured: 5 targets · a factor of 2 apart"),
        (0, 5, "you guessed 0 · measured: 5 targets"),
        ("irate", "irate", "you guessed irate · answer: irate targets · right"),
        (1, float("nan"), "you guessed 1 · measured: nan targets"),
        (True, True, "you guessed True · measured: True targets · right"),
    ],
)
def test_a_guess_stands_beside_the_result(value, result, line):
    assert Guess("x", value).beside(result, "targets") == line


@pytest.mark.parametrize(
    ("value", "words", "kept"),
    [
        ([1], "you guess 1. Now look.", 1),
        (["502", "504"], "you guess 502, 504.", ["502", "504"]),
        ((1, 30), "you guess 1, 30.", [1, 30]),
        ({"504", "502"}, "you guess 502, 504.", ["502", "504"]),
        (np.float64(1.5), "you guess 1.5.", 1.5),
        (np.int64(3), "you guess 3.", 3),
        (Fraction(1, 4), "you guess 0.25.", 0.25),
    ],
)
def test_a_guess_is_kept_as_what_was_meant(value, words, kept):
    assert words in repr(guess("m08.g1", value))
    assert guess("m08.g1").value == kept


@pytest.mark.parametrize("value", [{"a": 1}, [], {}, len, b"5", pd.Series([1, 2]), 1j, [None]], ids=repr)
def test_what_is_no_guess_is_refused_and_the_last_one_stays(value):
    guess("m08.g1", 4)
    with pytest.raises(LabProblem, match="A guess is a number, a text"):
        guess("m08.g1", value)
    assert guess("m08.g1").value == 4


@pytest.mark.parametrize("text", ['{"m99.g1": {"val', '{"m99.g1": 5}', "[1]", "\xff"], ids=["cut", "edited", "a list", "no text"])
def test_a_file_of_guesses_that_makes_no_sense_is_no_guess(text):
    guess("m99.g1", 4)
    (settings().state / "guesses.json").write_text(text, "latin-1")
    assert "no guess yet" in repr(guess("m99.g1"))
    assert guess("m99.g1", 4).value == 4 and guess("m99.g1").value == 4


def test_a_guess_that_cannot_be_kept_is_told_in_a_sentence(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    with pytest.raises(LabProblem, match="keeps its state in"):
        guess("m99.g1", 4)


def test_a_guess_that_no_lesson_asks_for_is_told():
    assert repr(guess("m03.g99", 4)).startswith("m03.g99: you guess 4. Now look. No lesson asks for 'm03.g99'. Did you mean m03.")
    assert "Did you mean m08.g" in repr(guess("m08.gl", ...))
    assert "No lesson" in repr(guess("mine", 4))


def test_every_guess_of_the_lessons_is_known():
    texts = {path: path.read_text("utf-8") for path in settings().course.glob("*/lesson.py")}
    names = {name for text in texts.values() for name in re.findall(r'guess\("([^"]+)"', text)}
    assert len(names) > 30
    assert not [name for name in names if "No lesson" in repr(guess(name))]


def test_a_cut_short_file_of_guesses_does_not_stop_the_lesson(tmp_path):
    guess("m99.g1", 1)
    path = next(tmp_path.rglob("guesses.json"))
    path.write_text("{")
    assert guess("m99.g1").value is None


def test_waiting_ends_when_the_condition_holds():
    answers = iter([0, pd.DataFrame(), pd.DataFrame({"x": [1]})])
    assert wait_until(lambda: next(answers), seconds=5).startswith("after ")


def test_waiting_in_vain_names_the_condition_and_the_last_problem():
    def never() -> bool:
        raise LabProblem("the server is asleep")

    with pytest.raises(LabProblem, match=r"Not true after 1 s: the moon is full\. The last answer was: the server is asleep"):
        wait_until(never, seconds=0.6, what="the moon is full")


def what_is_said(condition, **more):
    with pytest.raises(LabProblem) as refusal:
        wait_until(condition, seconds=0.1, **more)
    return str(refusal.value)


def test_waiting_in_vain_quotes_the_condition_whatever_stands_around_it():
    youngest, now, no = "min(x)", 5, lambda *_all, **_named: False
    # fmt: off
    said = {
        'no(f"{youngest} > {now}", (1, [2]))': what_is_said(lambda: no(f"{youngest} > {now}", (1, [2])), what=""),
        "no(1, named={'a': ')'})": what_is_said(lambda: no(1,
            named={'a': ')'}), what=""),
        "youngest and not now": what_is_said(lambda: youngest and not now),
        "now == 6": (what_is_said(lambda: now == 6), "ünïcode, and a lambda: no")[0],
        'no("größer")': (what_is_said(condition=lambda: no("größer"), what=""), lambda: 7)[0],
    }
    # fmt: on
    for quoted, sentence in said.items():
        assert sentence.startswith(f"Not true after 0 s: {quoted}. See with `stack.status()`")


def test_waiting_in_vain_names_a_function():
    def full_moon():
        return False

    assert what_is_said(full_moon).startswith("Not true after 0 s: full_moon(). ")


def test_waiting_in_vain_for_what_has_no_source_says_so():
    assert what_is_said(eval("lambda: False")).startswith("Not true after 0 s: the condition. ")


def test_a_server_that_is_not_up_is_not_waited_for():
    start = time.monotonic()
    with pytest.raises(LabProblem, match=r"^prometheus is not up\. Nothing is up now\. Run the cell with"):
        wait_until(lambda: prom.query("up"), seconds=30)
    assert time.monotonic() - start < 10


def test_a_server_that_does_not_answer_yet_is_waited_for():
    answers = iter([LabProblem("prometheus does not answer"), 1])

    def starting():
        answer = next(answers)
        if isinstance(answer, LabProblem):
            raise answer
        return answer

    assert wait_until(starting, seconds=5).startswith("after ")
