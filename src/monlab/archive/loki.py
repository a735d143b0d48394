"""The month's log lines -> a folder that Loki serves, written by a throwaway Loki under the configuration of the archive's own."""

import json
import shutil
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from monlab import web
from monlab.archive import throwaway
from monlab.archive.records import Month, Stream
from monlab.problem import LabProblem
from monlab.settings import Settings
from monlab.stack import servers
from monlab.waiting import poll

LINES = 5000  # a request
REQUEST_SECONDS = 60
WRITE_SECONDS = 15
AT_ONCE = 2  # requests of different streams; the lines of one stream go one request after another
KEPT = ("chunks",)  # of Loki's folder: chunks and index; the rest is made anew at each start


def load(month: Month, into: Path, settings: Settings, progress: Callable[[str], None]) -> None:
    """Puts Loki's data into the folder `into`. Raises LabProblem when Loki refuses, or holds fewer lines than were sent."""
    program = servers.get("loki", settings, progress).command("loki")
    work = into.with_name("work")
    work.mkdir()
    http, grpc = throwaway.free_ports(2)
    url = f"http://127.0.0.1:{http}"
    command = [
        *program,
        f"-config.file={settings.repo}/stack/loki/archive.yaml",
        "-config.expand-env=true",
        "-server.http-listen-address=127.0.0.1",
        f"-server.http-listen-port={http}",
        "-server.grpc-listen-address=127.0.0.1",
        f"-server.grpc-listen-port={grpc}",
        "-frontend.instance-addr=127.0.0.1",
        f"-querier.frontend-address=127.0.0.1:{grpc}",
        "-log.level=error",
    ]
    with throwaway.serving(settings, work, command, f"{url}/ready", {"LOKI_DATA": str(work)}, signal.SIGTERM):
        _send(month, url, progress)
        progress("logs: writing chunks and index")
        answer = web.post(f"{url}/flush", REQUEST_SECONDS)
        if answer.status_code not in (200, 204):
            raise LabProblem(f"Loki could not write the month's lines: {answer.text[:300]} Run the same again.")
        _check(month, url)
        progress("logs: ending Loki")  # it writes its index then
    into.mkdir()
    for name in KEPT:
        (work / name).rename(into / name)
    shutil.rmtree(work)


def _send(month: Month, url: str, progress: Callable[[str], None]) -> None:
    total = sum(len(stream.lines) for stream in month.streams)
    sent = 0

    def one(stream: Stream) -> None:
        nonlocal sent
        for body, lines in _bodies(stream):
            answer = web.post(f"{url}/loki/api/v1/push", REQUEST_SECONDS, data=body, headers={"Content-Type": "application/json"})
            if answer.status_code != 204:
                raise LabProblem(f"Loki refused lines of the month ({answer.status_code}): {answer.text[:300]}")
            sent += lines
            progress(f"logs: {sent:,} of {total:,} lines")

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(one, month.streams))


def _bodies(stream: Stream) -> Iterator[tuple[bytes, int]]:
    times = stream.times_ns.astype(str)
    for first in range(0, len(stream.lines), LINES):
        lines = stream.lines[first : first + LINES]
        values = list(zip(times[first : first + LINES].tolist(), lines, strict=True))
        yield json.dumps({"streams": [{"stream": dict(stream.labels), "values": values}]}).encode(), len(lines)


def _check(month: Month, url: str) -> None:
    """Loki drops lines it has already and lines out of order without saying so. While it writes, some are counted twice or not at all."""
    total = sum(len(stream.lines) for stream in month.streams)
    if not poll(lambda: _held(month, url) == total, WRITE_SECONDS):
        raise LabProblem(f"Loki holds {_held(month, url):,} of {total:,} lines of the month. The archive's generator is wrong.")


def _held(month: Month, url: str) -> int:
    """How many lines Loki counts."""
    last_ns = max(int(stream.times_ns[-1]) for stream in month.streams if stream.lines)
    first_ns = min(int(stream.times_ns[0]) for stream in month.streams if stream.lines)
    seconds = (last_ns - first_ns) // 1_000_000_000 + 2
    question = {"query": f'sum(count_over_time({{service=~".+"}}[{seconds}s]))', "time": str(last_ns + 1_000_000_000)}
    answer = web.get(f"{url}/loki/api/v1/query", REQUEST_SECONDS, params=question)
    if answer.status_code != 200:
        raise LabProblem(f"Loki could not count the month's lines: {answer.text[:300]} Run the same again.")
    found = answer.json()["data"]["result"]
    return int(found[0]["value"][1]) if found else 0
