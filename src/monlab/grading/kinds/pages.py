"""Pages of metrics: promtool must be content with them, and they must say the same as the reference."""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from monlab.grading.check import Check, Rejects, fenced, pairs
from monlab.grading.tried import Tried, kept
from monlab.grading.verdict import Verdict
from monlab.stack import tools

__all__ = ["metrics_page"]

TEXT = r'"((?:[^"\\]|\\.)*)"'
TYPE = re.compile(r'^#[ \t]*TYPE[ \t]+"?([^\s"]+)"?[ \t]+(\S+)$')
SAMPLE = re.compile(r"^([a-zA-Z_:][\w:]*)?\s*(?:\{(.*)\})?\s*(?<=[\s}])(\S+)(?:\s+-?\d+)?$")  # a time may follow
NAME = re.compile(rf"^\s*{TEXT}\s*(?:,|$)")  # in quotes, it stands among the labels
LABEL = re.compile(rf'(?:"(\w+)"|(\w+))\s*=\s*{TEXT}')
LINT = "error while linting: text format parsing error in "


@dataclass(frozen=True)
class Said:
    """What a page says: the type of each name, and the value of each series."""

    types: dict[str, str]
    series: dict[tuple[str, frozenset[tuple[str, str]]], float]


@dataclass(frozen=True, kw_only=True)
class PageCheck(Check):
    """A question whose answer is a page of metrics. Help texts may say what they like."""

    reference: str

    wants: ClassVar[str] = "a page of metrics, as text"
    most_characters: ClassVar[int] = 20_000

    def judge(self, answer: str) -> Verdict:
        mine = self._tried(answer)
        if mine.right:
            return self.right(mine.sentence)
        for example, message in self.rejects:
            if self._outcome(example) == mine.outcome:
                return self.wrong(mine.sentence, mistake=message)
        return self.wrong(mine.sentence)

    def _outcome(self, example: str) -> str:
        """What a known mistake comes to, kept: a learner should not wait for promtool to read them all."""
        return kept(f"{self.id} {self.reference} {example}", lambda: self._tried(example).outcome)

    def _tried(self, page: str) -> Tried:
        said = tools.promtool("check", "metrics", stdin=page.strip("\n") + "\n")
        if not said.ok:
            words = "; ".join(" ".join(line.split()) for line in said.text.replace(LINT, "").splitlines() if line.strip())[:400]
            return Tried(False, f"refused {words}", f"promtool says: {words}.")
        different = difference(read(page), read(self.reference))
        return Tried(not different, different, different or "promtool is content, and the page says what it should.")


def read(page: str) -> Said:
    """The types and samples of a page that promtool is content with."""
    types, series = {}, {}
    for line in map(str.strip, page.splitlines()):
        if found := TYPE.match(line):
            types[found[1]] = found[2]
        elif (found := SAMPLE.match(line)) and (name := found[1] or _quoted(found[2])):
            labels = frozenset((quoted or bare, value) for quoted, bare, value in LABEL.findall(found[2] or ""))
            series[name, labels] = _value(found[3])
    return Said(types, series)


def _quoted(braces: str | None) -> str:
    found = NAME.match(braces or "")
    return found[1] if found else ""


def _value(text: str) -> float:
    """A number as Go reads it; what only Go takes for one, such as 0x1p-2, is none that a page here needs."""
    try:
        return float(text)
    except ValueError:
        return math.nan


def difference(mine: Said, right: Said) -> str:
    """The first thing in which a page differs from the right one, without telling the right one; empty when they say the same."""
    names, wanted = {name for name, _ in mine.series}, {name for name, _ in right.series}
    if names - wanted:
        return f"Your page has `{sorted(names - wanted)[0]}`, which is not the name it should have."
    if wanted - names:
        return f"Your page lacks a metric: it has {len(names)} names, and {len(wanted)} are wanted."
    for name in sorted(right.types):
        if mine.types.get(name) != right.types[name]:
            return f"`{name}` has the type {mine.types.get(name, 'untyped')}, which is not what it is."
    for name in sorted(wanted):
        labels = [{key for key, _ in one} for known, one in mine.series if known == name]
        allowed = {key for known, one in right.series if known == name for key, _ in one}
        extra, lacking = {key for one in labels for key in one} - allowed, allowed - {key for one in labels for key in one}
        if extra:
            return f"`{name}` has the label `{sorted(extra)[0]}`, which should not be there."
        if lacking:
            return f"`{name}` lacks a label."
    if mine.series.keys() != right.series.keys():
        name = sorted(name for name, _ in mine.series.keys() ^ right.series.keys())[0]
        return f"`{name}` has {sum(known == name for known, _ in mine.series)} series; their label values are not those wanted."
    for key in sorted(right.series, key=str):
        if not math.isclose(mine.series[key], right.series[key], rel_tol=1e-6):
            return f"A value of `{key[0]}` is {mine.series[key]:g}, and another is wanted there. Mind the unit, and which value belongs to which series."
    return ""


def metrics_page(
    id: str, *, reference: str, accepts: Iterable[str], rejects: Rejects, hints: Iterable[str], solution: str = ""
) -> PageCheck:
    """A question that a page of metrics answers. Names, types, labels and values must be the reference's; order and help need not."""
    return PageCheck(
        id=id,
        reference=reference,
        accepts=tuple(accepts),
        rejects=pairs(rejects),
        hints=tuple(hints),
        solution=solution or fenced(reference, "text"),
    )
