"""The learner's own copies: notebooks, exercises and the files that servers mount. Tracked files are never edited.

A newer course version replaces what the learner has not touched and lies beside what they have. Whatever would be
overwritten is copied to workspace/backup/<date and time>/ first.
"""

import difflib
import hashlib
import html
import json
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from monlab import endpoints
from monlab.files import read_text
from monlab.problem import LabProblem
from monlab.settings import Settings, settings
from monlab.stack import compose
from monlab.workbook.modules import Module, modules

MANIFEST = ".course.json"  # what is not the learner's own: {"shipped": {path: sha256}, "written": {path: sha256}}


def shipped(config: Settings) -> dict[str, Path]:
    """Path in the workspace -> the file of the course that belongs there."""
    found: dict[str, Path] = {}
    for folder in ("notebooks", "exercises", "solutions"):
        for path in sorted((config.repo / folder).glob("*.ipynb")):
            found[f"{folder}/{path.name}"] = path
    for module in modules(config):
        for path in _files(module.files):
            found[f"files/{module.id}/{path.relative_to(module.files).as_posix()}"] = path
    for folder in mounted(config):
        for path in _files(config.repo / "stack" / folder):
            found[f"{folder}/{path.relative_to(config.repo / 'stack' / folder).as_posix()}"] = path
    return found


def mounted(config: Settings, module: str | None = None) -> list[str]:
    """Folders of the workspace that services (of one module) mount; stack/ holds their first content under the same name."""
    services = compose.load(config.compose_file, config.versions_file).services.values()
    names = {
        Path(mount.source).name
        for service in services
        if module is None or module in service.profiles
        for mount in service.mounts
        if Path(mount.source).parts[-2:-1] == ("workspace",)
    }
    return sorted(names)


def sync(config: Settings) -> list[str]:
    """Brings the workspace up to the course's present version. Returns sentences about what a learner should know."""
    space = config.workspace
    manifest = _manifest(space)
    known = manifest["shipped"]
    said = []
    for name, source in shipped(config).items():
        target, new = space / name, _digest(source)
        if not target.exists() or (name in known and _digest(target) == known[name]):
            _copy(source, target)
        elif _digest(target) != new and known.get(name) != new:
            # Not NAME.new.yml: servers load every *.yml of a folder.
            beside = target.with_name(f"{target.stem}.new.ipynb" if target.suffix == ".ipynb" else f"{target.name}.new")
            _copy(source, beside)
            said.append(f"{name} is newer in the course and you have changed yours: the new one lies beside it as {beside.name}.")
        known[name] = new
    _write_manifest(space, manifest)
    return said


def reset(module: Module, config: Settings) -> Path:
    """Moves the learner's files of one module to a dated backup and puts fresh ones in their place. Returns the backup."""
    backup = _backup_folder(config)
    places = [f"{folder}/{module.notebook}" for folder in ("notebooks", "exercises", "solutions")]
    places += [f"files/{module.id}", *mounted(config, module.id)]
    for name in places:
        if (config.workspace / name).exists():
            (backup / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.move(config.workspace / name, backup / name)
    sync(config)
    return backup


def keep_changed(config: Settings, since: Path) -> Path | None:
    """Copies the learner's own files that differ from those in `since` to a dated backup, and returns it; None when none does."""
    known = list(_manifest(config.workspace).values())
    backup = _backup_folder(config)
    for folder in (one for one in since.iterdir() if one.is_dir()):
        for path in _files(config.workspace / folder.name):
            name, digest = path.relative_to(config.workspace).as_posix(), _digest(path)
            then = since / name
            if digest not in [one.get(name) for one in known] and not (then.is_file() and _digest(then) == digest):
                _copy(path, backup / name)
    return backup if backup.exists() else None


@dataclass(frozen=True)
class Change:
    """What a cell did to a file of the workspace, shown as a diff."""

    path: str
    before: str
    after: str
    kept: str = ""  # where the learner's own version was kept

    def __repr__(self) -> str:
        head = f"workspace/{self.path}" + (f" (your version is kept in {self.kept})" if self.kept else "")
        if self.before == self.after:
            return f"{head}: already so"
        lines = difflib.unified_diff(self.before.splitlines(), self.after.splitlines(), lineterm="", n=2)
        return "\n".join([head, *list(lines)[2:]])

    def _repr_html_(self) -> str:
        colours = {"+": "#2e7d32", "-": "#c62828", "@": "#888"}
        rows = [
            f"<span style='color:{colours.get(line[:1], 'inherit')}'>{html.escape(line)}</span>"
            for line in repr(self).splitlines()
        ]
        return f"<pre style='font-family:monospace'>{chr(10).join(rows)}</pre>"


def show(path: str) -> None:
    """Prints a file of the workspace."""
    from IPython.display import Markdown, display

    kind = {"yml": "yaml", "yaml": "yaml", "json": "json", "py": "python"}.get(path.rpartition(".")[2], "")
    display(Markdown(f"`workspace/{path}`\n```{kind}\n{read_text(_inside(path)).rstrip()}\n```"))


def write(path: str, text: str) -> Change:
    """Writes a file of the workspace. A version that is the learner's own goes to the backup folder first."""
    target = _for_change(path)
    before = read_text(target) if target.exists() else ""
    after = text.strip("\n") + "\n"
    kept = "" if before in ("", after) else _keep_if_own(path, target)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(after, "utf-8")
    space = settings().workspace
    manifest = _manifest(space)
    manifest["written"][path] = _digest(target)
    _write_manifest(space, manifest)
    return Change(path, before, after, kept)


def install(source: str, target: str) -> Change:
    """Copies one file of the workspace over another, such as a prepared rule file to where a server looks for it."""
    return write(target, read_text(_inside(source)))


def replace(path: str, old: str, new: str) -> Change:
    """Replaces one piece of text in a file of the workspace. Raises LabProblem when neither `old` nor `new` is there."""
    text = read_text(_inside(path))
    if new in text and old not in text.replace(new, ""):
        return Change(path, text, text)
    if text.count(old) != 1:
        raise LabProblem(
            f"workspace/{path} holds {old!r} {text.count(old)} times, so it is not clear what to change. Change it by hand, or `./lab reset MODULE` brings the first version back."
        )
    return write(path, text.replace(old, new))


def without(path: str, *pieces: str) -> Change:
    """Takes pieces of text out of a file of the workspace; a piece that is not there is no problem."""
    text = before = read_text(_inside(path))
    for piece in pieces:
        text = text.replace(piece, "")
    return write(path, text) if text != before else Change(path, before, before)


def remove(path: str) -> str:
    """Deletes a file of the workspace; a version that is the learner's own is kept in the backup folder."""
    target = _inside(path, must_exist=False)
    if not target.exists():
        return f"workspace/{path} is not there."
    kept = _keep_if_own(path, _for_change(path))
    target.unlink()
    return f"workspace/{path} is gone." + (f" Your version is kept in {kept}." if kept else "")


def _keep_if_own(path: str, target: Path) -> str:
    config = settings()
    if _digest(target) in [known.get(path) for known in _manifest(config.workspace).values()]:
        return ""
    backup = _backup_folder(config) / path
    _copy(target, backup)
    return backup.relative_to(config.workspace).as_posix()


def _inside(path: str, must_exist: bool = True) -> Path:
    space = settings().workspace
    target = (space / path).resolve()
    if not target.is_relative_to(space.resolve()):
        raise LabProblem(f"{path} lies outside the workspace.")
    if must_exist and not target.exists():
        raise LabProblem(f"There is no workspace/{path}. `./lab reset MODULE` brings the course's files back.")
    return target


def _for_change(path: str) -> Path:
    """The file, if changing it means something: raises Elsewhere for a file of a server that somebody else runs."""
    target = _inside(path, must_exist=False)
    config = settings()
    if target.relative_to(config.workspace.resolve()).parts[0] in mounted(config):
        endpoints.must_be_ours(config, f"Changing {path}")
    return target


def _backup_folder(config: Settings) -> Path:
    stamp = datetime.now().strftime("%Y-%m-%d_%H-%M-%S")
    folder = config.workspace / "backup" / stamp
    number = 1
    while folder.exists():
        number += 1
        folder = folder.with_name(f"{stamp}_{number}")
    return folder


def _manifest(space: Path) -> dict[str, dict[str, str]]:
    try:
        known = json.loads((space / MANIFEST).read_text("utf-8"))
        return {"shipped": dict(known["shipped"]), "written": dict(known["written"])}
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return {"shipped": {}, "written": {}}  # then every file that differs from the course's counts as the learner's own


def _write_manifest(space: Path, known: dict[str, dict[str, str]]) -> None:
    fresh = space / f"{MANIFEST}.new"
    fresh.parent.mkdir(parents=True, exist_ok=True)
    fresh.write_text(json.dumps(known, indent=1, sort_keys=True), "utf-8")
    fresh.replace(space / MANIFEST)


def _files(folder: Path) -> Iterable[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
