"""Guesses and waiting."""

import pandas as pd
import pytest

from monlab.problem import LabProblem
from monlab.progress.guesses import Guess, guess
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
