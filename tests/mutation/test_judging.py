"""What the mutation test would see if a check were too generous, or too strict."""

from dataclasses import fields, replace

import pytest
from judging import judged, report, totals
from random_world import RandomWorld
from references import REFERENCES

from monlab.grading import every, moment, month
from monlab.grading.instants import Instants
from monlab.grading.kinds.promql import QueryCheck, promql
from monlab.grading.verdict import State, Verdict


class Generous(QueryCheck):
    def verdict(self, answer: str) -> Verdict:
        return Verdict(self.id, State.RIGHT, "")


class Strict(QueryCheck):
    def verdict(self, answer: str) -> Verdict:
        return Verdict(self.id, State.WRONG, "")


def check(name: str, at: Instants = every("7h13m", month)) -> QueryCheck:  # noqa: B008
    return promql(f"m02.{name}", reference=REFERENCES[name], at=at, accepts=(), rejects=(), hints=())


def as_a(kind: type[QueryCheck], one: QueryCheck) -> QueryCheck:
    return kind(**{field.name: getattr(one, field.name) for field in fields(one)})


def test_a_check_that_takes_everything_for_right_lets_every_wrong_query_survive(world: RandomWorld):
    found = judged(as_a(Generous, check("p99")), world)
    assert len(found.survivors) > 20 and not found.rejected and not found.wronged
    assert "survivor, quantile 0.99 -> 0.95: histogram_quantile(0.95" in report([found])


def test_a_check_that_rejects_everything_rejects_queries_that_mean_the_same(world: RandomWorld):
    found = judged(as_a(Strict, check("p99")), world)
    assert {"sum -> avg", "rate -> increase"} <= {name for name, _ in found.wronged} and not found.survivors
    assert totals([found, found]) == (2 * len(found.rejected), 2 * len(found.rejected))


def test_a_query_that_fails_counts_neither_as_wrong_nor_as_equal(world: RandomWorld):
    found = judged(as_a(Strict, check("versions")), world)
    assert "grouping modifier dropped" in {name for name, _ in found.refused}


def test_a_reference_of_which_the_world_knows_nothing_is_told(world: RandomWorld):
    unknown = replace(check("down"), reference='up{job="no such job"}')
    with pytest.raises(AssertionError, match="has no answer in the random world"):
        judged(unknown, world)


def test_the_archive_tells_more_when_it_is_asked_at_more_instants(archive: str, world: RandomWorld):
    whole = judged(check("yesterday"), world)
    assert not whole.survivors and not whole.wronged and whole.different > 30, str(whole)
    quiet = judged(check("hosts", moment("2026-06-03 10:00")), world)
    assert quiet.survivors, str(quiet)
