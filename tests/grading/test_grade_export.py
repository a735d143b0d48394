"""Answers that travel: `./lab export` writes them, `./lab grade` judges them anew."""

import getpass
import json
import platform
import shutil

import pytest
from clones import NATIVE, Clone
from sample_checks import SAMPLE

import monlab
from monlab.grading import exchange
from monlab.grading.verdict import State
from monlab.settings import settings

ANSWERS = {"m90.q5": "irate", "m90.q6": ["latency", "traffic", "errors", "saturation"], "m90.q3": 43.2}


@pytest.fixture
def clone(tmp_path):
    """A clone with the sample module, in which nothing is up."""
    cache = tmp_path / "cache" / "monlab"
    cache.mkdir(parents=True)
    (cache / "servers").symlink_to(settings().cache / "servers")  # servers as they are, answers of its own
    made = Clone(tmp_path, **NATIVE, XDG_CACHE_HOME=str(tmp_path / "cache"))
    (made.repo / "course" / "m90_sample").mkdir()
    shutil.copy(SAMPLE, made.repo / "course" / "m90_sample" / "checks.py")
    return made


def put_up(clone: Clone, url: str) -> None:
    clone.python(
        "from monlab import endpoints; from monlab.settings import settings; settings().state.mkdir(parents=True, exist_ok=True)\n"
        f"endpoints.write(settings(), 'native', {{'archive-prometheus': {url!r}}})"
    )


def answered(clone: Clone, answers: dict[str, object]) -> None:
    clone.python(f"import monlab\nfor id, answer in {answers!r}.items(): print(monlab.check(id, answer))")


def test_exported_answers_are_graded_without_a_notebook(clone, month_url):
    put_up(clone, month_url)
    reference = 'sum by (instance) (rate(requests_total{job="shop"}[10m]))'
    answered(clone, {**ANSWERS, "m90.q2": reference})
    answered(clone, {"m90.q5": "rate"})  # the newest one counts
    assert "4 answers are in" in clone.lab("export")
    file = clone.repo / "workspace" / "ANSWERS.json"
    body = json.loads(file.read_text())
    assert body["schema"] == 1 and body["course"] == "0.1.0" and body["answers"]["m90.q5"]["answer"] == "rate"
    said = clone.lab("grade", str(file))
    assert said.count(" right ") == 4 and "4 right." in said
    file.write_text(json.dumps({**body, "answers": {**body["answers"], "m90.q5": {"answer": "irate"}, "m91.q1": {"answer": 1}}}))
    said = clone.lab("grade", str(file))
    assert "It looks at the last two samples only" in said and "This course has no check 'm91.q1'. Did you mean" in said
    assert "3 right, 1 wrong, 1 unknown." in said


def test_an_export_tells_nothing_of_the_person_or_the_machine(clone):
    answered(clone, ANSWERS)
    clone.lab("export", "mine.json")
    text = (clone.repo / "mine.json").read_text()
    for word in (getpass.getuser(), platform.node(), str(clone.home)):
        assert word not in text


def test_half_a_character_in_one_answer_does_not_keep_the_others_from_being_exported(own_state, tmp_path):
    monlab.check("m01.q2", "gauge \ud800")
    monlab.check("m01.q5", "saturation")
    assert exchange.export(tmp_path / "mine.json", settings()) == 2
    states = {one.check_id: one.verdict.state for one in exchange.grade(tmp_path / "mine.json", settings())}
    assert states == {"m01.q2": State.WRONG, "m01.q5": State.RIGHT}


def test_an_export_overwrites_only_an_export(clone):
    answered(clone, ANSWERS)
    clone.lab("export", "mine.json")
    clone.lab("export", "mine.json")
    assert "was not written by `./lab export`" in clone.lab("export", "README.md", code=1)


def test_what_needs_servers_is_a_lab_problem_and_no_wrong_answer(clone):
    (clone.repo / "answers.json").write_text(json.dumps({"schema": 1, "answers": {"m90.q1": {"answer": "up"}}}))
    said = clone.lab("grade", "answers.json")
    assert "lab problem" in said and "./lab up month" in " ".join(said.split()) and "1 lab problem." in said


def test_a_file_full_of_unknown_checks_is_told_of_shortly(clone):
    answers = {f"m77.q{n}": {"answer": n} for n in range(50_000)} | {"\x1b[2J": {"answer": 1}}
    (clone.repo / "answers.json").write_text(json.dumps({"schema": 1, "answers": answers}))
    said = clone.lab("grade", "answers.json")
    assert "49,981 more answers" in said and len(said) < 10_000 and "\x1b[2J" not in said


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read: No such file"),
        ("{", "holds no JSON"),
        ("[" * 200_000, "holds no JSON"),
        ("\xff\xfe", "holds no JSON"),
        ("[]", "no file of answers"),
        ('{"schema": 2, "answers": {}}', "this course reads schema 1"),
        ('{"schema": 1, "answers": []}', "no list of answers"),
        ('{"schema": 1, "answers": {"m90.q1": "up"}}', "no list of answers"),
        (" " * 20_000_001, "20 MB"),
    ],
    ids=["absent", "cut", "deep", "binary", "a list", "other schema", "no mapping", "bare", "huge"],
)
def test_a_file_that_is_no_export_is_refused_in_a_sentence(clone, content, words):
    if content is not None:
        (clone.repo / "answers.json").write_text(content, "latin-1")
    said = clone.lab("grade", "answers.json", code=1)
    assert words in " ".join(said.split()) and "Traceback" not in said
