"""Broken exporters: pages of metrics, each with one mistake, and a server that shows them (`python -m monlab.machine.broken --port N`).

What Prometheus and promtool make of each stands beside it as what is expected; a test reads it live. The two judge different
things: Prometheus whether a page can be taken in, promtool whether it follows the conventions. Neither sees everything.
"""

import argparse
import contextlib
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PLAIN = "text/plain; version=0.0.4; charset=utf-8"
DOWN, LOST, SILENT = "down", "up, samples lost", "up, silent"
SLOW_SECONDS = 4.0  # longer than the two seconds that the scrape job gives
TWO_HOURS_MS = 2 * 3600 * 1000


@dataclass(frozen=True)
class Broken:
    """One exporter with one mistake."""

    name: str
    text: Callable[[], str]
    prometheus: str  # DOWN, LOST or SILENT
    message: str  # part of the target's last error; empty when there is none
    promtool: str  # part of what `promtool check metrics` says of the text; empty when it is content
    sentence: str  # the mistake and its remedy, for a person
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": PLAIN})
    code: int = 200
    wait_seconds: float = 0.0
    missing_bytes: int = 0  # how much less is sent than the header promises


def _always(text: str) -> Callable[[], str]:
    return lambda: text


GOOD = "# HELP jobs_total Jobs that were taken.\n# TYPE jobs_total counter\njobs_total 5\n"
START = time.time()


def _falling() -> str:
    left = 1000 - int(time.time() - START) % 1000
    return f"# HELP jobs_total Jobs that wait.\n# TYPE jobs_total counter\njobs_total {left}\n"


def _paths() -> str:
    """Each second brings an order that was never seen before."""
    last = int(time.time() - START)
    lines = [f'requests_total{{path="/orders/{number}"}} 1' for number in range(max(0, last - 20), last + 1)]
    return "# HELP requests_total Requests by path.\n# TYPE requests_total counter\n" + "\n".join(lines) + "\n"


def _old() -> str:
    stamp = int(time.time() * 1000) - TWO_HOURS_MS
    return f"# HELP jobs_total Jobs that were taken.\n# TYPE jobs_total counter\njobs_total 5 {stamp}\n"


ALL = (
    Broken(
        "wrong-content-type", _always(GOOD), DOWN, 'received unsupported Content-Type "text/html"', "",
        "The page is called HTML. Send `Content-Type: text/plain; version=0.0.4`.", {"Content-Type": "text/html"},
    ),
    Broken(
        "no-content-type", _always(GOOD), DOWN, "blank Content-Type", "",
        "The page does not say what it is. Send `Content-Type: text/plain; version=0.0.4`.", {},
    ),
    Broken(
        "no-final-newline", _always(GOOD.rstrip("\n")), SILENT, "", "unexpected end of input stream",
        "The last line is not ended. Each line of the format ends in a newline, the last one too.",
    ),
    Broken(
        "duplicate-series", _always(GOOD + "jobs_total 6\n"), LOST, "", "metric not unique",
        "The same name with the same labels stands twice: one value is thrown away. Add the label that tells them apart.",
    ),
    Broken(
        "falling-counter", _falling, SILENT, "", "",
        "A counter that falls is read as one that was restarted. What goes down is a gauge.",
    ),
    Broken(
        "milliseconds", _always("# HELP job_duration_milliseconds Last job.\n# TYPE job_duration_milliseconds gauge\njob_duration_milliseconds 250\n"),
        SILENT, "", 'use base unit "seconds"', "Time is in seconds, size in bytes: with one unit for all, nobody divides by the wrong thousand.",
    ),
    Broken(
        "raw-path", _paths, SILENT, "", "",
        "The label holds the raw path, so each order is a series of its own, for ever. Use the route's template.",
    ),
    Broken(
        "help-after-samples", _always("# TYPE jobs_total counter\njobs_total 5\n# HELP jobs_total Jobs that were taken.\n"),
        SILENT, "", "", "HELP belongs before the samples it explains.",
    ),
    Broken(
        "type-after-samples", _always("# HELP jobs_total Jobs that were taken.\njobs_total 5\n# TYPE jobs_total counter\n"),
        SILENT, "", "TYPE reported after samples", "TYPE belongs before the samples: a reader has taken them as untyped by then.",
    ),
    Broken(
        "wrong-type", _always(GOOD.replace(" counter", " countr")), DOWN, 'invalid metric type "countr"', 'unknown metric type "countr"',
        "There is no type of that name. There are counter, gauge, histogram, summary and untyped.",
    ),
    Broken(
        "bad-label-name", _always(GOOD.replace("jobs_total 5", 'jobs_total{user-id="7"} 5')), DOWN, 'expected equal, got "-"', "found '-'",
        "A label's name has letters, digits and underscores.",
    ),
    Broken(
        "counter-without-total", _always(GOOD.replace("jobs_total", "jobs")), SILENT, "", 'should have "_total" suffix',
        "The name of a counter ends in `_total`, so that a reader knows to take its rate.",
    ),
    Broken(
        "comma", _always("# HELP load_ratio Load.\n# TYPE load_ratio gauge\nload_ratio 0,5\n"), DOWN, 'parsing "0,5": invalid syntax', "expected float as value",
        "Numbers are written with a point, whatever the machine's language.",
    ),
    Broken(
        "two-types", _always(GOOD.replace("jobs_total 5", "# TYPE jobs_total gauge\njobs_total 5")), SILENT, "", "second TYPE line",
        "The type is stated twice, and differently. One name has one type.",
    ),
    Broken(
        "slow", _always(GOOD), DOWN, "context deadline exceeded", "",
        "The page takes longer than the scrape waits. Collect in the background, or give the job a longer `scrape_timeout`.",
        wait_seconds=SLOW_SECONDS,
    ),
    Broken(
        "error-500", _always("the database is away\n"), DOWN, "server returned HTTP status 500", "expected float as value",
        "The exporter answers with an error. Answer 200 and say in a metric which part could not be read.", code=500,
    ),
    Broken(
        "gzip-lie", _always(GOOD), DOWN, "gzip: invalid header", "",
        "The header says that the text is compressed, and it is not.", {"Content-Type": PLAIN, "Content-Encoding": "gzip"},
    ),
    Broken(
        "cut-short", _always(GOOD), DOWN, "unexpected EOF", "unexpected end of input stream",
        "The page ends before its announced length: the exporter failed half way. Build the page whole, then send it.",
        missing_bytes=20,
    ),
    Broken(
        "old-timestamps", _old, LOST, "", "",
        "The sample carries a time two hours ago. Leave timestamps out: Prometheus knows when it asked.",
    ),
    Broken(
        "not-a-number", _always("# HELP queue_age_seconds Age.\n# TYPE queue_age_seconds gauge\nqueue_age_seconds NaN\n"),
        SILENT, "", "", "NaN compares as false with everything, so no alert on it ever fires. Leave the sample out, and say so in a gauge.",
    ),
    Broken(
        "histogram-without-inf",
        _always('# HELP job_seconds Jobs.\n# TYPE job_seconds histogram\njob_seconds_bucket{le="1"} 3\njob_seconds_sum 2\njob_seconds_count 5\n'),
        SILENT, "", "", "A histogram's last bucket is `+Inf`, or its quantiles are nothing.",
    ),
)  # fmt: skip
BY_NAME = {one.name: one for one in ALL}


class _Pages(BaseHTTPRequestHandler):
    """`/NAME/metrics` shows the exporter NAME, as broken as it is."""

    def do_GET(self) -> None:
        one = BY_NAME.get(self.path.strip("/").partition("/")[0])
        if one is None:
            self.send_error(404)
            return
        time.sleep(one.wait_seconds)
        body = one.text().encode()
        self.send_response(one.code)
        for name, value in one.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) + one.missing_bytes))
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # nobody waits any more
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, format: str, *words: object) -> None:
        """Nothing is logged."""


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--port", type=int, required=True)
    server = ThreadingHTTPServer(("127.0.0.1", options.parse_args().port), _Pages)
    signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(SystemExit(0)))
    server.serve_forever()


if __name__ == "__main__":
    main()
