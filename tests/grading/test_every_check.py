"""Every check of every module: right answers are right, and each known mistake gets its message, also when it is written otherwise."""

import json
import re
from functools import partial

import pytest
from sample_checks import SAMPLE
from waits import in_time, quickest, slower

from monlab.grading import registry
from monlab.grading.check import Check
from monlab.grading.kinds.dashboards import DashboardCheck
from monlab.grading.kinds.promql import PromQLCheck
from monlab.grading.verdict import State
from monlab.settings import settings
from monlab.workbook.modules import modules
from monlab.workbook.source import cells

SAMPLES = list(registry.checks_of(SAMPLE).values())
COURSE = list(registry.everything(settings()).values())
MATCHERS = re.compile(r"([A-Za-z_:][\w:]*)\{([^{}]*)\}")
PAIR = re.compile(r"""\s*(\w+\s*(?:=~|!~|!=|=)\s*(?:"[^"]*"|'[^']*'))\s*,?""")


def cases(checks: list[Check]):
    return [pytest.param(check, id=check.id) for check in checks]


def the_right_way_round(query: str) -> str:
    """The labels of each selector in the other order."""
    return MATCHERS.sub(lambda found: f"{found[1]}{{{','.join(reversed(PAIR.findall(found[2])))}}}", query)


def by_name(query: str) -> str:
    """Each metric spelled as a label."""
    return MATCHERS.sub(lambda found: f'{{__name__="{found[1]}",{found[2]}}}', query)


REWRITTEN = {
    "labels in the other order": the_right_way_round,
    "metric spelled by __name__": by_name,
    "times one": lambda query: f"({query}) * 1",
    "plus nothing": lambda query: f"({query}) + 0",
}


def board_with(each):
    """Rewrites a dashboard panel by panel, and leaves the example alone."""

    def rewritten(example):
        made = json.loads(example if isinstance(example, str) else json.dumps(example))
        inside = made.get("dashboard", made)
        inside["panels"] = [each(panel, place) for place, panel in enumerate(inside["panels"])]
        return made

    return rewritten


def moved(panel, place):
    """Another id, place, size, legend and letter."""
    targets = [{**one, "refId": f"Z{n}", "legendFormat": "line {{job}}"} for n, one in enumerate(panel["targets"])]
    return {**panel, "id": 900 - place, "gridPos": {"x": 0, "y": 40 - place, "w": 5, "h": 3}, "targets": targets}


def times_one(panel, _place):
    return {**panel, "targets": [{**one, "expr": f"({one['expr']}) * 1"} for one in panel["targets"]]}


REARRANGED = {
    "panels moved": board_with(moved),
    "queries times one": board_with(times_one),
    "panels the other way round": lambda example: (
        made := board_with(moved)(example),
        made.get("dashboard", made)["panels"].reverse(),
    )[0],
    "as the API wraps it": lambda example: {"dashboard": (made := board_with(moved)(example)).get("dashboard", made)},
}


def holds(check: Check) -> None:
    """What a check must hold: enough examples, all of them judged as they say."""
    assert len(check.accepts) >= 2, "two right answers that differ in form"
    assert len(check.rejects) >= 4, "four known mistakes"
    assert len({message for _, message in check.rejects}) >= 4, "each with a message of its own"
    assert check.hints and check.solution
    reference = getattr(check, "reference", None)
    if reference is not None:
        assert check.verdict(reference).state is State.RIGHT, check.verdict(reference)
        assert reference.strip() not in [str(answer).strip() for answer in check.accepts], "the reference counts not"
    for answer in check.accepts:
        verdict = check.verdict(check.plain(answer))
        assert verdict.state is State.RIGHT, f"{answer}\n{verdict}"
    for answer, message in check.rejects:
        verdict = check.verdict(check.plain(answer))
        assert (verdict.state, verdict.message) == (State.WRONG, message), f"{answer}\n{verdict}"


def names_rewritten_mistakes(check: Check) -> None:
    for answer, message in check.rejects if isinstance(check, PromQLCheck) else ():
        for how, rewrite in REWRITTEN.items():
            verdict = check.verdict(rewrite(answer))
            assert (verdict.state, verdict.message) == (State.WRONG, message), f"{how}: {rewrite(answer)}\n{verdict}"


def names_rearranged_mistakes(check: Check) -> None:
    for answer, message in check.rejects if isinstance(check, DashboardCheck) else ():
        for how, rewrite in REARRANGED.items():
            verdict = check.verdict(rewrite(answer))
            assert (verdict.state, verdict.message) == (State.WRONG, message), f"{how}\n{verdict}"


@pytest.mark.parametrize("check", cases(SAMPLES))
def test_a_sample_check_of_each_kind_holds(check, whole_archive):
    holds(check)
    names_rewritten_mistakes(check)
    names_rearranged_mistakes(check)


@pytest.mark.parametrize("check", cases(COURSE))
def test_every_check_of_the_course_holds(check, archived_month):
    holds(check)


@pytest.mark.parametrize("check", cases(COURSE))
def test_a_mistake_of_the_course_is_named_however_it_is_written(check, archived_month):
    names_rewritten_mistakes(check)
    names_rearranged_mistakes(check)


LONG_SECONDS = 0.3


@pytest.mark.alone("measures time")
def test_a_warm_verdict_of_the_course_takes_less_than_300_ms(archived_month):
    """At the 95th percentile, over all accepted and rejected answers of all checks; the first of up to three looks warms it up."""
    answers = [
        (check, check.plain(one)) for check in COURSE for one in (*check.accepts, *(answer for answer, _ in check.rejects))
    ]
    limit = LONG_SECONDS * slower()
    seconds = sorted((quickest(partial(check.verdict, answer), limit), check.id) for check, answer in answers)
    assert in_time(seconds[int(len(seconds) * 0.95)][0], limit), f"median {seconds[len(seconds) // 2]}, longest {seconds[-20:]}"


def test_every_file_of_checks_holds_some():
    for path in registry.files(settings()):
        assert registry.checks_of(path), path


def test_every_exercise_has_a_check_and_every_check_an_exercise():
    for module in modules(settings()):
        asked = {cell.exercise for cell in cells(module.exercises) if cell.exercise} if module.exercises.exists() else set()
        path = module.folder / "checks.py"
        assert asked == (set(registry.checks_of(path)) if path.exists() else set()), module.id
