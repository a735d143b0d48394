"""Pushing metrics of batch jobs to the Pushgateway, and taking them away again."""

from urllib.parse import quote

import requests

from monlab import web
from monlab.endpoints import must_be_ours, service_url
from monlab.problem import LabProblem
from monlab.settings import settings


def push(text: str, job: str, **labels: str) -> str:
    """Sends metrics in the text format to the group `job` + `labels`, replacing that group (HTTP PUT).

    Raises LabProblem with the gateway's words when it refuses them.
    """
    address = _group(job, labels)
    answer = _send("PUT", address, text.strip("\n") + "\n")
    if answer.status_code != 200:
        raise LabProblem(f"The Pushgateway refused the metrics: {answer.text.strip()}")
    return f"PUT {_path(job, labels)} was accepted."


def delete(job: str, **labels: str) -> str:
    """Takes a whole group away."""
    _send("DELETE", _group(job, labels))
    return f"DELETE {_path(job, labels)} was accepted."


def _path(job: str, labels: dict[str, str]) -> str:
    return "/metrics/job/" + "/".join([quote(job, safe=""), *(quote(word, safe="") for pair in labels.items() for word in pair)])


def _group(job: str, labels: dict[str, str]) -> str:
    return service_url(settings(), "pushgateway") + _path(job, labels)


def _send(method: str, address: str, text: str = "") -> requests.Response:
    must_be_ours(settings(), "Sending to the Pushgateway")
    try:
        return web.session(address).request(method, address, data=text.encode(), timeout=30)
    except web.FAULTS as error:
        raise LabProblem("The Pushgateway does not answer. `stack.status()` shows what runs.") from error
