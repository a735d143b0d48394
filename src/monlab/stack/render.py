"""What a service's command line and configuration become when service names do not resolve (processes, not containers).

`Addresses` knows where each `service:port` of the compose file really listens. Everything but `write_prometheus` is pure.
"""

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from monlab.files import from_yaml, read_text
from monlab.stack.compose import Description, Service
from monlab.stack.ports import Block

DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)  # the same, in C, where PyYAML was built with it


@dataclass(frozen=True)
class Addresses:
    """`prometheus:9090` -> `127.0.0.1:20000`, for every port of the compose file."""

    real: Mapping[str, str]

    @classmethod
    def of(cls, description: Description, block: Block) -> "Addresses":
        return cls(
            {
                f"{service.name}:{port.container}": f"127.0.0.1:{block.of(port)}"
                for service in description.services.values()
                for port in service.ports
            }
        )

    def translate(self, text: str) -> str:
        """`text` with every whole `service:port` replaced by its real address."""
        if not self.real:
            return text
        names = "|".join(re.escape(name) for name in self.real)
        return re.sub(rf"(?<![\w.-])({names})(?!\d)", lambda match: self.real[match[1]], text)


def command(service: Service, block: Block, paths: Mapping[str, Path], addresses: Addresses) -> list[str]:
    """The native command line without the program: listen addresses on loopback, container paths on this machine.

    `paths` maps container paths (mount targets and rendered files) to host paths; the longest match wins.
    """
    return [_here(word, service, block, paths, addresses) for word in service.command]


def environment(service: Service, block: Block, paths: Mapping[str, Path], addresses: Addresses) -> dict[str, str]:
    """The native environment, translated as the command line is."""
    return {name: _here(value, service, block, paths, addresses) for name, value in service.environment.items()}


def _here(word: str, service: Service, block: Block, paths: Mapping[str, Path], addresses: Addresses) -> str:
    """A word that names addresses, ports or paths of the container, as it must read on this machine."""
    word = addresses.translate(word)
    for port in service.ports:
        word = re.sub(rf"(?<![\w.])(?:0\.0\.0\.0|\[::\])?:{port.container}(?!\d)", f"127.0.0.1:{block.of(port)}", word)
        word = re.sub(rf"(^|=){port.container}$", rf"\g<1>{block.of(port)}", word)
    return on_host(re.sub(r"(^|=)0\.0\.0\.0$", r"\g<1>127.0.0.1", word), paths)


def on_host(text: str, paths: Mapping[str, Path]) -> str:
    """`text` with the container paths of `paths` replaced; `--x=/etc/p/a.yml` and bare paths alike."""
    for container in sorted(paths, key=len, reverse=True):
        found = re.search(rf"(?:(?<==)|^){re.escape(container)}(?=/|$)", text)
        if found:
            return text[: found.start()] + _plain(paths[container]) + text[found.end() :]
    return text


def _plain(path: Path) -> str:
    return str(path).rstrip("/") or "/"


def prometheus_config(text: str, folder: Path, addresses: Addresses) -> str:
    """A Prometheus configuration that works where service names do not resolve, with the same `job` and `instance` labels.

    Targets keep the names a person wrote: relabelling steps at the end of each scrape job copy the written address into
    `instance` (as Prometheus itself would) and only then replace the address. Relative paths become absolute under
    `folder`. A text that is not a YAML map is returned unchanged, so that Prometheus reports the mistake itself.
    """
    document = _loaded(text)
    if document is None:
        return text
    jobs = _maps(document.get("scrape_configs"))
    managers = _maps(
        (document.get("alerting") or {}).get("alertmanagers") if isinstance(document.get("alerting"), dict) else None
    )
    for discovering in (*jobs, *managers):
        for discovery in _maps(discovering.get("file_sd_configs")):
            discovery["files"] = _absolute(discovery.get("files"), folder)
    for job in jobs:
        steps = [_keep_instance(), *_move("__address__", addresses), *_move("__param_target", addresses)]
        job["relabel_configs"] = [*(job.get("relabel_configs") or []), *steps]
    for manager in managers:
        manager["relabel_configs"] = [*(manager.get("relabel_configs") or []), *_move("__address__", addresses)]
    for key in ("rule_files", "scrape_config_files"):
        if key in document:
            document[key] = _absolute(document[key], folder)
    for key in ("remote_write", "remote_read", "tracing"):
        if key in document:
            document[key] = _translated(document[key], addresses)
    return _text(document)


def write_prometheus(main: Path, out: Path, addresses: Addresses) -> None:
    """Translates `main` and the scrape files it names (`scrape_config_files`) into the folder `out`, afresh.

    A broken scrape file is copied as it is: Prometheus then says what is wrong with it.
    """
    text = read_text(main)
    scrape = out / "scrape"
    shutil.rmtree(out, ignore_errors=True)
    scrape.mkdir(parents=True)
    document = _loaded(text)
    if document is not None and isinstance(document.get("scrape_config_files"), list):
        patterns = [p for p in document["scrape_config_files"] if isinstance(p, str)]
        for number, source in enumerate(path for pattern in patterns for path in sorted(main.parent.glob(pattern))):
            translated = prometheus_config(read_text(source), source.parent, addresses)
            (scrape / f"{number:02}-{source.name}").write_text(translated, "utf-8")
        text = _text({**document, "scrape_config_files": [f"{scrape}/*"]})
    (out / main.name).write_text(prometheus_config(text, main.parent, addresses), "utf-8")


def _loaded(text: str) -> dict[str, Any] | None:
    try:
        document = from_yaml(text)
    except yaml.YAMLError:
        return None
    return document if isinstance(document, dict) else None


def _text(document: dict[str, Any]) -> str:
    return str(yaml.dump(document, Dumper=DUMPER, sort_keys=False, allow_unicode=True))


def _maps(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _absolute(files: Any, folder: Path) -> Any:
    return [str(folder / name) if isinstance(name, str) else name for name in files] if isinstance(files, list) else files


def _keep_instance() -> dict[str, Any]:
    return {"source_labels": ["instance", "__address__"], "regex": ";(.+)", "target_label": "instance"}


def _move(label: str, addresses: Addresses) -> list[dict[str, Any]]:
    return [
        {
            "source_labels": [label],
            "regex": rf"(.*/)?{re.escape(name)}(/.*)?",
            "target_label": label,
            "replacement": f"${{1}}{real}${{2}}",
        }
        for name, real in addresses.real.items()
    ]


def _translated(value: Any, addresses: Addresses) -> Any:
    if isinstance(value, str):
        return addresses.translate(value)
    if isinstance(value, list):
        return [_translated(item, addresses) for item in value]
    if isinstance(value, dict):
        return {key: _translated(item, addresses) for key, item in value.items()}
    return value
