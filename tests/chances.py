"""Second chances, in the open: a pytest plugin.

A test with servers, a browser or containers is run once more when it fails (pytest-rerunfailures), at most twice in a whole run. The end
of the run lists each one with its first failure. Tests without servers get no second chance.
"""

import json
from pathlib import Path

import pytest

from monlab.suite import CHANCES_FILE


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("chances", "second chances")
    group.addoption("--no-second-chance", action="store_true", help="a test that fails once has failed")
    group.addoption("--record", type=Path, metavar="DIR", help="folder that the parts of one run share")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.option.no_second_chance:
        for item in items:
            if item.get_closest_marker("live"):
                item.add_marker(pytest.mark.flaky(reruns=1))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    needed = {one.nodeid: first_words(one.longreprtext) for one in terminalreporter.getreports("rerun")}
    if needed:
        terminalreporter.section(f"second chances: {len(needed)}")
    for test, failure in needed.items():
        terminalreporter.line(f"{test}\n    {failure}")
    if config.option.record:
        path = config.option.record / CHANCES_FILE
        before = json.loads(path.read_text("utf-8")) if path.exists() else {}
        path.write_text(json.dumps({**before, **needed}, indent=1), "utf-8")


def first_words(text: str) -> str:
    """The line of a traceback that says what was wrong."""
    lines = [line.removeprefix("E").strip() for line in text.splitlines() if line.startswith("E  ")]
    return (lines or text.strip().splitlines() or ["?"])[0][:300]
