"""What is remembered of a learner's answers: newest first, safe under several processes, and never in a check's way."""

import sqlite3
import subprocess
import sys

import numpy as np
import pytest

import monlab
from monlab.grading.verdict import State
from monlab.grading.yaml_answers import MOST_CHARACTERS
from monlab.progress.store import Store
from monlab.settings import settings


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "deep" / "progress.sqlite")


def test_the_newest_answer_of_each_check_is_found(store):
    for answer in ("first", "second"):
        store.attempted("m90.q1", "wrong", "a mistake", answer)
    store.attempted("m90.q2", "right", "", 43.2)
    assert [(one.check_id, one.state, one.answer) for one in store.newest()] == [
        ("m90.q1", "wrong", "second"),
        ("m90.q2", "right", 43.2),
    ]


@pytest.mark.parametrize(
    ("answer", "kept"),
    [("öäü 'quoted'", "öäü 'quoted'"), ({"b", "a"}, ["a", "b"]), (("x", "y"), ["x", "y"]), (np.float64(1.5), 1.5), (7, 7)],
)
def test_answers_come_back_as_they_were(store, answer, kept):
    assert store.attempted("m90.q1", "right", "", answer) == ""
    assert store.newest()[0].answer == kept


@pytest.mark.parametrize("letter", ['"', "\n", "я", "\ud83d"], ids=ascii)
def test_the_longest_answer_that_is_judged_is_kept(store, letter):
    answer = letter * MOST_CHARACTERS
    store.attempted("m90.q1", "right", "", answer)
    assert store.newest()[0].answer == answer


@pytest.mark.parametrize("answer", ["a" * 1_000_001, object(), 10**4999, float("nan")], ids=["long", "object", "digits", "nan"])
def test_an_answer_that_cannot_be_kept_leaves_the_one_before(store, answer):
    store.attempted("m90.q1", "wrong", "", "before")
    assert store.attempted("m90.q1", "wrong", "", answer) == ""
    assert store.newest()[0].answer == "before"


def test_eight_processes_that_write_at_once_lose_nothing(store):
    code = (
        "import sys; from pathlib import Path; from monlab.progress.store import Store\n"
        "for n in range(25): assert Store(Path(sys.argv[1])).attempted(f'm90.q{sys.argv[2]}', 'wrong', '', n) == ''"
    )
    running = [subprocess.Popen([sys.executable, "-c", code, str(store.path), str(n)]) for n in range(8)]
    assert [process.wait(60) for process in running] == [0] * 8
    with sqlite3.connect(store.path) as connection:
        assert connection.execute("SELECT count(*) FROM attempts").fetchone() == (200,)
    assert {one.answer for one in store.newest()} == {24}


@pytest.mark.parametrize("content", [b"not a database" * 100, b"SQLite format 3\0" + b"\xff" * 5000], ids=["text", "cut"])
def test_a_damaged_file_is_set_aside_with_a_sentence(store, content):
    store.path.parent.mkdir()
    store.path.write_bytes(content)
    said = store.attempted("m90.q1", "right", "", "rate")
    assert "was damaged. It is now" in said and "a fresh one was begun" in said
    assert [one.answer for one in store.newest()] == ["rate"]
    assert next(store.path.parent.glob("*.damaged-*")).read_bytes() == content


def test_a_file_with_other_tables_is_set_aside(store):
    store.path.parent.mkdir()
    with sqlite3.connect(store.path) as connection:
        connection.execute("CREATE TABLE attempts (check_id TEXT)")
    assert "was damaged" in store.attempted("m90.q1", "right", "", "rate")
    assert len(store.newest()) == 1


def test_a_file_that_cannot_be_written_does_not_stop_a_check(samples, own_state):
    settings().progress_file.mkdir(parents=True)
    verdict = monlab.check("m90.q5", "rate")
    assert verdict.state is State.RIGHT and "could not be kept" in str(verdict) and "could not be kept" in verdict._repr_html_()
    assert "Hint 1 of 1" in monlab.hint("m90.q5")


def test_a_damaged_file_is_told_of_beside_the_verdict(samples, own_state):
    settings().progress_file.write_bytes(b"not a database" * 100)
    verdict = monlab.check("m90.q5", "rate")
    assert verdict.state is State.RIGHT and "was damaged" in str(verdict)
    assert monlab.check("m90.q5", "rate").note == ""


def test_all_clones_share_one_file(own_state):
    assert settings().progress_file.parent == settings().clones


def test_only_right_and_wrong_answers_are_attempts(samples, own_state):
    monlab.check("m90.q5", "")
    monlab.check("m90.q1", "up")  # nothing is up
    assert Store(settings().progress_file).newest() == []
