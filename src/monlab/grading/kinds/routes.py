"""Alertmanager's routes: amtool tells which receivers an alert with given labels reaches."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from monlab.grading.bench import bench
from monlab.grading.check import Rejects, fenced, pairs
from monlab.grading.tried import Tried, TriedCheck
from monlab.grading.yaml_answers import strings

__all__ = ["alert", "route"]


@dataclass(frozen=True)
class Alert:
    """Labels of an alert, the receivers it must reach, in order, and what is said when it does not."""

    labels: tuple[tuple[str, str], ...]
    receivers: tuple[str, ...]
    message: str


def alert(labels: Mapping[str, str], receivers: str | Iterable[str], message: str) -> Alert:
    """`alert({"severity": "critical"}, "pager", "A critical alert must page.")`."""
    return Alert(tuple(labels.items()), (receivers,) if isinstance(receivers, str) else tuple(receivers), message)


@dataclass(frozen=True, kw_only=True)
class RouteCheck(TriedCheck):
    """A question whose answer is a configuration of Alertmanager."""

    alerts: tuple[Alert, ...]

    wants: ClassVar[str] = "a configuration of Alertmanager, as a YAML text with `route:` and `receivers:`"

    @property
    def basis(self) -> str:
        return str(self.alerts)

    def tried(self, text: str, data: Any) -> Tried:
        if not isinstance(data, dict) or "route" not in data:
            return Tried(False, "no configuration", f"The answer is {self.wants}; yours is not.")
        elsewhere = next((key for key, _ in strings(data) if key.endswith(("_file", "_files", "templates"))), "")
        if elsewhere:
            return Tried(
                False,
                f"file {elsewhere}",
                f"`{elsewhere}` names a file, and files beside your answer are not read. Leave it out.",
            )
        with bench({"alertmanager.yml": text}) as here:
            said = here.amtool("check-config", "{}/alertmanager.yml")
            if not said.ok:
                words = " ".join(said.text.replace("Checking 'alertmanager.yml'", "").replace("FAILED:", "").split())[:600]
                return Tried(False, f"refused {words}", f"amtool refuses your configuration: {words}")
            reached = [self._reached(here.amtool, one) for one in self.alerts]
        failed = [(one, got) for one, got in zip(self.alerts, reached, strict=True) if one.receivers != got]
        if not failed:
            return Tried(True, "", f"amtool is content, and {len(self.alerts)} alerts reach whom they should.")
        first, got = failed[0]
        given = ", ".join(f'{name}="{value}"' for name, value in first.labels)
        return Tried(
            False, str(reached), f"{first.message} An alert with {given or 'no labels'} reaches {', '.join(got) or 'nobody'}."
        )

    @staticmethod
    def _reached(amtool: Any, one: Alert) -> tuple[str, ...]:
        words = [f"{name}={value}" for name, value in one.labels]
        said = amtool("config", "routes", "test", "--config.file={}/alertmanager.yml", *words)
        return tuple(name.strip() for name in said.text.strip().split(",") if name.strip())


def route(
    id: str,
    *,
    reference: str,
    alerts: Iterable[Alert],
    accepts: Iterable[str],
    rejects: Rejects,
    hints: Iterable[str],
    solution: str = "",
) -> RouteCheck:
    """A question that a routing tree answers. Each of `alerts` must reach its receivers."""
    return RouteCheck(
        id=id,
        reference=reference,
        alerts=tuple(alerts),
        accepts=tuple(accepts),
        rejects=pairs(rejects),
        hints=tuple(hints),
        solution=solution or fenced(reference, "yaml"),
    )
