"""The services' own tests, each in its own language, and what builds their images."""

import shutil
import subprocess
import sys

import pytest
from clones import REPO

from monlab.settings import child_environment, settings
from monlab.stack import servers
from monlab.stack.servers import golang

SHOP = REPO / "stack" / "shop"
SERVICES = ("frontend", "gateway", "payments", "inventory")


def run(command, cwd, environment=None):
    environment = environment or child_environment()
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
    return done.stdout


@pytest.mark.live
def test_payments_in_go():
    go = golang.toolchain(SHOP / "payments", settings(), lambda line: None)
    environment = golang.go_environment(settings())
    run([go, "vet", "."], SHOP / "payments", environment)
    assert "ok" in run([go, "test", "-count=1", "."], SHOP / "payments", environment)
    run([go, "mod", "tidy", "-diff"], SHOP / "payments", environment)


@pytest.mark.live
def test_gateway_in_node(tmp_path):
    server = servers.get("gateway", settings(), lambda line: None)
    folder = tmp_path / "gateway"
    shutil.copytree(server.folder, folder, symlinks=True)
    shutil.copytree(SHOP / "gateway" / "test", folder / "test")
    assert "# fail 0" in run([*server.command("node"), "--test", "--test-reporter=tap"], folder)


@pytest.mark.live
def test_shopkit_in_python(tmp_path):
    server = servers.get("shop", settings(), lambda line: None)
    path = ":".join([str(server.folder), str(SHOP)])
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        str(SHOP / "tests"),
        str(SHOP / "tests"),
    ]
    assert "passed" in run(command, tmp_path, child_environment(PYTHONPATH=path, PYTHONDONTWRITEBYTECODE="1"))


def test_the_lock_files_name_no_registry_and_pin_by_hash():
    for lock in (
        SHOP / "requirements.lock",
        *(settings().native / name / "requirements.lock" for name in ("postgres", "valkey", "node")),
    ):
        text = lock.read_text("utf-8")
        assert "://" not in text and text.count("--hash=sha256:") >= text.count("=="), lock
    text = (SHOP / "gateway" / "package-lock.json").read_text("utf-8")
    assert '"resolved"' not in text and text.count('"integrity": "sha512-') > 50


@pytest.mark.parametrize("service", SERVICES)
def test_dockerfiles_are_clean(service):
    linter = shutil.which("hadolint", path=str(settings().repo / ".venv" / "bin")) or shutil.which("hadolint")
    assert linter, "hadolint comes with the environment"
    run([linter, str(SHOP / service / "Dockerfile")], SHOP)


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_has_its_readme_and_builds_as_another_user_than_root(service):
    assert 5 <= len((SHOP / service / "README.md").read_text("utf-8").splitlines()) <= 20
    dockerfile = (SHOP / service / "Dockerfile").read_text("utf-8")
    assert "\nUSER " in dockerfile and "USER root" not in dockerfile and "ENTRYPOINT [" in dockerfile
    assert ":latest" not in dockerfile
