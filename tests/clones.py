"""A copy of the repository, driven as a person drives it."""

import atexit
import json
import os
import py_compile
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path

import docker
import forked
import images
import psutil
import requests
from marks import BUILDING, worker
from waits import until

from monlab.settings import settings
from monlab.stack import doctor, engines, servers

REPO = Path(__file__).resolve().parents[1]
BUILD_SECONDS = 3000


def await_servers(words: Sequence[str]) -> None:
    """Where the servers of this machine are still being built: waits for those that a command will start."""
    if os.environ.get(BUILDING) and words[0] in ("up", "run"):
        config = settings()
        modules = [word for word in words[1:] if word in engines.describe(config).modules]
        needed = doctor.servers_of([] if words[0] == "run" else modules, config, tools=False)
        optional = doctor.optional_servers(config)
        until(lambda: all(servers.present(name, config) for name in needed if name not in optional), BUILD_SECONDS, needed)


def first_port() -> int:
    """Where the clones of this worker look for ports. Below it is room for tests that begin with the standard ones."""
    return 22000 + 2000 * worker()


@lru_cache
def template() -> Path:
    """The tracked files, and the bytecode of src/, which is valid wherever the same source lies, so that no clone has to compile it again."""
    folder = Path(tempfile.mkdtemp(prefix="monlab-tests-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=REPO, capture_output=True, text=True, check=True
    ).stdout
    for name in filter(None, listed.split("\0")):
        if (REPO / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPO / name, folder / name, follow_symlinks=False)
    for source in (folder / "src").rglob("*.py"):
        py_compile.compile(str(source), invalidation_mode=py_compile.PycInvalidationMode.CHECKED_HASH)
    return folder


class Clone:
    """A copy of the tracked files, driven as a person drives it: by commands."""

    def __init__(self, home: Path, **environment: str) -> None:
        self.home = home = home / "a home"  # a blank in a path must never matter
        home.mkdir()
        self.repo = home / "clone"
        subprocess.run(["cp", "-a", str(template()), str(self.repo)], check=True)
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("LAB_")},
            "PYTHONPATH": str(self.repo / "src"),
            "XDG_STATE_HOME": str(home / "state"),
            "COLUMNS": "160",
            "LAB_PORTS": str(first_port()),
            **environment,
        }

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "monlab", *words]

    def lab(self, *words: str, code: int | None = 0, **environment: str) -> str:
        """Runs `./lab words`, expects the exit code (None: any) and returns all it printed."""
        await_servers(words)
        done = forked.run(["-m", "monlab", *words], self.repo, {**self.environment, **environment}, 600)
        text = done.stdout + done.stderr
        assert code is None or done.returncode == code, f"exit code {done.returncode} instead of {code}:\n{text}"
        return text

    def begin(self, *words: str, **environment: str) -> subprocess.Popen[str]:
        """Starts `./lab words` and returns at once; both streams can be read from `stdout`."""
        await_servers(words)
        return subprocess.Popen(
            self.command(*words),
            cwd=self.repo,
            env={**self.environment, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def python(self, text: str) -> str:
        """Runs Python in this clone, with the notebook API at hand."""
        done = forked.run(["-c", text], self.repo, self.environment, 300)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def status(self) -> dict[str, dict]:
        """Service -> what `status --json` says of it."""
        return {service["name"]: service for service in json.loads(self.lab("status", "--json"))["services"]}

    def query(self, query: str) -> list[dict]:
        answer = requests.get(self.url("prometheus") + "/api/v1/query", params={"query": query}, timeout=10)
        return answer.json()["data"]["result"]

    def url(self, service: str) -> str:
        """Where a service answers, as the last `up` has written it; `status` takes half a second to say the same."""
        return json.loads((self.state / "endpoints.json").read_text("utf-8"))["services"][service]

    @property
    def state(self) -> Path:
        return next((self.home / "state" / "monlab").glob("clone-*"))

    def processes(self) -> list[psutil.Process]:
        """Every process that carries this clone's mark."""
        folders = list((self.home / "state" / "monlab").glob("clone-*"))
        found = []
        for process in psutil.process_iter():
            try:
                if folders and process.environ().get("MONLAB_CLONE") == folders[0].name:
                    found.append(process)
            except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess, OSError):
                continue
        return found

    def supervisor(self) -> psutil.Process:
        found = named(self.processes(), "supervisord")
        assert found, "no supervisor runs"
        return found

    @property
    def project(self) -> str:
        """The name of this clone's Compose project."""
        return f"monlab-{self.state.name.rpartition('-')[2]}"

    def containers(self) -> list[str]:
        """Containers and networks of this clone's Compose project."""
        if self.environment.get("LAB_ENGINE") != "docker" or not list((self.home / "state").glob("monlab/clone-*")):
            return []
        label = {"label": f"com.docker.compose.project={self.project}"}
        client = docker.from_env()
        return [one.name for one in (*client.containers.list(all=True, filters=label), *client.networks.list(filters=label))]

    def leftovers(self) -> list[object]:
        return [*self.processes(), *self.containers()]


def named(processes: Iterable[psutil.Process], words: str) -> psutil.Process | None:
    """The first process with these words in its command; others may end while they are looked at."""

    def is_it(process: psutil.Process) -> bool:
        try:
            return words in " ".join(process.cmdline())
        except psutil.Error:
            return False

    return next(filter(is_it, processes), None)


def ended(made: Clone) -> None:
    """Ends what a test left running, volumes included, and holds `./lab down` to leaving nothing."""
    made.lab("down", code=None)
    assert not made.leftovers(), "`./lab down` left something behind"
    for state in (made.home / "state" / "monlab").glob("clone-*"):
        for place in Path("/var/tmp").glob(f"monlab-{state.name}*"):
            shutil.rmtree(place)
    if made.environment.get("LAB_ENGINE") == "docker":
        made.lab("reset", "--yes")


NATIVE = {"LAB_ENGINE": "native"}
DOCKER = {"LAB_ENGINE": "docker", "LAB_IMAGE_PREFIX": images.PREFIX}
