"""A small month behind the archive's names, and answers that are kept apart from the user's own."""

import signal
from dataclasses import replace
from pathlib import Path

import pytest
import small_month
from clones import NATIVE, Clone, ended
from sample_checks import SAMPLE

from monlab import endpoints
from monlab.archive import loki, prometheus_block, throwaway
from monlab.grading import cache, registry
from monlab.settings import settings
from monlab.stack import servers

# A clone of another name: `./lab up` and `./lab down` in this one end what they take for leftovers of their own.
OURS = replace(settings(), state=settings().state.with_name("clone-of-the-grading-tests"))
BOUNDS = ("--query.max-samples=5000000", "--query.timeout=20s")  # as archive-prometheus


@pytest.fixture(scope="session")
def month_url(tmp_path_factory: pytest.TempPathFactory):
    """The URL of a Prometheus that holds the small month as one block, as the archive's own does."""
    data = tmp_path_factory.mktemp("small month") / "data"
    prometheus_block.load(small_month.month(), data, OURS, lambda line: None)
    [port] = throwaway.free_ports(1)
    url = f"http://127.0.0.1:{port}"
    config = settings().repo / "stack" / "archive-prometheus" / "prometheus.yml"
    flags = [f"--config.file={config}", f"--storage.tsdb.path={data}", f"--web.listen-address=127.0.0.1:{port}", *BOUNDS]
    command = [*servers.get("prometheus", OURS, lambda line: None).command("prometheus"), *flags]
    with throwaway.serving(OURS, data, command, f"{url}/-/ready", {}, signal.SIGTERM):
        yield url


@pytest.fixture(scope="session")
def logs_url(tmp_path_factory: pytest.TempPathFactory):
    """The URL of a Loki that holds the small month's lines."""
    data = tmp_path_factory.mktemp("small logs") / "data"
    loki.load(small_month.month(), data, OURS, lambda line: None)
    http, grpc = throwaway.free_ports(2)
    url = f"http://127.0.0.1:{http}"
    flags = [f"-config.file={settings().repo}/stack/loki/archive.yaml", "-config.expand-env=true", "-log.level=error"]
    flags += ["-server.http-listen-address=127.0.0.1", f"-server.http-listen-port={http}", f"-server.grpc-listen-port={grpc}"]
    flags += ["-server.grpc-listen-address=127.0.0.1", "-frontend.instance-addr=127.0.0.1"]
    flags += [f"-querier.frontend-address=127.0.0.1:{grpc}"]
    command = [*servers.get("loki", OURS, lambda line: None).command("loki"), *flags]
    with throwaway.serving(OURS, data, command, f"{url}/ready", {"LOKI_DATA": str(data)}, signal.SIGKILL):
        yield url


@pytest.fixture(scope="session")
def kept_answers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("answers")


@pytest.fixture
def own_state(tmp_path, monkeypatch, kept_answers):
    """A state folder of this test's own, in which nothing is up."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(cache, "folder", lambda: kept_answers)
    settings().state.mkdir(parents=True)


@pytest.fixture
def small_archive(own_state, month_url):
    """The small month, up as `archive-prometheus`."""
    endpoints.write(settings(), "native", {"archive-prometheus": month_url})
    return month_url


@pytest.fixture
def whole_archive(own_state, month_url, logs_url):
    """Metrics and logs of the small month."""
    endpoints.write(settings(), "native", {"archive-prometheus": month_url, "archive-loki": logs_url})


@pytest.fixture(scope="session")
def month_urls(tmp_path_factory: pytest.TempPathFactory):
    """Where the archived month answers: a clone's own servers over it."""
    made = Clone(tmp_path_factory.mktemp("month"), **NATIVE)
    made.lab("up", "month", "month-logs")
    yield {name: service["url"] for name, service in made.status().items()}
    ended(made)


@pytest.fixture
def archived_month(own_state, month_urls):
    """The archived month, up."""
    endpoints.write(settings(), "native", month_urls)


@pytest.fixture
def samples(monkeypatch):
    """The checks of the sample module in place of the course's."""
    monkeypatch.setattr(registry, "files", lambda settings: [SAMPLE])
    return registry.checks_of(SAMPLE)
