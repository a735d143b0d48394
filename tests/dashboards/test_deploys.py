"""The roll-outs on a dashboard's time axis are those of the month: each of them, whatever the step, and no other."""

import time

import pytest
from clones import REPO
from june_boards import june

from monlab import dashboards as dashboard
from monlab.archive import month
from monlab.dashboards.choices import choices
from monlab.dashboards.running import moments
from monlab.dashboards.window import Window

FILES = REPO / "course" / "m03_dashboards" / "files"
BOARDS = ("shop-overview", *(FILES / f"{name}.json" for name in ("gallery", "guide", "wall")))
DAY = 86_400
pytestmark = pytest.mark.usefixtures(june.__name__)


@pytest.mark.parametrize("what", BOARDS, ids=str)
@pytest.mark.parametrize("days", [1, 6, 30])
def test_each_real_rollout_is_annotated_once_at_any_step_and_no_other(what, days):
    board = dashboard.read(what)
    found = []
    for day in range(0, 30, days):
        start = month.START.timestamp() + day * DAY
        window = Window(start, start + days * DAY, archived=True)
        annotated, said = moments(board.annotations, window, choices(board, window, {}).known)
        assert not said
        step = window.steps(600)[0] / 1000
        found += [(words, when, step) for when, words, _ in annotated]
    wanted = [(f"{one.service} {one.version}", month.START.timestamp() + one.minute * 60) for one in month.DEPLOYS]
    assert sorted(words for words, _, _ in found) == sorted(words for words, _ in wanted)
    for words, when, step in found:
        near = [real for other, real in wanted if other == words and real <= when <= real + 180 + step]
        assert near, f"{words} at {time.strftime('%d %b %H:%M', time.gmtime(when))}"
