"""The conditions of a check on a dashboard, one after the other: the first that fails is what a learner is told."""

import re
from typing import Protocol

from monlab.dashboards.model import Panel
from monlab.dashboards.variables import ALL, names_in
from monlab.grading import panel_asks
from monlab.grading.dashboard_answers import Look, Seen, literal, spelled
from monlab.grading.panel_differences import UNIT, VALUES, Compared, Failure
from monlab.grading.panel_numbers import Numbers, Situation
from monlab.grading.panel_units import SHARE, TIME
from monlab.grading.tokens import tokens

TROUBLE = "trouble"
OWN_AFFAIRS = ("empty", "no description", "query error", "no query", "old", "not supported")  # of panels beside those asked
OPERATOR = re.compile(r"=~|!~|!=|=")
MOST_MORE = 6  # panels beside those asked: a dashboard that shows everything answers nothing


class Asked(Protocol):
    """What a check on a dashboard asks."""

    @property
    def seen(self) -> tuple[Situation, ...]: ...
    @property
    def findings(self) -> tuple[str, ...]: ...
    @property
    def asks(self) -> tuple[str, ...]: ...
    @property
    def tolerance(self) -> float: ...
    def wanted(self, window: str) -> list[list[Numbers]]: ...
    def offered(self, name: str, place: int) -> list[str]: ...


class Judge:
    """One answer against what is asked."""

    def __init__(self, asked: Asked, look: Look, reference: Look, hidden: set[str]) -> None:
        self.asked, self.look, self.reference, self.hidden = asked, look, reference, hidden
        self._titles = {folded(one.panel.title) for one in reference.seen}
        self._asked_for: list[Seen] = []  # the answer's panels that were asked
        self.window = ""  # that the panel looked at last spells out in place of `$__rate_interval`

    def failure(self) -> Failure | None:
        """The first condition that fails; None when the answer is right."""
        if self.look.board.title == "(no title)":
            return Failure("title", "", "The dashboard has no title. Grafana does not load such a file.")
        return self._variables() or self._panels() or self._choices() or self._findings() or self._types()

    def _variables(self) -> Failure | None:
        there = {one.name: one for one in self.look.board.variables}
        for situation in self.asked.seen:
            for name, values in situation.chosen:
                if name not in there:
                    return Failure("variable", "", f"The dashboard has no variable `{name}`.", f"no {name}")
                if name in self.hidden:
                    return Failure("variable", "", f"The variable `{name}` is hidden, so nobody can choose.", f"hidden {name}")
                if ALL in values and not there[name].include_all:
                    return Failure("variable", "", f"All cannot be chosen for the variable `{name}`.", f"no all {name}")
                if len(values) > 1 and not there[name].multi:
                    return Failure(
                        "variable", "", f"Of the variable `{name}` one value can be chosen, not several.", f"one {name}"
                    )
        return None

    def _panels(self) -> Failure | None:
        left = list(self.look.seen)
        self._asked_for.clear()
        for place, wanted in enumerate(self.reference.seen):
            found, failure = self._best(left, wanted, place)
            if found:
                self.window = self._literal(found)
            if failure:
                return self._with_findings(found, failure)
            if found:
                left.remove(found)
                self._asked_for.append(found)
        twice = next((one.panel.title for one in left if folded(one.panel.title) in self._titles), None)
        if twice:
            return Failure("twice", twice, f"“{twice}” is there twice, and one of the two shows something else.")
        if len(left) > MOST_MORE:
            return Failure("many", "", f"Your dashboard has {len(left)} panels beside those that were asked. Leave them out.")
        return None

    def _best(self, left: list[Seen], wanted: Seen, place: int) -> tuple[Seen | None, Failure | None]:
        """The panel that shows what is wanted and holds what is asked; else the one that was meant, and what is wrong with it."""
        title = wanted.panel.title
        ordered = sorted(left, key=lambda one: (folded(one.panel.title) != folded(title), -_shared(one, wanted)))
        meant: tuple[Seen, Failure] | None = None
        for one in ordered:
            failure = self._judged(one, wanted, place)
            if failure is None:
                return one, None
            named, other = folded(one.panel.title) == folded(title), folded(one.panel.title) in self._titles
            nearer = meant is not None and folded(meant[0].panel.title) != folded(title) and failure.kind not in (VALUES, TROUBLE)
            if (nearer and not other) or (meant is None and (named or (_shared(one, wanted) and not other))):
                meant = (one, failure)
        return meant or (None, Failure("missing", title, f"No panel shows what “{title}” is to show."))

    def _judged(self, one: Seen, wanted: Seen, place: int) -> Failure | None:
        title = wanted.panel.title
        mine = self.look.numbers(one)
        if one.elsewhere:
            said = "it asks another data source than Prometheus, where the metrics of June are."
            return Failure(TROUBLE, title, f"“{title}”: {said}", detail="elsewhere")
        if one.trouble:
            return Failure(TROUBLE, title, f"“{title}”: {one.trouble}", detail=one.refused or one.trouble)
        right = self.asked.wanted(self._literal(one))[place]
        failure = Compared(mine, right, self.asked.seen, self.asked.tolerance, title, self._words(one)).failure()
        failure = failure or self._misleads(one, wanted, right[0], title)
        properties = tuple(name for name in self.asked.asks if name in panel_asks.ASKS)
        if failure or not properties:
            return failure
        failures = (panel_asks.failed(properties, panel, wanted.panel, title) for panel in _as_drawn(one))
        return next(filter(None, failures), None)

    def _words(self, one: Seen) -> tuple[str, ...]:
        """What the panel's queries are made of, matchers and variables included: two panels may be empty for different reasons."""
        texts = [target.expr for target in one.panel.targets]
        named = {name for text in texts for name in names_in(text)}
        variables = [variable for variable in self.look.board.variables if variable.name in named]
        found = {f"{variable.name} {word}" for variable in variables for word in tokens(variable.query)}
        found |= {word for text in texts for word in (*tokens(text), *OPERATOR.findall(text))}
        return tuple(sorted(found))

    def _misleads(self, one: Seen, wanted: Seen, right: Numbers, title: str) -> Failure | None:
        """What makes right numbers read as others: another panel's title, and lines that stand on each other."""
        if folded(one.panel.title) != folded(title) and folded(one.panel.title) in self._titles:
            return Failure("title", title, f"“{one.panel.title}” is the title of a panel that shows what “{title}” is to show.")
        if one.panel.stacked and not wanted.panel.stacked and right.dimension in (TIME, SHARE):
            return Failure(
                "stacked",
                title,
                f"“{title}”: its lines are stacked, so that what one reads are sums. Of these numbers a sum means nothing.",
            )
        return None

    def _literal(self, seen: Seen) -> str:
        return "" if "zoom" in self.asked.asks else literal(spelled(seen.panel, self.look.window))

    def _with_findings(self, seen: Seen | None, failure: Failure) -> Failure:
        """What `dashboard.check` says of the panel, where it says more than numbers do."""
        if failure.kind not in (VALUES, UNIT) or seen is None:
            return failure
        kinds = [finding for _, finding in self.look.findings([seen]) if finding in self.asked.findings]
        names = ", ".join(dict.fromkeys(kinds))
        more = f" `dashboard.check` finds in it: {names}." if kinds else ""
        more += "".join(f" {note}" for note in self.look.notes[:1] if not all(one.rows for one in failure.numbers))
        return Failure(**{**vars(failure), "sentence": failure.sentence + more})

    def _choices(self) -> Failure | None:
        if "choices" not in self.asked.asks:
            return None
        there = {one.name: one for one in self.look.board.variables}
        for place, situation in enumerate(self.asked.seen):
            for name, _ in situation.chosen:
                wanted, mine = {*self.asked.offered(name, place)}, {*self.look.offered(there[name], place)}
                odd, lacking = len(mine - wanted), len(self._needed(wanted, place) - mine)
                if odd or lacking:
                    said = f"{odd} of them should not be there" if odd else f"{lacking} more should be there"
                    sentence = f"{situation}: the variable `{name}` offers {len(mine)} values; {said}."
                    return Failure("choices", "", sentence, f"{name} {sorted(mine)}")
        return None

    def _needed(self, offered: set[str], place: int) -> set[str]:
        """Of what the reference offers, what must be offered: those values that its panels show in the situation, where they show any.

        `label_values` knows series of other days, too, which `query_result` does not.
        """
        shown = {value for panel in self.asked.wanted("") for row in panel[place].rows for _, value in row.labels}
        return offered & shown or offered

    def _findings(self) -> Failure | None:
        for seen, finding in self.look.findings([one for one in self.look.seen if not one.elsewhere]):
            if finding in self.asked.findings and (seen in self._asked_for or finding not in OWN_AFFAIRS):
                sentence = f"`dashboard.check` still finds in “{seen.panel.title}”: {finding}."
                return Failure("finding", seen.panel.title, sentence, finding)
        return None

    def _types(self) -> Failure | None:
        """A width that is a text: read here as if it were not there, and by Grafana in a way of its own."""
        found = self.look.board.problems[:1]
        return Failure("types", "", f"All is shown as asked, and the file is no good: {found[0]}", found[0]) if found else None


def _as_drawn(seen: Seen) -> list[Panel]:
    """The panel as each of its series has it, overrides of fields applied."""
    from monlab.dashboards.looks import looks  # loads matplotlib, which few checks need

    shown = [one for copies in seen.shown[:1] for one in copies]
    return [look.panel for one in shown for look in looks(one.panel, one.lines) if not look.panel.hidden] or [seen.panel]


def folded(title: str) -> str:
    return " ".join(title.casefold().split())


def _shared(one: Seen, wanted: Seen) -> int:
    """How many words the queries of two panels share."""
    mine, right = ({token for target in seen.panel.targets for token in tokens(target.expr)} for seen in (one, wanted))
    return len(mine & right)
