"""What a run of the tests is made of, and what it tells afterwards."""

import dataclasses
import shutil

import chances
import forked
import leftovers
import marks
import plan
import pytest

from monlab import suite
from monlab.problem import LabProblem
from monlab.settings import settings
from monlab.suite import Times, Wanted

JUNIT = """<?xml version="1.0"?>
<testsuites><testsuite name="pytest" time="{time}">
<testcase classname="tests.stack.test_a" name="test_one" time="4.5"><properties><property name="fixture running" value="2.5"/><property name="cpu" value="3.2"/></properties></testcase>
<testcase classname="tests.stack.test_a" name="test_two[x.y]@running" time="1.5"><failure message="no"/></testcase>
<testcase classname="tests.unit.test_b" name="test_three" time="0.5"><skipped message="no root"/></testcase>
<testcase classname="tests.unit.test_b" name="test_four" time="0.25"><error message="no"/></testcase>
</testsuite></testsuites>"""


def words(part: suite.Part) -> str:
    return " ".join(part.words)


def test_a_run_has_a_part_side_by_side_and_one_for_tests_that_need_the_machine_alone():
    beside, alone = suite.parts(Wanted(workers=3), 7)
    assert "-m not alone" in words(beside)
    assert "--numprocesses=3 --dist=loadgroup" in words(beside)
    assert words(alone).startswith("-m alone")
    assert "numprocesses" not in words(alone)
    assert all("--random-order-seed=7" in words(part) for part in (beside, alone))


def test_a_fast_run_has_no_second_part():
    [part] = suite.parts(Wanted(fast=True), 1)
    assert "--fast" in part.words


def test_what_is_asked_for_reaches_pytest_in_both_parts():
    for part in suite.parts(Wanted(modules=("m02", "m03"), every=True, soak=3, servers_later=True, more=("-k", "up")), 1):
        assert {"--of=m02", "--of=m03", "--all", "--soak=3", "--servers-later", "-k", "up"} <= set(part.words)


def test_the_times_of_all_parts_add_up(tmp_path):
    (tmp_path / "side by side.xml").write_text(JUNIT.format(time=5.0))
    (tmp_path / "alone.xml").write_text('<testsuites><testsuite time="2.5"/></testsuites>')
    found = Times.of(tmp_path)
    assert (found.seconds, found.passed, found.failed, found.skipped) == (7.5, 1, 2, 1)
    assert found.tests["tests/stack/test_a.py::test_two[x.y]"] == 1.5
    assert found.fixtures == {"running": [2.5]}


def test_the_table_is_by_folder_by_file_by_fixture_and_names_the_longest_tests(tmp_path):
    (tmp_path / "side by side.xml").write_text(JUNIT.format(time=5.0))
    lines = [line.split() for line in Times.of(tmp_path).lines(longest=1)]
    assert ["6.0", "3.2", "2", "tests/stack"] in lines
    assert ["6.0", "3.2", "2", "tests/stack/test_a.py"] in lines
    assert ["2.5", "1", "running"] in lines
    assert ["4.5", "3.2", "tests/stack/test_a.py::test_one"] in lines


def test_times_without_a_run_say_what_makes_one(tmp_path):
    with pytest.raises(LabProblem, match=r"`\./lab test` makes one"):
        suite.times(dataclasses.replace(settings(), state=tmp_path))


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [(5, 0, 0), (0, 5, 0), (5, 5, 5), (1, 0, 1), (0, 1, 1), (1, -9, 1), (5, -9, -9), (0, -9, -9), (5, 2, 2)],
)
def test_a_failure_of_either_part_is_one_of_the_run(one, other, both):
    assert suite.worse(one, other) == both


SAMPLE = """
import pytest
seen = []

@pytest.fixture(scope="session")
def running():
    seen.append("up")
    yield
    seen.append("down")

def test_a_uses_it(running): seen.append("a")
def test_b_does_not(): assert seen[-1:] != ["up"]
def test_c_uses_it(running): seen.append("c")
def test_d_sees_it_gone(): assert "up" not in seen or seen[-1] == "down", seen
@pytest.mark.long("a reason")
def test_e_is_long(running): pass
@pytest.mark.alone("a reason")
def test_f_is_alone(): pass
@pytest.mark.module("m07")
def test_g_is_of_a_module(): pass
@pytest.mark.parametrize("module", ["m07", "m08"])
def test_h_is_of_each_module(module): pass
@pytest.mark.live
def test_i_fails_at_first(tmp_path_factory):
    mark = tmp_path_factory.getbasetemp().parent / "tried"
    first = not mark.exists()
    mark.write_text("")
    assert not first, "the first time"
def test_j_fails_without_a_server(): assert False, "each time"
"""


@pytest.fixture
def sample(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch):
    """Runs the sample's tests with the plugins of the real ones; returns pytest's exit code and what it printed."""
    monkeypatch.setattr(plan, "TESTS", pytester.path)
    pytester.makeconftest('pytest_plugins = ["plan", "chances", "leftovers"]\n')
    pytester.makepyfile(test_sample=SAMPLE)

    def run(*more: str) -> tuple[int, str]:
        done = pytester.runpytest_inprocess("-v", "-p", "no:nbval", *more)
        return int(done.ret), "\n".join([*done.outlines, *done.errlines])

    return run


def plan_of_workers(pytester: pytest.Pytester) -> None:
    """Workers are processes of their own: they find the plugins next to the sample, whose fixtures are then theirs."""
    for module in (plan, chances, leftovers, marks, forked):
        shutil.copy(module.__file__, pytester.path)


def test_a_long_test_is_left_out_by_name_and_count(sample):
    code, said = sample("-k", "uses_it or is_long")
    assert code == 0
    assert "left to ./lab test --all: 1 tests" in said
    assert "   1 test_sample.py::test_e_is_long (a reason)" in said
    assert "test_e_is_long PASSED" in sample("--all", "-k", "is_long")[1]


def test_what_is_left_out_is_told_where_workers_chose_it(sample, pytester):
    plan_of_workers(pytester)
    said = sample("-k", "is_long or is_alone", "--numprocesses=1", "-m", "not alone")[1]
    assert "left to ./lab test --all: 1 tests" in said
    assert "left to" not in sample("-k", "is_long or is_alone", "-m", "alone")[1], "the other part has told it"


def test_shared_servers_end_with_the_last_test_of_their_group(sample):
    code, said = sample("-k", "uses_it or does_not or sees_it", "--random-order-seed=3")
    assert code == 0, said
    assert "4 passed" in said


def test_a_group_stays_with_one_worker(sample, pytester):
    plan_of_workers(pytester)
    said = sample("-k", "uses_it or does_not or sees_it", "--numprocesses=2", "--dist=loadgroup")[1]
    workers = {line.split("[gw")[1][0] for line in said.splitlines() if "PASSED" in line and "uses_it" in line}
    assert len(workers) == 1, said


def test_a_module_s_tests_are_told_by_marker_or_parameter(sample):
    said = sample("--of=m07")[1]
    assert "test_g_is_of_a_module PASSED" in said
    assert "test_h_is_of_each_module[m07] PASSED" in said
    assert "2 passed, 9 deselected" in said


def test_a_fast_run_leaves_out_what_has_servers_or_needs_the_machine(sample):
    said = sample("--fast", "--collect-only", "-q")[1]
    assert "test_b_does_not" in said
    assert not [name for name in ("uses_it", "is_alone", "fails_at_first") if name in said]


def test_a_test_with_servers_gets_a_second_chance_that_is_told(sample):
    code, said = sample("-k", "fails_at_first")
    assert code == 0, said
    assert "second chances: 1" in said
    assert "AssertionError: the first time" in said


def test_without_second_chances_it_has_failed(sample):
    assert sample("-k", "fails_at_first", "--no-second-chance")[0] == 1


def test_a_test_without_servers_gets_none(sample):
    code, said = sample("-k", "fails_without")
    assert code == 1
    assert "second chances" not in said


def test_a_process_that_a_test_leaves_behind_is_ended_named_and_fails_the_run(pytester, monkeypatch):
    monkeypatch.delenv(marks.RUN)
    plan_of_workers(pytester)
    pytester.makeconftest('pytest_plugins = ["leftovers"]\n')
    pytester.makepyfile("import subprocess\ndef test_it(): subprocess.Popen(['sleep', '61'])\n")
    done = pytester.runpytest_subprocess("-p", "no:nbval", "-W", "ignore")
    assert done.ret == 1
    done.stdout.fnmatch_lines(["*processes that the tests left running (ended now): 1*", "* sleep 61"])


def test_a_third_second_chance_is_not_given(sample):
    assert sample("-k", "fails_at_first", "--max-suite-reruns=0")[0] == 1
