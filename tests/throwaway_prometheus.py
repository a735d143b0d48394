"""A Prometheus that runs while a test or a benchmark needs it, filled by remote write."""

import signal
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np

from monlab import web
from monlab.archive import remote_write, throwaway
from monlab.settings import settings
from monlab.stack import servers

MINUTES_A_REQUEST = 720
BLOCK_HOURS = 1458  # a head that takes samples of any minute of June 2026, as the archive's own


@contextmanager
def prometheus(folder: Path) -> Iterator[str]:
    """The URL of an empty Prometheus that scrapes nothing; it ends with the block."""
    apart = replace(settings(), state=folder)  # the mark of another clone: `./lab up` ends what it does not know of its own
    program = servers.get("prometheus", apart, lambda line: None).command("prometheus")
    folder.mkdir(exist_ok=True)
    (folder / "prometheus.yml").write_text("{}\n", "utf-8")
    [port] = throwaway.free_ports(1)
    url = f"http://127.0.0.1:{port}"
    command = [
        *program,
        f"--config.file={folder}/prometheus.yml",
        f"--storage.tsdb.path={folder}/data",
        f"--storage.tsdb.min-block-duration={BLOCK_HOURS}h",
        f"--storage.tsdb.max-block-duration={BLOCK_HOURS}h",
        "--storage.tsdb.retention.time=100y",
        f"--web.listen-address=127.0.0.1:{port}",
        "--web.enable-remote-write-receiver",
        "--log.level=warn",
    ]
    with throwaway.serving(apart, folder, command, f"{url}/-/ready", {}, signal.SIGKILL):
        yield url


def send(url: str, series: Iterable[tuple[Mapping[str, str], np.ndarray]], times_ms: np.ndarray) -> None:
    """Writes series: labels (`__name__` included) and a value for each of `times_ms`, NaN where there is no sample."""
    rows = [(remote_write.labels(labels), values) for labels, values in series]
    for first in range(0, len(times_ms), MINUTES_A_REQUEST):
        part = slice(first, first + MINUTES_A_REQUEST)
        body = remote_write.body([(name, values[part]) for name, values in rows], times_ms[part])
        answer = web.post(f"{url}/api/v1/write", 60, data=body, headers=remote_write.HEADERS)
        assert answer.status_code == 204, answer.text
