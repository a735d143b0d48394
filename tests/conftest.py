"""Clones of the repository that tests may break, each with a state of its own; servers come from the user's cache."""

import hashlib
import os
import subprocess
import tempfile
import time
from pathlib import Path

import docker
import filelock
import images
import marks
import psutil
import pytest
from clones import DOCKER, NATIVE, Clone, ended
from docker.errors import DockerException
from shops import Shop, shop_in

pytest_plugins = ["plan", "chances", "leftovers", "pytester"]


@pytest.fixture
def clone(tmp_path: Path):
    """A fresh clone on the native engine; whatever it left running is ended afterwards."""
    made = Clone(tmp_path, **NATIVE)
    yield made
    ended(made)


@pytest.fixture(scope="session")
def daemon():
    """A Docker daemon that answers, with Compose v2 beside it and module 2's images, made here, in it."""
    try:
        client = docker.from_env()
        client.ping()
    except DockerException as error:
        pytest.skip(f"no Docker daemon answers here ({type(error).__name__}); `.ci/docker start DIR` starts one")
    compose = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False)
    if compose.returncode:
        pytest.skip("Compose v2 is not here; `.ci/docker start DIR` brings it")
    name = hashlib.sha256(client.api.base_url.encode()).hexdigest()[:8]
    with filelock.FileLock(
        Path(tempfile.gettempdir()) / f"monlab-tests-docker-{name}.lock"
    ):  # one run at a time: images have one name
        images.remove(client)  # what a run that was killed left
        images.make(client, "m02")
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
        environment = {name: value for name, value in os.environ.items() if name != marks.RUN}  # it outlives this run
        subprocess.Popen([self.folder / "dockerd"], env=environment, stdin=subprocess.DEVNULL, start_new_session=True)
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


@pytest.fixture(scope="session")
def whole_shop(tmp_path_factory: pytest.TempPathFactory):
    """The shop with its traces, up as processes."""
    with shop_in(tmp_path_factory.mktemp("shop")) as made:
        yield made


@pytest.fixture
def shop(whole_shop: Shop):
    """The running shop, its faults ended before and after the test."""
    whole_shop.mend()
    yield whole_shop
    whole_shop.mend()


@pytest.fixture(scope="session")
def shop_images(daemon: docker.DockerClient):
    """The images of the shop, made here."""
    return images.make(daemon, "shop", "shop-core")


@pytest.fixture(scope="session")
def shop_docker(tmp_path_factory: pytest.TempPathFactory, shop_images: list[str]):
    """The shop with its traces, up in Docker, shared by tests that break nothing."""
    made = Clone(tmp_path_factory.mktemp("shop-docker"), **DOCKER)
    made.lab("up", "shop")
    yield Shop(made)
    ended(made)


@pytest.fixture(scope="session")
def june_servers(tmp_path_factory: pytest.TempPathFactory):
    """A clone with the three servers of the archived month, shared by tests that only ask."""
    made = Clone(tmp_path_factory.mktemp("june"), **NATIVE)
    made.lab("up", "month", "month-logs", "month-traces")
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
