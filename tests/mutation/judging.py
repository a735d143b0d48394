"""Which mutants of a check's reference mean something else, and what the check says to them."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from mutants import mutants
from promql_tree import formatted, text
from random_world import RandomWorld, Refused

from monlab.grading.kinds.promql import QueryCheck
from monlab.grading.verdict import State

AT_ONCE = 2
Mutant = tuple[str, str]  # what was done to the reference, the query


@dataclass(frozen=True)
class Judged:
    """The mutants of one check. A refused one fails in the random world and is no test of the archive's data."""

    check_id: str
    rejected: tuple[Mutant, ...]  # mean something else and were found wrong: as it should be
    survivors: tuple[Mutant, ...]  # mean something else and were taken for right
    equal: tuple[Mutant, ...]  # mean the same and were taken for right: as it should be
    wronged: tuple[Mutant, ...]  # mean the same and were found wrong
    refused: tuple[Mutant, ...]  # not to be evaluated, and found wrong

    @property
    def different(self) -> int:
        return len(self.rejected) + len(self.survivors)

    def __str__(self) -> str:
        lines = [
            f"{self.check_id}: {len(self.rejected)} of {self.different} wrong queries rejected, {len(self.equal)} equal, "
            f"{len(self.refused)} refused"
        ]
        lines += [f"  survivor, {name}: {query}" for name, query in self.survivors]
        return "\n".join([*lines, *(f"  equal but rejected, {name}: {query}" for name, query in self.wronged)])


def judged(check: QueryCheck, world: RandomWorld) -> Judged:
    """Judges all mutants of a check's reference. Raises AssertionError when the world has nothing to say about it."""
    tree = world.tree(check.reference)
    assert formatted(world.url, text(tree)) == formatted(world.url, check.reference), f"{check.id}: written wrongly: {text(tree)}"
    assert not world.answer(check.reference).empty, (
        f"{check.id}: {check.reference} has no answer in the random world, so no mutant can be told from it"
    )
    found: dict[str, list[Mutant]] = {kind: [] for kind in ("rejected", "survivors", "equal", "wronged", "refused")}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        all_mutants = mutants(tree)
        kinds = pool.map(lambda one: _kind(check, world, one[1]), all_mutants)
        for one, kind in zip(all_mutants, kinds, strict=True):
            if kind:
                found[kind].append(one)
    return Judged(check.id, **{kind: tuple(ones) for kind, ones in found.items()})


def _kind(check: QueryCheck, world: RandomWorld, query: str) -> str:
    """Where a mutant belongs; empty for what is no query at all."""
    try:
        world.tree(query)
    except Refused:
        return ""
    accepted = check.verdict(query).state is State.RIGHT
    try:
        equal = world.equal(query, check.reference, check.tolerance)
    except Refused:
        return "survivors" if accepted else "refused"
    return ("equal" if accepted else "wronged") if equal else ("survivors" if accepted else "rejected")


def report(all_judged: list[Judged]) -> str:
    """What slipped through, check by check, and the sum."""
    rejected, different = totals(all_judged)
    wronged = sum(len(one.wronged) for one in all_judged)
    together = f"together: {rejected} of {different} wrong queries rejected, {wronged} equal ones rejected"
    return "\n".join([*map(str, all_judged), together])


def totals(all_judged: list[Judged]) -> tuple[int, int]:
    """Wrong queries that were rejected, and all wrong queries."""
    return sum(len(one.rejected) for one in all_judged), sum(one.different for one in all_judged)
