"""Every PromQL check of the course tells wrong queries from right ones, those nobody thought of included.

Wrong queries are made from each reference by one slip (`mutants.py`). Which of them mean the same is decided on random data,
never on the archive that judges them (`random_world.py`).
"""

import sys

import pytest
from judging import judged, report, totals
from random_world import random_world

from monlab.grading import asking, registry
from monlab.grading.kinds.promql import QueryCheck
from monlab.settings import settings

SHARE = 0.95
CHECKS = [
    check
    for check in registry.everything(settings()).values()
    if isinstance(check, QueryCheck) and check.archive is asking.metrics
]


def test_wrong_queries_are_rejected_on_the_archive_and_equal_ones_are_not(
    archive: str, tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
):
    assert CHECKS, "the course has PromQL checks"
    folder = tmp_path_factory.mktemp("checks") / "server"
    with random_world(folder, [check.reference for check in CHECKS]) as world:
        all_judged = [judged(check, world) for check in CHECKS]
    with capsys.disabled():
        sys.stdout.write(f"\n{report(all_judged)}\n")
    rejected, different = totals(all_judged)
    assert rejected >= SHARE * different, report(all_judged)
    assert not any(one.wronged for one in all_judged), report(all_judged)
