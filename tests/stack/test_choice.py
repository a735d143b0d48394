"""Which engine runs the servers, and the one line that says why."""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from clones import DOCKER, Clone


@pytest.fixture
def free(tmp_path):
    """A clone that nobody told which engine to use."""
    made = Clone(tmp_path)
    yield made
    made.lab("down", code=None)
    made.lab("reset", "--yes", code=None)
    assert not made.processes()


def engine(clone) -> str:
    return json.loads(clone.lab("status", "--json"))["engine"]


def test_docker_is_used_where_it_can_be(free, daemon):
    free.environment["LAB_IMAGE_PREFIX"] = DOCKER["LAB_IMAGE_PREFIX"]
    said = free.lab("up", "m02")
    assert "Runs in Docker " in said and engine(free) == "docker"
    assert "docker: it runs" in " ".join(free.lab("doctor").split())


def test_an_image_that_cannot_be_pulled_leads_to_processes_and_the_reason(free, daemon):
    free.environment["LAB_IMAGE_PREFIX"] = "127.0.0.1:9/nowhere/"
    said = free.lab("up", "m02")
    assert "Runs as processes (Docker is not used: 127.0.0.1:9/nowhere/prom/" in said and "cannot be pulled" in said
    assert engine(free) == "native"
    assert "Runs as processes (as before)" in free.lab("up", "m02"), "what runs stays where it is"


def test_docker_that_was_asked_for_and_cannot_be_is_a_problem(clone, daemon):
    clone.environment.update(LAB_ENGINE="docker", LAB_IMAGE_PREFIX="127.0.0.1:9/nowhere/")
    said = clone.lab("up", "m02", code=1)
    assert "Docker was to run the servers, as LAB_ENGINE asks, and cannot" in said and "Traceback" not in said
    assert not clone.processes()


def test_no_docker_at_all(free):
    free.environment["PATH"] = f"{Path(sys.executable).parent}:{Path(shutil.which('go') or '/none').parent}"
    assert "Runs as processes (Docker is not used: Docker is not installed)." in free.lab("up", "m02")


def test_no_compose(free, daemon, tmp_path):
    free.environment["DOCKER_CONFIG"] = str(tmp_path)
    done = subprocess.run(["docker", "compose", "version"], env=free.environment, capture_output=True, check=False)
    if done.returncode == 0:
        pytest.skip("Compose is installed for the whole machine and cannot be hidden from the docker command")
    assert "Docker is here and Compose v2 is not" in free.lab("up", "m02") and engine(free) == "native"
    assert "docker-compose-plugin" in " ".join(free.lab("doctor").split())


def test_no_daemon(free):
    free.environment["DOCKER_HOST"] = "unix:///nowhere/docker.sock"
    said = free.lab("up", "m02")
    assert "Docker does not answer at unix:///nowhere/docker.sock. Start it" in said and engine(free) == "native"


def test_a_daemon_that_takes_the_call_and_says_nothing(free, tmp_path):
    with socket.socket(socket.AF_UNIX) as deaf:
        deaf.bind(str(tmp_path / "d.sock"))
        deaf.listen(20)
        free.environment["DOCKER_HOST"] = f"unix://{tmp_path}/d.sock"
        assert "takes the call and does not answer within" in free.lab("up", "m02")


def test_a_daemon_on_another_machine(free):
    free.environment["DOCKER_HOST"] = "tcp://192.0.2.1:2376"
    assert "Docker runs on another machine (tcp://192.0.2.1:2376)" in free.lab("up", "m02")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become a user who may not use Docker")
def test_no_permission(daemon):
    """Everything is loaded as root; the choice itself is made as nobody, to whom the daemon's socket is closed."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)
        code = (
            "import os, docker\nfrom monlab.settings import settings\nfrom monlab.stack import engines\n"
            "config = settings(); description = engines.describe(config); services = description.for_modules({'m02'})\n"
            "os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
            "print(engines.choose(config, description, services, print).why)"
        )
        environment = {**os.environ, "XDG_STATE_HOME": folder, "HOME": folder}
        done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert "Runs as processes (Docker is not used: You may not use Docker" in done.stdout, done.stdout + done.stderr
    assert "sudo usermod -aG docker" in done.stdout


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"LAB_ENGINE": "dokcer"}, "LAB_ENGINE is 'dokcer'. Did you mean docker?"),
        ({"LAB_ENGINE": "external"}, "LAB_ENDPOINTS must then name the file"),
        ({"LAB_ENGINE": "native", "LAB_ENDPOINTS": "x.yml"}, "Unset one of them"),
    ],
)
def test_orders_that_make_no_sense(free, environment, words):
    assert words in free.lab("up", "m02", code=1, **environment)


def test_an_engine_is_not_changed_under_running_servers(clone, daemon):
    clone.lab("up", "m02")
    said = clone.lab("up", "m02", code=1, **DOCKER)
    assert "are up on the native engine, and LAB_ENGINE asks for docker. `./lab down` ends them" in said
    assert "servers are up on native" in " ".join(clone.lab("doctor", code=1, **DOCKER).split())
    clone.lab("down")
    clone.lab("up", "m02", **DOCKER)
    assert engine(clone) == "docker"
    clone.lab("down")
    clone.lab("reset", "--yes")
