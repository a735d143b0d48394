"""gunicorn's worker with one change: what is no request of HTTP is refused as a service refuses, and counted and logged by it."""

from http import HTTPStatus
from typing import Any

from gunicorn.http import errors
from gunicorn.workers.gthread import ThreadWorker

# Error of gunicorn -> status, code and a sentence for the caller. Any other: 400.
REFUSALS = {
    errors.LimitRequestLine: (414, "uri_too_long", "The address is too long."),
    errors.LimitRequestHeaders: (431, "headers_too_large", "There are too many headers, or too long ones."),
    errors.ExpectationFailed: (417, "expectation_failed", "Nothing but 100-continue may be expected here."),
}
NO_REQUEST = (400, "invalid_request", "This is no request that can be read.")
OURS = (errors.InvalidResponseHeader, errors.InvalidResponseHeaderName)


class Worker(ThreadWorker):
    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Called for a request that cannot be read, then without `req`, and for what failed later."""
        if not isinstance(exc, errors.ParseException) or isinstance(exc, OURS):
            super().handle_error(req, client, addr, exc)
        elif req is None or isinstance(exc, errors.ExpectationFailed):
            self._refuse(client, *REFUSALS.get(type(exc), NO_REQUEST))
        # Else it is the rest of a body that nobody has read: its request has had its answer.

    def _refuse(self, client: Any, status: int, code: str, message: str) -> None:
        body = self.wsgi.extensions["shop"].refuse_unread(status, code, message)
        lines = [
            f"HTTP/1.1 {status} {HTTPStatus(status).phrase}",
            "Connection: close",
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
        ]
        try:
            client.sendall("\r\n".join([*lines, "", ""]).encode() + body)
        except OSError:
            return  # the caller has gone
