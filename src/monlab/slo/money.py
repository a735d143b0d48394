"""What an objective costs and what missing it costs: SLA credits, a nine's price, downtime."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from monlab.problem import LabProblem
from monlab.slo.budget import Share, allowed_seconds
from monlab.slo.durations import Length
from monlab.slo.numbers import at_least
from monlab.slo.records import share


@dataclass(frozen=True)
class Credit:
    """Below this availability, this part of the bill is given back."""

    below: Fraction
    part: Fraction

    def __post_init__(self) -> None:
        object.__setattr__(self, "below", share(self.below, "The tier's availability"))
        object.__setattr__(self, "part", share(self.part, "The credit"))


def credit(availability: Share | None, tiers: Sequence[Credit], bill: float) -> float:
    """What a customer gets back for a month. The lowest tier that was missed counts, not their sum. None, no data, is refused."""
    if availability is None:
        raise LabProblem(
            "The month's availability is unknown: data is missing. A contract says who proves it; find out before paying."
        )
    got = share(availability, "The availability")
    missed = [tier.part for tier in tiers if got < tier.below]
    return float(max(missed, default=Fraction(0)) * Fraction(str(at_least(0, bill, "The bill", "Write what the customer paid."))))


def outage_cost(objective: Share, period: Length, per_hour: float) -> float:
    """What the allowed downtime costs when an hour of it costs `per_hour`."""
    cost = at_least(0, per_hour, "The cost of an hour", "An outage that earns money is no outage.")
    return float(Fraction(allowed_seconds(objective, period)) / 3600 * Fraction(str(cost)))


def worth_of(lower: Share, higher: Share, period: Length, per_hour: float) -> float:
    """The most a higher objective may cost in the period: the downtime it saves."""
    if share(higher) <= share(lower):
        raise LabProblem(f"{higher} is not above {lower}. Name the lower objective first.")
    return outage_cost(lower, period, per_hour) - outage_cost(higher, period, per_hour)
