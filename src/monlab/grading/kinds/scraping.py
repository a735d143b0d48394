"""What Prometheus would scrape: lists of targets and relabelling, tried with `promtool check service-discovery`."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import yaml

from monlab.grading.bench import bench
from monlab.grading.check import Rejects, fenced, pairs
from monlab.grading.tried import Tried, TriedCheck, kept

__all__ = ["relabelling", "target_list"]

JOB = "job"
WAITS = ("100ms", "2s")  # promtool collects targets until its time is over, so the usual wait is short
SETTINGS = ("__scheme__", "__metrics_path__", "__address__")  # labels in double underscores that decide what is scraped
Targets = list[dict[str, str]]


@dataclass(frozen=True, kw_only=True)
class ScrapeCheck(TriedCheck):
    """A question about what becomes of targets. Two answers are equal when the same targets with the same labels are left."""

    def config(self, data: Any) -> dict[str, Any]:
        """The scrape job in which an answer is tried."""
        raise NotImplementedError

    def files(self, text: str) -> dict[str, str]:
        """Files beside it."""
        raise NotImplementedError

    def shaped(self, data: Any) -> str:
        """Why the data is no such answer, as a sentence; empty when it is one."""
        raise NotImplementedError

    def tried(self, text: str, data: Any) -> Tried:
        unfit = self.shaped(data)
        if unfit:
            return Tried(False, f"unfit {unfit}", unfit)
        mine = self._targets(text, data)
        if isinstance(mine, str):
            return Tried(False, f"refused {mine}", f"promtool refuses your answer: {mine}")
        wanted = json.loads(kept(f"targets of {self.id} {self.basis} {self.reference}", self._wanted))
        if _sorted(mine) == _sorted(wanted):
            return Tried(True, "", f"{len(wanted)} targets are left, with the labels they should have.")
        return Tried(False, json.dumps(_sorted(mine)), _first_difference(mine, wanted))

    def _wanted(self) -> str:
        return json.dumps(self._targets(self.reference, yaml.safe_load(self.reference)))

    def _targets(self, text: str, data: Any) -> Targets | str:
        """What is left after relabelling, or what promtool objects to. Nothing found at all gets a second, longer look."""
        config = yaml.safe_dump({"scrape_configs": [{"job_name": JOB, **self.config(data)}]})
        with bench({"prometheus.yml": config, **self.files(text)}) as here:
            for wait in WAITS:
                said = here.promtool("check", "service-discovery", f"--timeout={wait}", "{}/prometheus.yml", JOB)
                first = said.text.find("[\n")
                if not said.ok or (first < 0 and "[]" not in said.text and "null" not in said.text):
                    return " ".join(said.text.split())[:600]
                found = json.loads(said.text[first : said.text.rfind("]") + 1]) if first >= 0 else []
                if found:
                    break
        return [_kept(one["labels"]) for one in found if one["labels"]]


def _kept(labels: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in labels.items() if not name.startswith("__") or name in SETTINGS}


def _sorted(targets: Targets) -> list[list[tuple[str, str]]]:
    return sorted(sorted(one.items()) for one in targets)


def _first_difference(mine: Targets, wanted: Targets) -> str:
    if len(mine) != len(wanted):
        return f"{len(mine)} targets are left, and {len(wanted)} should be."
    names, right = ({name for one in targets for name in one} for targets in (mine, wanted))
    if names - right:
        return f"A target has the label `{sorted(names - right)[0]}`, which it should not have."
    if right - names:
        return f"No target has the label `{sorted(right - names)[0]}`."
    strange = next(one for one in mine if one not in wanted)
    known = {(name, value) for one in wanted for name, value in one.items()}
    wrong = next(((name, value) for name, value in strange.items() if (name, value) not in known), None)
    if wrong and wrong[0] == "__address__":
        return f"The target {wrong[1]} is left, and it is none of the wanted ones."
    if wrong:
        return f'{wrong[0]}="{wrong[1]}" is on the target {strange.get("__address__", "")}, and on none that is wanted.'
    return f"The target {strange.get('__address__', '')} has labels that belong to another one, or lacks one."


@dataclass(frozen=True, kw_only=True)
class TargetListCheck(ScrapeCheck):
    """A question whose answer is a list of targets for `file_sd_configs`."""

    wants: ClassVar[str] = "a target list for file_sd_configs, as a YAML or JSON text"

    @property
    def basis(self) -> str:
        return "targets"

    def config(self, data: Any) -> dict[str, Any]:
        return {"file_sd_configs": [{"files": ["targets.yml"]}]}

    def files(self, text: str) -> dict[str, str]:
        return {"targets.yml": text}  # JSON is YAML, too

    def shaped(self, data: Any) -> str:
        if not isinstance(data, list) or not all(isinstance(one, dict) and isinstance(one.get("targets"), list) for one in data):
            return "A target list is a list of entries, each with `targets:` (a list of host:port) and, if you like, `labels:`."
        if any(not isinstance(target, str) for one in data for target in one["targets"]):
            return "A target is a text such as `shop:8080`."
        strange = {str(key) for one in data for key in one} - {"targets", "labels"}
        if strange:
            return f"An entry has `targets:` and `labels:`; yours has `{sorted(strange)[0]}`, which Prometheus refuses."
        values = [value for one in data for value in (one.get("labels") or {}).values()] if _labels_are_mappings(data) else [None]
        if any(not isinstance(value, str) for value in values):
            return "`labels:` is a mapping of names to texts; put quotes around a number or a yes."
        address = next((target for one in data for target in one["targets"] if "://" in target or "/" in target), "")
        return f"`{address}` is no address: a target is host:port, without scheme and path." if address else ""


def _labels_are_mappings(data: list[dict[str, Any]]) -> bool:
    return all(isinstance(one.get("labels") or {}, dict) for one in data)


@dataclass(frozen=True, kw_only=True)
class RelabellingCheck(ScrapeCheck):
    """A question whose answer is `relabel_configs`."""

    discovered: tuple[tuple[tuple[str, str], ...], ...]

    wants: ClassVar[str] = "relabelling steps, as a YAML text: a list, or `relabel_configs:` with a list"

    @property
    def basis(self) -> str:
        return str(self.discovered)

    def config(self, data: Any) -> dict[str, Any]:
        groups = [
            {"targets": [dict(labels)["__address__"]], "labels": {name: value for name, value in labels if name != "__address__"}}
            for labels in self.discovered
        ]
        return {"static_configs": groups, "relabel_configs": _steps(data)}

    def files(self, text: str) -> dict[str, str]:
        return {}

    def shaped(self, data: Any) -> str:
        steps = _steps(data)
        return (
            ""
            if isinstance(steps, list) and all(isinstance(one, dict) for one in steps)
            else f"The answer is {self.wants}; yours is not."
        )


def _steps(data: Any) -> Any:
    return data.get("relabel_configs") if isinstance(data, dict) and set(data) == {"relabel_configs"} else data


def target_list(
    id: str,
    *,
    reference: str,
    accepts: Iterable[str],
    rejects: Rejects,
    hints: Iterable[str],
    solution: str = "",
) -> TargetListCheck:
    """A question that a file of targets answers (`file_sd_configs`)."""
    return TargetListCheck(
        id=id,
        reference=reference,
        accepts=tuple(accepts),
        rejects=pairs(rejects),
        hints=tuple(hints),
        solution=solution or fenced(reference, "yaml"),
    )


def relabelling(
    id: str,
    *,
    discovered: Iterable[Mapping[str, str]],
    reference: str,
    accepts: Iterable[str],
    rejects: Rejects,
    hints: Iterable[str],
    solution: str = "",
) -> RelabellingCheck:
    """A question that `relabel_configs` answers. `discovered` are the labels of targets as discovery finds them: `__address__`
    and any others, `__meta_...` included."""
    return RelabellingCheck(
        id=id,
        discovered=tuple(tuple(labels.items()) for labels in discovered),
        reference=reference,
        accepts=tuple(accepts),
        rejects=pairs(rejects),
        hints=tuple(hints),
        solution=solution or fenced(reference, "yaml"),
    )
