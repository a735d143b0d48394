"""The month's series -> one block of Prometheus, made by a throwaway Prometheus whose head takes the whole month."""

import shutil
import signal
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np

from monlab import web
from monlab.archive import exemplar_file, remote_write, throwaway
from monlab.archive.records import Month
from monlab.files import read_json
from monlab.problem import LabProblem
from monlab.settings import Settings
from monlab.stack import servers
from monlab.stack.month import EXEMPLARS

STEP = 720  # minutes a request: 12 hours
REQUEST_SECONDS = 60
SNAPSHOT_SECONDS = 120
# June 2026 lies inside one block of this length, as Prometheus aligns them to 1970; with shorter ones it would make many, and slower.
BLOCK_HOURS = 1458


def load(month: Month, into: Path, settings: Settings, progress: Callable[[str], None]) -> None:
    """Puts one block into the folder `into`, and the exemplars beside it. Raises LabProblem when Prometheus refuses, or holds fewer samples than were sent."""
    program = servers.get("prometheus", settings, progress).command("prometheus")
    work = into.with_name("work")
    work.mkdir()
    (work / "prometheus.yml").write_text("{}\n", "utf-8")
    [port] = throwaway.free_ports(1)
    url = f"http://127.0.0.1:{port}"
    command = [
        *program,
        f"--config.file={work}/prometheus.yml",
        f"--storage.tsdb.path={work}/data",
        f"--storage.tsdb.min-block-duration={BLOCK_HOURS}h",
        f"--storage.tsdb.max-block-duration={BLOCK_HOURS}h",
        "--storage.tsdb.retention.time=100y",
        f"--web.listen-address=127.0.0.1:{port}",
        "--web.enable-remote-write-receiver",
        "--web.enable-admin-api",
        "--storage.tsdb.wal-compression-type=zstd",
        "--log.level=warn",
    ]
    # It is killed in the end: what it would tidy up is thrown away.
    with throwaway.serving(settings, work, command, f"{url}/-/ready", {}, signal.SIGKILL):
        _send(month, url, progress)
        progress("metrics: writing the block")
        answer = web.post(f"{url}/api/v1/admin/tsdb/snapshot", SNAPSHOT_SECONDS)
        if answer.status_code != 200:
            raise LabProblem(f"Prometheus could not write the month's block: {answer.text[:300]} Run the same again.")
        name = answer.json()["data"]["name"]
    blocks = list((work / "data" / "snapshots" / name).glob("*/meta.json"))
    sent = sum(int(np.count_nonzero(remote_write.present(series.values))) for series in month.series)
    held = sum(read_json(meta)["stats"]["numSamples"] for meta in blocks)
    if len(blocks) != 1 or held != sent:
        raise LabProblem(
            f"Prometheus made {len(blocks)} blocks with {held:,} samples of {sent:,}. The archive's generator is wrong."
        )
    into.mkdir()
    blocks[0].parent.rename(into / blocks[0].parent.name)
    exemplar_file.write(month.exemplars, into.with_name(EXEMPLARS))
    shutil.rmtree(work)


def _send(month: Month, url: str, progress: Callable[[str], None]) -> None:
    """Sends all samples: while Prometheus takes one request, the next is made."""
    names = [remote_write.labels(series.labels) for series in month.series]
    total = len(month.times_ms)
    with ThreadPoolExecutor(1) as pool:
        waiting: Future[None] | None = None
        for first in range(0, total, STEP):
            part = slice(first, first + STEP)
            rows = [(name, series.values[part]) for name, series in zip(names, month.series, strict=True)]
            body = remote_write.body(rows, month.times_ms[part])
            if waiting:
                waiting.result()
            progress(f"metrics: day {first // 1440 + 1} of {-(-total // 1440)}")
            waiting = pool.submit(_post, url, body)
        if waiting:
            waiting.result()


def _post(url: str, body: bytes) -> None:
    answer = web.post(f"{url}/api/v1/write", REQUEST_SECONDS, data=body, headers=remote_write.HEADERS)
    if answer.status_code != 204:
        raise LabProblem(f"Prometheus refused samples of the month ({answer.status_code}): {answer.text[:300]}")
