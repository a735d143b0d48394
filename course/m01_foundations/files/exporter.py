"""An exporter for folders: how many files wait in each, how large they are, how old the oldest is.

A spool, an inbox or a backup folder knows nothing of Prometheus. An exporter translates: it looks when it is scraped, and keeps
nothing. `python exporter.py --port 9200 inbox=/var/spool/inbox backup=/backup`
"""

import argparse
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, disable_created_metrics, start_http_server
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric

VERSION = "1.0.0"


class Folders:
    """Asked once a scrape. Folders have short fixed names: a label's values must be few, and known beforehand."""

    def __init__(self, folders: dict[str, Path], failures: Counter) -> None:
        self.folders = folders
        self.failures = failures
        for name in folders:
            failures.labels(folder=name)    # there from the start, at 0: `rate` needs a first value

    def collect(self) -> Iterator[Metric]:
        readable = GaugeMetricFamily("folder_readable", "1 if the folder could be read in this scrape, 0 if not.", labels=["folder"])
        files = GaugeMetricFamily("folder_files", "Files in the folder.", labels=["folder"])
        size = GaugeMetricFamily("folder_size_bytes", "Size of all files together.", labels=["folder"])
        oldest = GaugeMetricFamily("folder_oldest_file_timestamp_seconds", "When the oldest file was last changed.", labels=["folder"])
        for name, folder in self.folders.items():
            try:
                found = [path.stat() for path in folder.iterdir() if path.is_file()]
            except OSError:
                # Half of the scrape failed. The other half is still true, so it is shown, and the gap has a metric.
                self.failures.labels(folder=name).inc()
                readable.add_metric([name], 0)
                continue
            readable.add_metric([name], 1)
            files.add_metric([name], len(found))
            size.add_metric([name], sum(one.st_size for one in found))
            if found:
                oldest.add_metric([name], min(one.st_mtime for one in found))
        yield from (readable, files, size, oldest)
        yield InfoMetricFamily("folder_exporter_build", "The exporter itself.", value={"version": VERSION})


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--port", type=int, default=9200)
    options.add_argument("folders", nargs="+", metavar="NAME=PATH")
    given = options.parse_args()
    folders = {name: Path(path) for name, _, path in (word.partition("=") for word in given.folders)}

    disable_created_metrics()    # else each counter has a second series: when it began
    registry = CollectorRegistry()
    failures = Counter("folder_read_failures", "Scrapes in which the folder could not be read.", ["folder"], registry=None)
    registry.register(Folders(folders, failures))
    registry.register(failures)    # after the folders: pages are built in this order, and these must count the same scrape
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])    # for all threads: it is waited for below
    server, _ = start_http_server(given.port, addr="127.0.0.1", registry=registry)

    signal.sigwait([signal.SIGTERM])
    server.shutdown()    # takes no new scrape
    for thread in threading.enumerate():
        if thread is not threading.current_thread():
            thread.join(1)    # the scrape under way has a second to be answered; the library would drop it
    print("ended as asked")


if __name__ == "__main__":
    main()
