"""Calls of another service: time-outs, one span and one count a call."""

import json
import time
from dataclasses import dataclass
from typing import Any

import urllib3
from flask import g, has_request_context

from shopkit import metrics

BODY_BYTES = 1 << 20  # no answer of a service is longer


@dataclass(frozen=True)
class Answer:
    """What a service said: its status and its JSON; `outcome` is the label of the metric."""

    outcome: str
    status: int = 0
    body: Any = None
    reason: str = ""

    def error_code(self) -> str:
        error = self.body.get("error") if isinstance(self.body, dict) else None
        return str(error.get("code", "")) if isinstance(error, dict) else ""


class Upstream:
    """One other service."""

    def __init__(self, name: str, url: str, agent: str, connections: int = 32) -> None:
        self.name, self.agent = name, agent
        self.pool = urllib3.connection_from_url(url, maxsize=connections, block=False, retries=False)
        for attempt in ("first", "retry"):
            for outcome in metrics.OUTCOMES:
                metrics.upstream_requests.labels(name, attempt, outcome)
        metrics.upstream_duration.labels(name)

    def call(self, method: str, path: str, seconds: float, body: Any = None) -> Answer:
        """Asks once and waits `seconds` at most. Who wants a retry, such as the outbox, asks again later."""
        start = time.monotonic()
        answer = self._ask(method, path, seconds, body)
        metrics.upstream_duration.labels(self.name).observe(time.monotonic() - start)
        metrics.upstream_requests.labels(self.name, "first", answer.outcome).inc()
        return answer

    def _ask(self, method: str, path: str, seconds: float, body: Any) -> Answer:
        headers = {"User-Agent": self.agent}
        if has_request_context() and "request_id" in g:
            headers["X-Request-Id"] = g.request_id
        try:
            said = self.pool.request(method, path, headers=headers, json=body, timeout=seconds)
        except urllib3.exceptions.NewConnectionError as error:  # refused at once; urllib3 has it among its time-outs
            return Answer("unreachable", reason=type(error).__name__)
        except urllib3.exceptions.TimeoutError:
            return Answer("timeout", reason=f"no answer within {seconds:g} s")
        except urllib3.exceptions.HTTPError as error:
            return Answer("unreachable", reason=type(error).__name__)
        content = _json(said.data)
        if said.status >= 500 or (content is None and said.status < 400):
            return Answer("server_error", said.status, content, f"status {said.status}")
        return Answer("client_error" if said.status >= 400 else "ok", said.status, content)


def _json(body: bytes) -> Any:
    """What an answer says; None when it is no JSON, or longer than any answer of a service."""
    try:
        return json.loads(body) if len(body) <= BODY_BYTES else None
    except ValueError:
        return None
