"""stack/native/<server>/server.yaml -> a record."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from monlab.files import from_yaml
from monlab.settings import RELEASES, Settings
from monlab.stack.compose import read_versions


@dataclass(frozen=True)
class Recipe:
    """How to get one server without Docker."""

    name: str
    folder: Path  # stack/native/<name>, with go.mod and go.sum
    version: str
    binaries: tuple[str, ...]
    lacks: str  # what a source build cannot do
    # release archive
    archive: str = ""  # its path under the release host, with {version} {os} {arch}; empty: there is none
    checksums: str = ""  # path of the sha256 list published with it
    host: str = RELEASES  # its release host
    archive_names: Mapping[str, str] = field(
        default_factory=dict
    )  # what the archive calls a program: what it is called here, where they differ
    whole: bool = False  # the program needs all that lies beside it in the archive
    # build through Go
    packages: tuple[str, ...] = ()  # Go packages
    names: Mapping[str, str] = field(
        default_factory=dict
    )  # what Go calls a program: what the release calls it, where they differ
    tags: str = ""  # Go build tags
    version_variable: str = ""  # Go variable that `--version` prints
    # Python wheels, or a Node program with its packages
    wheels: str = ""  # requirements file with hashes
    npm: bool = False  # the folder is a Node package; `npm ci` installs what it needs
    needs: tuple[str, ...] = ()  # other servers that this one is run by
    programs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # binary -> command, where it is no file of that name
    home: str = ""  # folder the program runs in; placeholders as in `programs`; empty: the lab's state folder

    @property
    def files(self) -> list[Path]:
        """The files that decide what comes out; a change of any of them is another server."""
        if self.wheels:
            names = ["server.yaml", self.wheels]
        elif self.npm:
            names = ["server.yaml", ".npmrc", "package.json", "package-lock.json", *self._sources("*.*js")]
        else:
            names = ["server.yaml", *(("go.mod", "go.sum") if self.packages else ()), *self._sources("*.go")]
        return [self.folder / name for name in names]

    def _sources(self, pattern: str) -> list[str]:
        names = sorted(path.name for path in self.folder.glob(pattern))
        return [name for name in names if not name.endswith(("_test.go", ".test.js", ".test.mjs", ".test.cjs"))]


def recipes(settings: Settings) -> Mapping[str, Recipe]:
    """Every recipe of stack/native and of the shop, by name."""
    versions = read_versions(settings.versions_file)
    return {path.parent.name: _recipe(path, versions) for path in _files(settings)}


def recipe(name: str, settings: Settings) -> Recipe:
    """The recipe of one server. Raises KeyError when there is none."""
    for path in _files(settings):
        if path.parent.name == name:
            return _recipe(path, read_versions(settings.versions_file))
    raise KeyError(name)


def _files(settings: Settings) -> list[Path]:
    places = (settings.native.glob("*/server.yaml"), settings.shop.glob("server.yaml"), settings.shop.glob("*/server.yaml"))
    return [path for found in places for path in sorted(found)]


def _recipe(path: Path, versions: Mapping[str, str]) -> Recipe:
    body = _read(path, path.stat().st_mtime_ns)
    archive, go = body.get("archive") or {}, body.get("go") or {}
    return Recipe(
        name=path.parent.name,
        folder=path.parent,
        version=versions[body["version"]],
        binaries=tuple(body["binaries"]),
        lacks=body.get("lacks", ""),
        archive=archive.get("file", ""),
        checksums=archive.get("checksums", ""),
        archive_names=archive.get("names") or {},
        host=archive.get("host", RELEASES),
        whole=bool(archive.get("whole")),
        packages=tuple(go.get("packages") or ()),
        names=go.get("names") or {},
        tags=go.get("tags", ""),
        version_variable=go.get("version_variable", ""),
        wheels=body.get("wheels", ""),
        npm=bool(body.get("npm")),
        needs=tuple(body.get("needs") or ()),
        programs={name: tuple(words) for name, words in (body.get("programs") or {}).items()},
        home=body.get("home", ""),
    )


@lru_cache(maxsize=64)
def _read(path: Path, changed: int) -> dict[str, Any]:
    """A recipe's YAML, read again when the file has changed."""
    document: dict[str, Any] = from_yaml(path.read_text("utf-8"))
    return document
