"""stack/native/<server>/server.yaml -> a record."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from monlab.settings import Settings
from monlab.stack.compose import read_versions


@dataclass(frozen=True)
class Recipe:
    """How to get one server without Docker."""

    name: str
    folder: Path  # stack/native/<name>, with go.mod and go.sum
    version: str
    binaries: tuple[str, ...]
    archive: str  # path of the release archive under the release host, with {version} {os} {arch}
    checksums: str  # path of the sha256 list published with it
    packages: tuple[str, ...]  # Go packages, in the order of `binaries`
    tags: str  # Go build tags
    version_variable: str  # Go variable that `--version` prints
    lacks: str  # what a source build cannot do

    @property
    def files(self) -> list[Path]:
        """The files that decide what comes out; a change of any of them is another server."""
        return [self.folder / name for name in ("server.yaml", "go.mod", "go.sum")]


def recipes(settings: Settings) -> Mapping[str, Recipe]:
    """Every recipe in stack/native, by name."""
    versions = read_versions(settings.versions_file)
    return {path.parent.name: _recipe(path, versions) for path in sorted(settings.native.glob("*/server.yaml"))}


def _recipe(path: Path, versions: Mapping[str, str]) -> Recipe:
    body: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))
    return Recipe(
        name=path.parent.name,
        folder=path.parent,
        version=versions[body["version"]],
        binaries=tuple(body["binaries"]),
        archive=body["archive"]["file"],
        checksums=body["archive"]["checksums"],
        packages=tuple(body["go"]["packages"]),
        tags=body["go"].get("tags", ""),
        version_variable=body["go"]["version_variable"],
        lacks=body.get("lacks", ""),
    )
