"""Clones of the repository that tests may break, each with a state of its own; servers come from the user's cache."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import docker
import images
import psutil
import pytest
import requests
from docker.errors import DockerException

REPO = Path(__file__).resolve().parents[1]


class Clone:
    """A copy of the tracked files, driven as a person drives it: by commands."""

    def __init__(self, home: Path, **environment: str) -> None:
        self.home = home = home / "a home"  # a blank in a path must never matter
        home.mkdir()
        self.repo = home / "clone"
        listed = subprocess.run(
            ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=REPO, capture_output=True, text=True, check=True
        ).stdout
        for name in filter(None, listed.split("\0")):
            if (REPO / name).exists():
                (self.repo / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(REPO / name, self.repo / name, follow_symlinks=False)
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("LAB_")},
            "PYTHONPATH": str(self.repo / "src"),
            "XDG_STATE_HOME": str(home / "state"),
            "COLUMNS": "160",
            **environment,
        }

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "monlab", *words]

    def lab(self, *words: str, code: int | None = 0, **environment: str) -> str:
        """Runs `./lab words`, expects the exit code (None: any) and returns all it printed."""
        done = subprocess.run(
            self.command(*words),
            cwd=self.repo,
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            timeout=600,
        )
        text = done.stdout + done.stderr
        assert code is None or done.returncode == code, f"exit code {done.returncode} instead of {code}:\n{text}"
        return text

    def begin(self, *words: str, **environment: str) -> subprocess.Popen[str]:
        """Starts `./lab words` and returns at once; both streams can be read from `stdout`."""
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
        done = subprocess.run(
            [sys.executable, "-c", text], cwd=self.repo, env=self.environment, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def status(self) -> dict[str, dict]:
        """Service -> what `status --json` says of it."""
        return {service["name"]: service for service in json.loads(self.lab("status", "--json"))["services"]}

    def query(self, query: str) -> list[dict]:
        answer = requests.get(self.status()["prometheus"]["url"] + "/api/v1/query", params={"query": query}, timeout=10)
        return answer.json()["data"]["result"]

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


NATIVE = {"LAB_ENGINE": "native"}
DOCKER = {"LAB_ENGINE": "docker", "LAB_IMAGE_PREFIX": images.PREFIX}


def ended(made: Clone) -> None:
    """Ends what a test left running, volumes included, and holds `./lab down` to leaving nothing."""
    made.lab("down", code=None)
    assert not made.leftovers(), "`./lab down` left something behind"
    if made.environment.get("LAB_ENGINE") == "docker":
        made.lab("reset", "--yes")


@pytest.fixture
def clone(tmp_path: Path):
    """A fresh clone on the native engine; whatever it left running is ended afterwards."""
    made = Clone(tmp_path, **NATIVE)
    yield made
    ended(made)


@pytest.fixture(scope="session")
def daemon():
    """A Docker daemon that answers, with Compose v2 beside it and images of our own in it."""
    try:
        client = docker.from_env()
        client.ping()
    except DockerException as error:
        pytest.skip(f"no Docker daemon answers here ({type(error).__name__}); `.ci/docker start DIR` starts one")
    compose = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False)
    if compose.returncode:
        pytest.skip("Compose v2 is not here; `.ci/docker start DIR` brings it")
    images.make(client)
    yield client
    images.remove(docker.from_env())


class OwnDaemon:
    """The Docker daemon that `.ci/docker start` started: it may be killed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def kill(self) -> None:
        process = psutil.Process(int((self.folder / "pid").read_text()))
        process.kill()
        process.wait(10)

    def start(self) -> None:
        subprocess.Popen([self.folder / "dockerd"], stdin=subprocess.DEVNULL, start_new_session=True)
        deadline = time.monotonic() + 30
        while subprocess.run(["docker", "version"], capture_output=True, check=False).returncode:
            assert time.monotonic() < deadline, "the Docker daemon does not come back"


@pytest.fixture
def own_daemon(daemon: docker.DockerClient):
    """The tests' own Docker daemon, started again afterwards if a test left it dead."""
    folder = os.environ.get("MONLAB_TEST_DOCKER")
    if not folder:
        pytest.skip("only a daemon that `.ci/docker start DIR` started is killed")
    one = OwnDaemon(Path(folder))
    yield one
    if subprocess.run(["docker", "version"], capture_output=True, check=False).returncode:
        one.start()


@pytest.fixture
def docker_clone(tmp_path: Path, daemon: docker.DockerClient):
    """A fresh clone on the Docker engine."""
    made = Clone(tmp_path, **DOCKER)
    yield made
    ended(made)


@pytest.fixture(params=["native", "docker"])
def any_clone(request: pytest.FixtureRequest):
    """A fresh clone, once on each engine that starts servers."""
    return request.getfixturevalue("clone" if request.param == "native" else "docker_clone")


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory):
    """A clone with module 2 up as processes, shared by tests that only look."""
    made = Clone(tmp_path_factory.mktemp("running"), **NATIVE)
    made.lab("up", "m02")
    yield made
    ended(made)


@pytest.fixture(scope="session")
def running_docker(tmp_path_factory: pytest.TempPathFactory, daemon: docker.DockerClient):
    """A clone with module 2 up in Docker, shared by tests that only look."""
    made = Clone(tmp_path_factory.mktemp("running-docker"), **DOCKER)
    made.lab("up", "m02")
    yield made
    ended(made)


@pytest.fixture
def student(tmp_path: Path, running: Clone):
    """A clone that uses the servers of `running` and shares no file with it but the list of URLs, as an instructor hands it out."""
    urls = {name: service["url"] for name, service in running.status().items()}
    handed_out = tmp_path / "endpoints.yaml"
    handed_out.write_text("".join(f"{name}: {url}\n" for name, url in urls.items()), "utf-8")
    made = Clone(tmp_path, LAB_ENDPOINTS=str(handed_out))
    yield made
    ended(made)
