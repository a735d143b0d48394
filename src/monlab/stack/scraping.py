"""Who asks whom follows what is up: one file a running service, put beside the learner's own while the service runs.

Prometheus scrapes by such files (`follow`), Grafana has its data sources from them (`offer`).
"""

import shutil
from collections.abc import Iterable
from pathlib import Path

from monlab.settings import Settings
from monlab.stack.compose import Service


def follow(settings: Settings, services: Iterable[Service]) -> bool:
    """Makes the scrape files those of `services`; True when that changed anything. Prometheus then wants a reload."""
    names = [service.name for service in services if service.scrape]
    return _mirrored(settings.scrape, settings.workspace / "prometheus" / "up", names)


def offer(settings: Settings, services: Iterable[Service]) -> bool:
    """Makes Grafana's data sources those of `services`; True when that changed anything. It reads them at its start only."""
    names = [service.name for service in services if service.datasource]
    return _mirrored(settings.datasources, settings.workspace / "grafana" / "provisioning" / "datasources", names)


def _mirrored(source: Path, folder: Path, names: list[str]) -> bool:
    """Makes the files of `folder` those of `source` for these services, and no others. Returns whether that changed anything."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = {f"{name}.yml": source / f"{name}.yml" for name in names}
    changed = False
    for stale in [path for path in folder.glob("*.yml") if path.name not in wanted]:
        stale.unlink()
        changed = True
    for name, file in wanted.items():
        target = folder / name
        if not target.exists() or target.read_bytes() != file.read_bytes():
            shutil.copyfile(file, target)
            changed = True
    return changed
