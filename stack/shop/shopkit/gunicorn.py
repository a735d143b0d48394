"""gunicorn's settings. One worker: several would split the counters, and the client library loses exemplars between processes."""

import os

workers = 1
worker_class = "shopkit.worker.Worker"
threads = 32
timeout = 0  # with threads the time-out would kill the worker, and all its requests with it
graceful_timeout = 5
keepalive = 65
limit_request_line = 4094
forwarded_allow_ips = ""  # no proxy of ours says by headers what was asked, and of whom
errorlog = "-"
accesslog = None
loglevel = "critical"
control_socket_disable = True


def post_fork(server, worker):
    """Keeps the service on one core, before it has any thread.

    Python runs one thread at a time. On one core its threads hand the lock over without waking another core each time: at 100
    requests a second on two cores the slowest answers come several times sooner.
    """
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[worker.cfg.address[0][1] % len(cores)]})


def post_worker_init(worker):
    """The service can be used from here on."""
    worker.wsgi.extensions["shop"].started(worker.cfg.address[0])


def worker_exit(server, worker):
    """Sends what is still to be sent."""
    worker.wsgi.extensions["shop"].stopped()
