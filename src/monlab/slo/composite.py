"""Several objectives as one: what a chain of services can promise, what a spare gives, what a journey of several steps is worth.

Failures are taken to be independent, which they are not: one database under two services fails both. The bounds say what holds anyway.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from monlab.problem import LabProblem
from monlab.slo.numbers import whole
from monlab.slo.records import share

Share = float | str | Fraction


def _shares(parts: Sequence[Share]) -> list[Fraction]:
    if not parts:
        raise LabProblem("A composite of no parts promises nothing. Name at least one part's objective.")
    return [share(one) for one in parts]


def serial(parts: Sequence[Share]) -> float:
    """All parts must work: the product."""
    return float(math.prod(_shares(parts)))


def parallel(parts: Sequence[Share]) -> float:
    """One working part is enough: 1 less the product of what is missing."""
    return float(1 - math.prod(1 - one for one in _shares(parts)))


def weighted(parts: Mapping[str, tuple[Share, Share]]) -> float:
    """name -> (objective, share of the traffic). Raises LabProblem when the traffic's shares are not 1 together."""
    if not parts:
        raise LabProblem("A composite of no parts promises nothing. Name at least one part's objective.")
    weights = [share(weight, f"The traffic of {name}") for name, (_part, weight) in parts.items()]
    if sum(weights) != 1:
        raise LabProblem(
            f"The shares of traffic are {float(sum(weights)):.17g} together. Make them 1, so that every request counts once; a third is "
            'written as in "1/3".'
        )
    return float(sum(share(part) * weight for (part, _weight), weight in zip(parts.values(), weights, strict=True)))


def bounds(parts: Sequence[Share]) -> tuple[float, float]:
    """A chain's worst case (failures never coincide) and best case (they always do), whatever hangs together."""
    found = _shares(parts)
    return float(max(Fraction(0), 1 - sum(1 - one for one in found))), float(min(found))


def required_part(objective: Share, parts: int) -> float:
    """What each of equal parts in a chain must hold. A root, so it is rounded; the product may miss by 1e-15."""
    parts = whole(parts, "The number of parts", "Count at least one.")
    return float(share(objective)) ** (1 / parts)


def ceiling(dependencies: Sequence[Share], own: Share = 1) -> float:
    """The most a service can promise that needs all its dependencies and mends nothing itself."""
    return serial([own, *dependencies])


def allowed_per_dependency(objective: Share, dependencies: int) -> float:
    """The rule of the extra nine, counted: the share each may miss when the budget is split evenly, none kept for oneself."""
    dependencies = whole(dependencies, "The number of dependencies", "Count at least one.")
    return float((1 - share(objective)) / dependencies)


@dataclass(frozen=True)
class Step:
    """A step of a user's journey."""

    name: str
    objective: Fraction
    tries: int = 1  # how often it is tried before the journey fails

    def works(self) -> Fraction:
        tries = whole(self.tries, f"The number of tries of {self.name}", "Count the first one, too.")
        return 1 - (1 - share(self.objective)) ** tries


def journey(steps: Sequence[Step]) -> float:
    """The share of journeys in which every step works."""
    if not steps:
        raise LabProblem("A journey without steps promises nothing. Name its steps.")
    return float(math.prod(one.works() for one in steps))
