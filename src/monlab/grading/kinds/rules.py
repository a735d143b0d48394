"""Rule files, and unit tests for them: promtool checks and tests them, by tests that the learner does not see."""

import html
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import yaml

from monlab.grading.bench import Bench, bench
from monlab.grading.check import Rejects, fenced, pairs
from monlab.grading.tried import Tried, TriedCheck
from monlab.problem import LabProblem
from monlab.telemetry.prometheus import seconds_of

__all__ = ["rule_test", "rules", "unit_test"]

PLACE = re.compile(r"^\s*(?:rules\.yml|Checking.*|SUCCESS.*|FAILED:?)\s*$", re.MULTILINE)
SUITE = re.compile(r"<testsuite .*?</testsuite>", re.DOTALL)
FAILURE = re.compile(r"<(?:failure|error)[^>]*>(.*?)</(?:failure|error)>", re.DOTALL)
EXPECTED = ("alert_rule_test", "promql_expr_test")
NAME = re.compile(r"[\w-]+\.ya?ml")
REPEATS = re.compile(r"x\s*(\d+)")
MOST_REPEATS = 20_000  # steps of one `values:` line
MOST_EVALUATIONS = 50_000


@dataclass(frozen=True)
class UnitTest:
    """One hidden test of a rule file, and what it means when it fails."""

    message: str
    text: str  # a promtool test file without `rule_files`


def unit_test(message: str, text: str) -> UnitTest:
    """`text` is what a promtool test file holds below `rule_files`. Test `ALERTS` or a recorded series by `promql_expr_test`:
    `alert_rule_test` wants a learner's annotations word by word."""
    return UnitTest(message, text)


@dataclass(frozen=True, kw_only=True)
class RulesCheck(TriedCheck):
    """A question whose answer is a rule file."""

    tests: tuple[UnitTest, ...]

    wants: ClassVar[str] = "a rule file, as a YAML text that begins with `groups:`"

    @property
    def basis(self) -> str:
        return f"{self.reference} {self.tests}"

    def tried(self, text: str, data: Any) -> Tried:
        names = rule_names(data)
        if names is None:
            return Tried(False, "no rule file", f"The answer is {self.wants}; yours is not.")
        files = {
            "rules.yml": text,
            **{f"test_{n}.yml": f"rule_files: [rules.yml]\n{test.text}" for n, test in enumerate(self.tests)},
        }
        with bench(files) as here:
            missing = sorted((rule_names(yaml.safe_load(self.reference)) or set()) - names)
            failures = [] if missing else _failures(here, [name for name in files if name != "rules.yml"])
            # A file that promtool refuses fails each test alike; it is asked for its reason only then.
            if missing or (failures[0] and len({*failures}) == 1):
                said = here.promtool("check", "rules", "{}/rules.yml")
                if not said.ok:
                    return Tried(False, f"refused {_bare(said.text)}", f"promtool refuses your rules: {_bare(said.text)}")
            if missing:
                return Tried(
                    False,
                    f"missing {missing}",
                    f"The file has no rule named `{missing[0]}`. It has: {', '.join(sorted(names)) or 'none'}.",
                )
        failed = [test for test, failure in zip(self.tests, failures, strict=True) if failure]
        if not failed:
            return Tried(True, "", f"promtool is content, and your rules pass {len(self.tests)} unit tests.")
        return Tried(False, f"failed {failures}", failed[0].message)


@dataclass(frozen=True, kw_only=True)
class RuleTestCheck(TriedCheck):
    """A question whose answer is a unit test: it must pass on a good rule and fail on each broken one."""

    rules: str
    broken: tuple[tuple[str, str], ...]

    wants: ClassVar[str] = "a test file for promtool, as a YAML text with `rule_files:` and `tests:`"

    @property
    def basis(self) -> str:
        return f"{self.rules} {self.broken}"

    def tried(self, text: str, data: Any) -> Tried:
        unfit = self._unfit(data)
        if unfit:
            return Tried(False, f"unfit {unfit}", unfit)
        name = data["rule_files"][0].removeprefix("./")
        tried = [self.rules, *(rules for rules, _ in self.broken)]
        files = {f"{n}/{file}": body for n, rules in enumerate(tried) for file, body in (("your_test.yml", text), (name, rules))}
        with bench(files) as here:
            good, *broken = _failures(here, [f"{n}/your_test.yml" for n in range(len(tried))])
        if "unmarshal" in good or "yaml:" in good:
            return Tried(False, f"refused {good}", f"promtool cannot read your test: {good[:600]}")
        if good:
            return Tried(False, f"fails {good}", f"On rules that are right, your test fails: {good[:600]}")
        unseen = [message for (_, message), failure in zip(self.broken, broken, strict=True) if not failure]
        if unseen:
            return Tried(False, f"unseen {unseen}", unseen[0])
        return Tried(True, "", f"Your test passes on the right rule and finds each of {len(self.broken)} broken ones.")

    def _unfit(self, data: Any) -> str:
        """Why a test is not run: no test, files elsewhere, or more work than a lab should do."""
        if not isinstance(data, dict) or not isinstance(data.get("tests"), list) or not data["tests"]:
            return f"The answer is {self.wants}; yours is not."
        if not all(isinstance(one, dict) for one in data["tests"]):
            return "`tests:` is a list of tests, each with `interval:`, `input_series:` and what is expected; one of yours is something else."
        wrong = next((kind for test in data["tests"] for kind in EXPECTED if not _expectations(test.get(kind))), "")
        if wrong:
            return f"`{wrong}:` is a list of expectations, each with `eval_time:`; yours is something else."
        files = data.get("rule_files")
        if (
            not isinstance(files, list)
            or len(files) != 1
            or not NAME.fullmatch(str(files[0]).removeprefix("./"))
            or files[0] == "your_test.yml"
        ):
            return "`rule_files:` must list one file, by its bare name: [rules.yml]. Files elsewhere are not read."
        if any(int(found[:9]) > MOST_REPEATS for found in REPEATS.findall(yaml.safe_dump(data["tests"]))):
            return f"A `values:` line of your test has more than {MOST_REPEATS:,} steps. A few dozen show the same."
        try:
            return self._long(data)
        except LabProblem as problem:
            return f"Your test cannot be read: {problem}"

    def _long(self, data: dict[str, Any]) -> str:
        general = data.get("evaluation_interval", "1m")
        for test in data["tests"]:
            step = min(seconds_of(str(general)), seconds_of(str(test.get("interval", general))))
            times = [seconds_of(str(one.get("eval_time", "0s"))) for kind in EXPECTED for one in test.get(kind) or []]
            if step <= 0 or max(times, default=0) / step > MOST_EVALUATIONS:
                return f"Your test would evaluate the rules more than {MOST_EVALUATIONS:,} times. Take a longer interval or an earlier `eval_time`."
        return ""


def _expectations(given: Any) -> bool:
    """Whether this is a list of mappings, or left out."""
    return given is None or (isinstance(given, list) and all(isinstance(one, dict) for one in given))


def _failures(here: Bench, tests: list[str]) -> list[str]:
    """What promtool says of each test file, empty for those that pass. From the report of one run, or file by file where a
    container may not write to its own output."""
    names = [f"{{}}/{name}" for name in tests]
    report = SUITE.findall(here.promtool("test", "rules", "--junit=/dev/stdout", *names).text)
    if len(report) == len(tests):
        found = [FAILURE.findall(text) for text in report]
        return [_plain(html.unescape(" ".join(texts))) or "failed" if texts else "" for texts in found]
    alone = [here.promtool("test", "rules", name) for name in names]
    return ["" if said.ok else _plain(said.text) for said in alone]


def _plain(text: str) -> str:
    return " ".join(text.replace("FAILED:", "").split())


def rule_names(data: Any) -> set[str] | None:
    """The names of the alerts and recorded series of a rule file; None when it is none."""
    if not isinstance(data, dict) or not isinstance(data.get("groups"), list):
        return None
    lists = [group.get("rules") for group in data["groups"] if isinstance(group, dict)]
    found = [rule for rules in lists if isinstance(rules, list) for rule in rules if isinstance(rule, dict)]
    return {str(rule.get("alert") or rule.get("record")) for rule in found}


def _bare(text: str) -> str:
    """What promtool said, without its frame. It says some things twice."""
    lines = [line.strip().removeprefix("rules.yml: ") for line in PLACE.sub("", text).splitlines()]
    return "; ".join(dict.fromkeys(line for line in lines if line)).replace(":; ", ": ")[:600]


def rules(
    id: str,
    *,
    reference: str,
    tests: Iterable[UnitTest],
    accepts: Iterable[str],
    rejects: Rejects,
    hints: Iterable[str],
    solution: str = "",
) -> RulesCheck:
    """A question that a rule file answers. Every rule of the reference must be there by name; `tests` decide on the rest.

    A learner's mistake is named when promtool says the same of it as of a rejected answer; else the first failing test speaks.
    """
    return RulesCheck(
        id=id,
        reference=reference,
        tests=tuple(tests),
        accepts=tuple(accepts),
        rejects=pairs(rejects),
        hints=tuple(hints),
        solution=solution or fenced(reference, "yaml"),
    )


def rule_test(
    id: str,
    *,
    rules: str,
    broken: Mapping[str, str],
    reference: str,
    accepts: Iterable[str],
    rejects: Rejects,
    hints: Iterable[str],
    solution: str = "",
) -> RuleTestCheck:
    """A question that a unit test answers. It must pass on `rules` and fail on each broken rule file; `broken` maps such a
    file to what is said of a test that does not notice."""
    return RuleTestCheck(
        id=id,
        reference=reference,
        rules=rules,
        broken=tuple(broken.items()),
        accepts=tuple(accepts),
        rejects=pairs(rejects),
        hints=tuple(hints),
        solution=solution or fenced(reference, "yaml"),
    )
