"""gunicorn's worker with two changes.

What is no request of HTTP is refused as a service refuses, and counted and logged by it. Who stops in the middle of a request
does not keep a thread for ever.
"""

import socket
import struct
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
READ_SECONDS = 10  # the next bytes of a request that has begun come within this time
OURS = (errors.InvalidResponseHeader, errors.InvalidResponseHeaderName)


class Worker(ThreadWorker):
    def handle(self, conn: Any) -> Any:
        """Called when something has come by a connection. The limit is the kernel's: gunicorn makes the socket a blocking one."""
        conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", READ_SECONDS, 0))
        return super().handle(conn)

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
