"""The Grafana service: what `up` says where it cannot be had, and what the lab hands to it where it can.

A program in its place tells what it was given: secret, environment, provisioning, mounts. Grafana itself is not run here.
"""

import hashlib
import http.server
import shutil
import stat
import sys
import tempfile
import threading
import time
from pathlib import Path

import images
import pytest
import requests
import standin_grafana
import yaml
from clones import REPO, Clone, ended
from hardening import assert_hardened
from waits import wait_for

from monlab.settings import settings

NOBODY_ANSWERS = "http://127.0.0.1:9"
READY = {"prometheus": "/-/ready", "loki": "/ready", "jaeger": "/api/services"}
DASHBOARDS = sorted(path.name for path in (REPO / "stack/grafana/dashboards").glob("*.json"))


def pretend(clone: Clone) -> None:
    """Lets the clone want a Grafana that does not exist, so that none of this machine's is taken."""
    file = clone.repo / "stack/versions.env"
    wanted = settings().versions_file.read_text("utf-8").split("GRAFANA_VERSION=")[1].split()[0]
    file.write_text(
        file.read_text("utf-8").replace(f"GRAFANA_VERSION={wanted}", f"GRAFANA_VERSION={standin_grafana.VERSION}"), "utf-8"
    )


def seen(clone: Clone) -> dict:
    return requests.get(clone.status()["grafana"]["url"] + "/seen", timeout=10).json()


def sources(what: dict) -> dict[str, dict]:
    """File -> the data source in it, with its variables filled."""
    files = {name.removeprefix("datasources/"): text for name, text in what["files"].items() if name.startswith("datasources/")}
    return {name: yaml.safe_load(text)["datasources"][0] for name, text in files.items()}


def test_where_it_cannot_be_had_the_rest_comes_up_and_it_says_so(clone):
    pretend(clone)
    clone.environment["LAB_RELEASES"] = NOBODY_ANSWERS
    said = " ".join(clone.lab("up", "m03").split())
    assert f"Without grafana (dashboards are drawn in the notebook): grafana {standin_grafana.VERSION} could not be had." in said
    assert "Release archives cannot be had from 127.0.0.1:9" in said and "on your PATH" not in said
    assert "Up: m03" in said and set(clone.status()) == {"prometheus", "alertmanager", "node_exporter"}
    assert clone.python("from monlab import stack; print(stack.has('grafana'), stack.has('prometheus'))").strip() == "False True"
    wait_for(clone, 'up{job="node"} == 1')
    assert not clone.query('up{job="grafana"}'), "what is not there is not scraped"
    clone.lab("up", "m02")
    clone.lab("down", "m02")
    assert not list((clone.repo / "workspace/prometheus/up").iterdir()), "nor when another module ends"


def test_a_release_host_that_hangs_costs_under_three_seconds(clone):
    """One that takes the call and says nothing, as behind some firewalls; the end of the process counts, too."""
    pretend(clone)
    with _Deaf() as host:
        clone.environment["LAB_RELEASES"] = host
        said = clone.python(
            "import time\nfrom monlab.settings import settings\nfrom monlab.stack import servers\nprint(time.monotonic())\n"
            "print(servers.get_some(['grafana'], settings(), lambda line: None)[1])"
        )
        took = time.monotonic() - float(said.split()[0])
    assert "(no answer)" in said and took < 3


class _Deaf:
    def __enter__(self) -> str:
        self.closing = threading.Event()
        closing = self.closing

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                closing.wait(30)

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self.server.server_port}"

    def __exit__(self, *_exception: object) -> None:
        self.closing.set()
        self.server.shutdown()


def test_fetching_ahead_names_it_and_gets_the_others(clone):
    pretend(clone)
    said = " ".join(clone.lab("fetch", "m03", LAB_RELEASES=NOBODY_ANSWERS).split())
    assert f"without grafana (dashboards are drawn in the notebook): grafana {standin_grafana.VERSION} could not be had." in said


def test_its_password_is_made_once_and_shown_on_asking(clone):
    said = clone.lab("password", "grafana")
    name, password = said.strip().split(": ")
    assert name == "grafana_admin_password" and len(password) >= 32 and clone.lab("password", "grafana") == said
    file = clone.state / "secrets" / name
    assert stat.S_IMODE(file.stat().st_mode) == 0o600 and stat.S_IMODE(file.parent.stat().st_mode) == 0o700


@pytest.fixture
def release_host():
    """Serves one archive, whatever is asked for, and its checksum."""
    body = standin_grafana.archive(sys.executable)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = f"{hashlib.sha256(body).hexdigest()}\n".encode() if self.path.endswith(".sha256") else body
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_words: object) -> None:
            return

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.fixture
def with_grafana(tmp_path: Path, release_host: str):
    """A native clone that is given the program in Grafana's place as a release archive."""
    made = Clone(tmp_path, LAB_ENGINE="native", LAB_RELEASES=release_host)
    pretend(made)
    yield made
    ended(made)
    for left in (settings().cache / "servers").glob(f"grafana-{standin_grafana.VERSION}-*"):
        shutil.rmtree(left)


@pytest.mark.live
def test_as_a_process_it_gets_its_secret_its_files_and_data_sources_that_answer(with_grafana):
    clone = with_grafana
    assert "Without grafana" not in clone.lab("up", "m03")
    service, what = clone.status()["grafana"], seen(clone)
    assert service["state"] == "running" and service["version"] == standin_grafana.VERSION
    assert f"grafana_admin_password: {what['password']}\n" == clone.lab("password", "grafana")
    assert what["environment"]["GF_SERVER_HTTP_ADDR"] == "127.0.0.1", "loopback only"
    assert "GF_SECURITY_ADMIN_PASSWORD" in what["environment"], (
        "the image's start script reads secrets from files, Grafana does not"
    )
    assert what["words"][0] == "server" and what["words"][1].startswith("--homepath=") and what["dashboards"] == DASHBOARDS
    assert set(what["files"]) == {"alerting/lab.yml", "dashboards/lab.yml", "datasources/prometheus.yml"}
    assert (clone.state / "data/grafana-data/grafana.db").read_text() == "written"
    answers(what)
    point = yaml.safe_load(what["files"]["alerting/lab.yml"])["contactPoints"][0]["receivers"][0]["settings"]
    assert requests.get(f"{point['url']}/-/ready", timeout=5).ok, "alerts go where somebody takes them"
    wait_for(clone, 'up{job="grafana"} == 1')


def answers(what: dict) -> None:
    """No data source points at nothing."""
    for name, source in sources(what).items():
        assert requests.get(source["url"] + READY[source["type"]], timeout=5).ok, f"{name}: {source['url']}"


@pytest.mark.live
def test_it_is_offered_what_comes_up_later_and_not_what_went_down(with_grafana):
    clone = with_grafana
    clone.lab("up", "m03")
    first = clone.status()["grafana"]["pid"]
    clone.lab("up", "m03")
    assert clone.status()["grafana"]["pid"] == first, "nothing new: it goes on"
    clone.lab("up", "month")
    what = seen(clone)
    assert set(sources(what)) == {"prometheus.yml", "archive-prometheus.yml"} and clone.status()["grafana"]["pid"] != first
    assert clone.status()["grafana"]["state"] == "running", "an ordered restart is no crash"
    answers(what)
    clone.lab("down", "month")
    wait_until_it_answers(clone)
    assert set(sources(seen(clone))) == {"prometheus.yml"}


def wait_until_it_answers(clone: Clone) -> None:
    address, deadline = clone.status()["grafana"]["url"], time.monotonic() + 10
    while True:
        try:
            requests.get(f"{address}/api/health", timeout=1)
            return
        except requests.ConnectionError:
            assert time.monotonic() < deadline, "it does not come back"


@pytest.fixture
def docker_with_grafana(docker_clone: Clone, daemon):
    """A clone on Docker that has an image of the program in Grafana's place."""
    pretend(docker_clone)
    layer = images.Layer()
    layer.python()
    layer.file(Path(shutil.which("wget") or "/usr/bin/wget"), "/usr/bin/wget")
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder, "run.py")
        program.write_text(standin_grafana.PROGRAM, "utf-8")
        layer.file(program, "/run.py")
    layer.folder("/etc/grafana", 0)
    layer.folder("/var/lib/grafana", 472)
    name = f"{images.PREFIX}grafana/grafana"
    changes = ["USER 472", 'ENTRYPOINT ["python", "/run.py"]']
    daemon.api.import_image_from_data(layer.data(), repository=name, tag=standin_grafana.VERSION, changes=changes)
    yield docker_clone
    daemon.images.remove(f"{name}:{standin_grafana.VERSION}", force=True)  # other tests want to be without it


def test_as_a_container_it_gets_its_secret_its_files_and_is_healthy(docker_with_grafana, daemon):
    clone = docker_with_grafana
    assert "Without grafana" not in clone.lab("up", "m03")
    service, what = clone.status()["grafana"], seen(clone)
    assert_hardened(daemon, "grafana", service["container"], "472:0")
    assert what["user"] == 472 and f"grafana_admin_password: {what['password']}\n" == clone.lab("password", "grafana")
    assert what["dashboards"] == DASHBOARDS and not what["home_is_writable"]
    assert set(what["files"]) == {"alerting/lab.yml", "dashboards/lab.yml", "datasources/prometheus.yml"}
    assert sources(what)["prometheus.yml"]["url"] == "http://prometheus:9090"
    wait_for(clone, 'up{job="grafana"} == 1')
    deadline = time.monotonic() + 40
    while (health := daemon.api.inspect_container(service["container"])["State"]["Health"])["Status"] != "healthy":
        assert time.monotonic() < deadline, health


def test_in_docker_without_its_image_the_rest_comes_up_and_it_says_so(docker_clone, daemon):
    pretend(docker_clone)
    said = " ".join(docker_clone.lab("up", "m03").split())
    assert "Runs in Docker" in said and "Without grafana (dashboards are drawn in the notebook): " in said
    assert set(docker_clone.status()) == {"prometheus", "alertmanager", "node_exporter"}
