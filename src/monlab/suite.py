"""The test suite as one command: which parts pytest runs in, and how long a run took.

A run has two parts: first most tests, several at a time, then the tests that need the machine to themselves. The plugins
next to the tests decide what runs, which tests share servers and what is left out (docs/testing.md).
"""

import json
import random
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as xml
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from monlab.problem import LabProblem
from monlab.settings import Settings, child_environment

WORKERS = 3  # tests at a time; most of them wait for scrapes and deadlines, so more than the cores of a small machine
SECOND_CHANCES = 2  # in a whole run
CHANCES_FILE = "second-chances.json"  # test -> its first failure; a part of the run leaves it to the next one (tests/chances.py)
GROUP = re.compile(r"@[^]@]*$")  # which pytest-xdist adds to a test's name
INTERRUPTED = 2  # pytest's exit codes
NO_TESTS = 5
Say = Callable[[str], None]


@dataclass(frozen=True)
class Wanted:
    """What a run is asked for."""

    modules: tuple[str, ...] = ()  # only tests of these; empty: of all
    every: bool = False  # also the long tests
    fast: bool = False  # only tests without servers
    soak: int | None = None  # cycles of the soak
    workers: int = WORKERS
    seed: int | None = None  # of the order; None: another one each time
    second_chances: bool = True
    servers_later: bool = False  # servers are being built meanwhile
    more: tuple[str, ...] = ()  # for pytest, as they are


@dataclass(frozen=True)
class Part:
    """One run of pytest."""

    name: str
    words: tuple[str, ...]


def parts(wanted: Wanted, seed: int) -> tuple[Part, ...]:
    """The runs of pytest, in order, without what they share."""
    beside = ("-m", "not alone", f"--numprocesses={wanted.workers}", "--dist=loadgroup", "--no-loadscope-reorder")
    chosen = [f"--of={module}" for module in wanted.modules]
    chosen += ["--all"] * wanted.every + ["--fast"] * wanted.fast + ["--servers-later"] * wanted.servers_later
    chosen += [f"--soak={wanted.soak}"] if wanted.soak is not None else []
    chosen += [f"--random-order-seed={seed}", *wanted.more]
    alone = Part("alone", ("-m", "alone", *chosen))
    return (Part("side by side", (*beside, *chosen)), *(() if wanted.fast else (alone,)))


def run(config: Settings, wanted: Wanted, say: Say) -> int:
    """Runs the suite; returns 0 when every test passed, in few enough second chances."""
    folder = _folder(config)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    seed = random.randrange(1, 1_000_000) if wanted.seed is None else wanted.seed
    say(f"The order of this run: --seed {seed}")
    code = NO_TESTS
    for part in parts(wanted, seed):
        left = SECOND_CHANCES - len(_second_chances(folder)) if wanted.second_chances else 0
        chances = [f"--max-suite-reruns={left}"] if left > 0 else ["--no-second-chance"]
        record = [f"--record={folder}", f"--junit-xml={folder / part.name}.xml"]
        command = [sys.executable, "-m", "pytest", "-p", "no:nbval", *part.words, *chances, *record]
        code = worse(code, subprocess.run(command, cwd=config.repo, check=False, env=child_environment()).returncode)
        if code == INTERRUPTED or code < 0:
            break
    outcome = Times.of(folder)
    say(f"{outcome.seconds / 60:.1f} minutes. `./lab test --times` shows where they went.")
    say(f"{outcome.passed} passed, {outcome.failed} failed, {outcome.skipped} skipped")
    return code


def worse(one: int, other: int) -> int:
    """The exit code of two runs of pytest: the first failure counts, and a part without any test changes nothing."""
    return next((code for code in (one, other) if code not in (0, NO_TESTS)), min(one, other))


def times(config: Settings) -> "Times":
    """How long the last run took. Raises LabProblem when there was none."""
    folder = _folder(config)
    if not list(folder.glob("*.xml")):
        raise LabProblem("There is no record of a test run in this clone. `./lab test` makes one.")
    return Times.of(folder)


def _folder(config: Settings) -> Path:
    return config.state / "tests"


def _second_chances(folder: Path) -> dict[str, str]:
    path = folder / CHANCES_FILE
    return dict(json.loads(path.read_text("utf-8"))) if path.exists() else {}


@dataclass
class Times:
    """How long the tests of a run took, in seconds of their own: tests that ran side by side add up to more than the run."""

    seconds: float = 0.0  # wall time of all parts
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    tests: dict[str, float] = field(default_factory=dict)
    cpu: dict[str, float] = field(default_factory=dict)  # what a test and its commands computed, without servers
    fixtures: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))  # shared ones: each time one was set up

    @classmethod
    def of(cls, folder: Path) -> "Times":
        """The sum of the JUnit files of a run's parts."""
        found = cls()
        for path in sorted(folder.glob("*.xml")):
            suite = next(iter(xml.parse(path).getroot()))
            found.seconds += float(suite.get("time", 0))
            for case in suite.iter("testcase"):
                found._add(case)
        return found

    def _add(self, case: xml.Element) -> None:
        names = case.get("classname", "").split(".")
        test = f"{'/'.join(names)}.py::{GROUP.sub('', case.get('name', ''))}"
        self.tests[test] = float(case.get("time", 0))
        for one in case.iter("property"):
            kind, _, name = one.get("name", "").partition(" ")
            if kind == "fixture":
                self.fixtures[name].append(float(one.get("value", 0)))
            elif kind == "cpu":
                self.cpu[test] = float(one.get("value", 0))
        if case.find("failure") is not None or case.find("error") is not None:
            self.failed += 1
        elif case.find("skipped") is not None:
            self.skipped += 1
        else:
            self.passed += 1

    def lines(self, longest: int = 20) -> Iterable[str]:
        """A table by folder, one by file, one by shared fixture, and the longest tests."""
        yield f"wall time {self.seconds:.0f} s · tests added up {sum(self.tests.values()):.0f} s, CPU {sum(self.cpu.values()):.0f} s"
        for what, parts in (("folder", -1), ("file", None)):
            yield ""
            yield f"{'seconds':>8} {'CPU':>7} {'tests':>6}  {what}"
            sums: dict[str, list[str]] = defaultdict(list)
            for test in self.tests:
                path = test.partition("::")[0]
                sums["/".join(path.split("/")[:parts])].append(test)
            seconds = {name: sum(map(self.tests.__getitem__, found)) for name, found in sums.items()}
            for name in _largest(seconds, longest * 2):
                computed = sum(self.cpu.get(test, 0) for test in sums[name])
                yield f"{seconds[name]:8.1f} {computed:7.1f} {len(sums[name]):6}  {name}"
        yield ""
        yield f"{'seconds':>8} {'times':>6}  shared fixture"
        taken = {name: sum(found) for name, found in self.fixtures.items()}
        for name in _largest(taken, longest):
            yield f"{taken[name]:8.1f} {len(self.fixtures[name]):6}  {name}"
        yield ""
        yield f"{'seconds':>8} {'CPU':>7}  test"
        for test in _largest(self.tests, longest):
            yield f"{self.tests[test]:8.1f} {self.cpu.get(test, 0):7.1f}  {test}"


def _largest(sums: dict[str, float], count: int) -> list[str]:
    return sorted(sums, key=lambda name: -sums[name])[:count]
