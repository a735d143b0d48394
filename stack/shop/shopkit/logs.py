"""One JSON object a line on standard output, with the ids of the request that is being worked on."""

import json
import logging
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import g, has_request_context
from opentelemetry import trace

STDOUT = 1
QUIET_SECONDS = 60  # a line that repeats itself, such as a failed export, is written once in this time


class Log:
    """The service's log. `skew` says how many seconds its clock is off, `version` what runs: both can be switched."""

    def __init__(self, service: str, version: Callable[[], str], skew: Callable[[], float]) -> None:
        self.service, self.version, self.skew = service, version, skew

    def info(self, message: str, **fields: Any) -> None:
        self._line("info", message, fields)

    def warn(self, message: str, **fields: Any) -> None:
        self._line("warn", message, fields)

    def error(self, message: str, **fields: Any) -> None:
        self._line("error", message, fields)

    def _line(self, level: str, message: str, fields: dict[str, Any]) -> None:
        now = datetime.now(UTC) + timedelta(seconds=self.skew())
        line = {
            "time": now.strftime("%Y-%m-%dT%H:%M:%S.") + f"{now.microsecond // 1000:03}Z",
            "level": level,
            "service": self.service,
            "version": self.version(),
            "message": message,
            **_ids(),
            **fields,
        }
        text = json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n"
        try:
            os.write(STDOUT, text.encode())  # in one piece, so that no thread waits for another's line
        except OSError:
            return  # nobody reads the log any more: that must not end a request


def _ids() -> dict[str, str]:
    span = trace.get_current_span().get_span_context()
    ids = {"trace_id": f"{span.trace_id:032x}", "span_id": f"{span.span_id:016x}"} if span.is_valid else {}
    if has_request_context() and "request_id" in g:
        ids["request_id"] = g.request_id
    return ids


class FromLibraries(logging.Handler):
    """Warnings of libraries (the exporter of traces, the connection pool) as lines of ours, each text once in a while."""

    def __init__(self, log: Log) -> None:
        super().__init__(logging.WARNING)
        self.log = log
        self.last: dict[str, datetime] = {}

    def emit(self, record: logging.LogRecord) -> None:
        now = datetime.now(UTC)
        message = "telemetry export failed" if record.name.startswith("opentelemetry") else "unexpected error"
        if record.name.startswith("psycopg"):
            message = "database unavailable"
        if message in self.last and now - self.last[message] < timedelta(seconds=QUIET_SECONDS):
            return
        self.last[message] = now
        self.log.warn(message, reason=record.getMessage()[:300])
