"""A server that is up by the lab's own list and does not answer: one sentence, and no password of its address in it."""

import time

import pytest

import monlab
from monlab import archive, endpoints
from monlab.settings import settings
from monlab.stack import doctor

ADDRESS = "http://me:secret@127.0.0.1:1"


@pytest.fixture(autouse=True)
def _away(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.delenv("LAB_ENGINE", raising=False)
    names = ("prometheus", "alertmanager", "pushgateway", "frontend", "archive-prometheus")
    endpoints.write(settings(), "external", dict.fromkeys(names, ADDRESS))


@pytest.mark.parametrize(
    "ask",
    [
        lambda: monlab.prom.query("up"),
        lambda: monlab.prom.repeat("up", 2),
        lambda: monlab.prom.targets(),
        lambda: monlab.prom.discovered("node"),
        lambda: monlab.prom.metadata("up"),
        lambda: monlab.prom.tsdb(),
        lambda: monlab.page("prometheus"),
        lambda: monlab.alerts.active(),
        lambda: archive.value("up", archive.at(15, "09:00")),
        lambda: monlab.shop.products(),
        lambda: monlab.shop.visits(1),
        lambda: monlab.stack.reload("prometheus"),
    ],
)
def test_what_asks_it_says_so_in_a_sentence_without_the_password(ask):
    with pytest.raises(monlab.problem.LabProblem) as problem:
        ask()
    assert "does not answer" in str(problem.value) or "does not run" in str(problem.value) or "left out" in str(problem.value)
    assert "secret" not in str(problem.value)


def test_a_look_at_targets_leaves_the_next_question_as_quick_as_before():
    with pytest.raises(monlab.problem.LabProblem):
        monlab.prom.targets()
    start = time.monotonic()
    with pytest.raises(monlab.problem.LabProblem):
        monlab.prom.query("up")
    assert time.monotonic() - start < 3


def test_what_is_shown_of_it_has_no_password(tmp_path, monkeypatch):
    (tmp_path / "urls.yaml").write_text(f"prometheus: {ADDRESS}\n")
    monkeypatch.setenv("LAB_ENDPOINTS", str(tmp_path / "urls.yaml"))
    shown = [repr(monlab.stack.status()), str(doctor.findings(settings())), str(monlab.check("m02.q1", "up"))]
    shown.append(monlab.dashboard.results("host-use").to_string())
    (tmp_path / "urls.yaml").write_text("prometheus: http://me:secret@a b\n")
    shown.append(str(doctor.findings(settings())))
    assert all("127.0.0.1:1" in text for text in shown[:4]) and not any("secret" in text for text in shown)
