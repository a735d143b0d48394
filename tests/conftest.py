"""Clones of the repository that tests may break, each with a state of its own; servers come from the user's cache."""

import os
import subprocess
import time
from pathlib import Path

import docker
import images
import psutil
import pytest
from clones import DOCKER, NATIVE, Clone
from docker.errors import DockerException


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
