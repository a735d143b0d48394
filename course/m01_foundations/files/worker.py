"""A small service that counts what it does: /hash?kb=100 computes a checksum of that many kilobytes of zeros.

It is instrumented, not exported: the numbers are kept by the code that does the work.
`python worker.py --port 9201`
"""

import argparse
import hashlib
import signal
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics, generate_latest

MOST_KB = 200_000

disable_created_metrics()    # else each counter has a second series: when it began
registry = CollectorRegistry()
# Shown as worker_requests_total: the client adds the ending.
requests = Counter("worker_requests", "Requests that were answered.", ["route", "code"], registry=registry)
in_progress = Gauge("worker_requests_in_progress", "Requests that are being worked on now.", registry=registry)
duration = Histogram(
    "worker_request_duration_seconds", "How long answers took.", ["route"], registry=registry,
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5),
)    # fmt: skip
for code in ("200", "400"):
    requests.labels("/hash", code)    # there from the start, at 0


class Worker(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        path = urlsplit(self.path)
        if path.path == "/metrics":
            self.answer("200", generate_latest(registry), CONTENT_TYPE_LATEST)
            return
        route = path.path if path.path == "/hash" else "other"    # never the raw path: a stranger chooses that
        with in_progress.track_inprogress(), duration.labels(route).time():    # both end well when the work raises
            code, text = work(path.query) if route == "/hash" else ("404", "no such page\n")
        requests.labels(route, code).inc()
        self.answer(code, text.encode(), "text/plain")

    def answer(self, code: str, body: bytes, kind: str) -> None:
        self.send_response(int(code))
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *words: object) -> None:
        """Nothing is logged."""


def work(query: str) -> tuple[str, str]:
    """The answer's code and text."""
    size = parse_qs(query).get("kb", [""])[0]
    if not size.isdigit() or int(size) > MOST_KB:
        return "400", f"kb is a number up to {MOST_KB}\n"
    total = hashlib.sha256()
    for _ in range(int(size)):
        total.update(bytes(1024))
    return "200", total.hexdigest() + "\n"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--port", type=int, default=9201)
    server = ThreadingHTTPServer(("127.0.0.1", options.parse_args().port), Worker)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    server.serve_forever()
    print("ended as asked")


if __name__ == "__main__":
    main()
