"""node_exporter's page at one moment: samples by name and labels, and sums of them written as PromQL writes them."""

import re
from dataclasses import dataclass

from monlab import web
from monlab.endpoints import service_url
from monlab.problem import LabProblem
from monlab.settings import settings

SAMPLE = re.compile(r"^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$")
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
SELECTOR = re.compile(r"^([a-zA-Z_:][\w:]*)(?:\{(.*)\})?$")


@dataclass(frozen=True)
class Sample:
    name: str
    labels: dict[str, str]
    value: float


class Reading:
    """All samples of one page."""

    def __init__(self, text: str) -> None:
        self.samples = [_sample(match) for line in text.splitlines() if (match := SAMPLE.match(line))]

    def of(self, name: str, **labels: str) -> list[Sample]:
        """The samples of a metric that carry these labels."""
        return [one for one in self.samples if one.name == name and labels.items() <= one.labels.items()]

    def value(self, terms: str) -> float | None:
        """A sum such as `a_bytes{x="1"} + b_bytes`; None when one of its terms is not on the page."""
        total = 0.0
        for term in terms.split(" + "):
            match = SELECTOR.match(term)
            found = self.of(match[1], **dict(LABEL.findall(match[2] or ""))) if match else []
            if not found:
                return None
            total += sum(one.value for one in found)
        return total


def read() -> Reading:
    """Asks node_exporter now. Raises LabProblem when it does not answer."""
    try:
        answer = web.get(service_url(settings(), "node_exporter") + "/metrics", 10)
    except web.FAULTS as error:
        raise LabProblem("node_exporter does not answer. `stack.status()` shows what runs.") from error
    return Reading(answer.text)


def _sample(match: re.Match[str]) -> Sample:
    return Sample(match[1], dict(LABEL.findall(match[2] or "")), float(match[3]))
