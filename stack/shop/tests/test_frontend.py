"""The frontend as it runs, alone: what it makes of bytes that are no order. Its gateway is an address where nobody listens."""

import contextlib
import http.client
import json
import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

SHOP = Path(__file__).parents[1]
ORDER = b'{"sku":"TEA-001","quantity":1}'


class Frontend:
    """A process under gunicorn, with its standard output in a pipe that can be closed."""

    def __init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        self.lines: list[dict] = []
        self.text = b""
        self.output, write = os.pipe()
        environment = {**os.environ, "GATEWAY_URL": "http://127.0.0.1:9", "PYTHONDONTWRITEBYTECODE": "1"}
        words = ["frontend.app:create()", "--config=python:shopkit.gunicorn", f"--bind=127.0.0.1:{self.port}"]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", *words], cwd=SHOP, env=environment, stdout=write, stderr=subprocess.DEVNULL
        )
        os.close(write)
        os.set_blocking(self.output, False)
        self.until(lambda: self.logged(message="listening"))

    def until(self, found):
        deadline = time.monotonic() + 20
        while not (got := found()):
            assert time.monotonic() < deadline and self.process.poll() is None, self.lines
            time.sleep(0.02)
        return got

    def logged(self, **fields):
        """Log lines with these fields, of those written until now."""
        with contextlib.suppress(BlockingIOError):
            self.text += os.read(self.output, 1 << 20)
        *whole, self.text = self.text.split(b"\n")
        self.lines += [json.loads(line) for line in whole]
        return [line for line in self.lines if fields.items() <= line.items()]

    def say(self, request: bytes) -> tuple[int, str, bytes]:
        """Sends bytes, and that there are no more; returns status, content type and body of the only answer."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as connection:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            said = b""
            while part := connection.recv(1 << 16):
                said += part
        head, _, body = said.partition(b"\r\n\r\n")
        assert said.count(b"HTTP/1.1 ") + said.count(b"HTTP/1.0 ") == 1, said
        kind = re.search(rb"(?im)^content-type: *([^\r\n]*)", head)
        return int(head.split()[1]), kind[1].decode() if kind else "", body

    def post(self, head: bytes, body: bytes = b"") -> tuple[int, str, bytes]:
        lines = b"POST /api/orders HTTP/1.1\r\nHost: shop\r\nConnection: close\r\nContent-Type: application/json\r\n"
        return self.say(lines + head + b"\r\n\r\n" + body)

    def counted(self, name: str, **labels) -> float:
        _status, _kind, page = self.say(b"GET /metrics HTTP/1.0\r\n\r\n")
        found = re.findall(rf"(?m)^{name}(?:{{(.*)}})? (\S+)$", page.decode())
        return sum(float(value) for text, value in found if all(f'{key}="{one}"' in text for key, one in labels.items()))


@pytest.fixture(scope="module")
def frontend():
    one = Frontend()
    yield one
    one.process.terminate()
    one.process.wait(10)


def chunks(body: bytes) -> bytes:
    pieces = [body[at : at + 8000] for at in range(0, len(body), 8000)]
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


@pytest.mark.parametrize("body", [ORDER + b" " * 20_000, b" " * 20_000 + ORDER, ORDER + b" " * (16_385 - len(ORDER))])
def test_a_long_body_in_chunks_is_refused_and_not_cut_short(frontend, body):
    status, kind, said = frontend.post(b"Transfer-Encoding: chunked", chunks(body))
    assert (status, kind, json.loads(said)["error"]["code"]) == (413, "application/json", "body_too_large")


def test_a_body_in_chunks_may_be_as_long_as_another(frontend):
    body = (b" " * 20_000 + ORDER)[-16_384:]
    assert frontend.post(b"Transfer-Encoding: chunked", chunks(body))[0] in (502, 504), "it is passed on"


@pytest.mark.parametrize(
    "body", [ORDER.decode().encode("utf-16"), ORDER.decode().encode("utf-32-le"), b"\xef\xbb\xbf" + ORDER, b"\xff"]
)
def test_json_is_utf8_and_nothing_else(frontend, body):
    status, _kind, said = frontend.post(b"Content-Length: %d" % len(body), body)
    assert (status, json.loads(said)["error"]["code"]) == (400, "invalid_json")


@pytest.mark.parametrize("sent", [1, 8000, 16_384])
def test_a_body_in_chunks_that_ends_too_early_is_refused(frontend, sent):
    body = (ORDER + b" " * 20_000)[:sent]
    status, _kind, _said = frontend.post(b"Transfer-Encoding: chunked", chunks(body).removesuffix(b"0\r\n\r\n"))
    assert status == 400


@pytest.mark.parametrize("body", [b"zz\r\n{}\r\n0\r\n\r\n", b"-5\r\nabcde\r\n0\r\n\r\n", b"5\r\nabcdeXX0\r\n\r\n"])
def test_chunks_that_are_none_are_the_callers_fault(frontend, body):
    status, kind, said = frontend.post(b"Transfer-Encoding: chunked", body)
    error = json.loads(said)["error"]
    assert (status, kind, error["code"]) == (400, "application/json", "invalid_request")
    [line] = frontend.until(lambda: frontend.logged(trace_id=error["trace_id"], message="request"))
    assert (line["status"], line["route"]) == (400, "/api/orders")
    assert not frontend.logged(trace_id=error["trace_id"], message="unexpected error")


def test_chunks_that_nobody_reads_are_answered_once(frontend):
    head = b"POST /nothing HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert frontend.say(head + b"zz\r\n{}\r\n0\r\n\r\n")[0] == 404


def test_a_path_with_an_empty_part_is_not_found_and_nobody_is_sent_elsewhere(frontend):
    status, kind, said = frontend.say(b"GET /api//products HTTP/1.1\r\nHost: elsewhere\r\nConnection: close\r\n\r\n")
    assert (status, kind, json.loads(said)["error"]["code"]) == (404, "application/json", "not_found")


@pytest.mark.parametrize(
    ("method", "path", "right"),
    [("DELETE", "/api/orders", "POST"), ("POST", "/", "GET, HEAD"), ("PUT", "/lab/faults", "DELETE, GET, HEAD, OPTIONS, POST")],
)
def test_a_wrong_method_is_told_which_are_right(frontend, method, path, right):
    connection = http.client.HTTPConnection("127.0.0.1", frontend.port, timeout=10)
    connection.request(method, path)
    answer = connection.getresponse()
    assert (answer.status, json.loads(answer.read())["error"]["code"]) == (405, "method_not_allowed")
    assert answer.getheader("Allow") == right
    connection.close()


@pytest.mark.parametrize("header", [b"SCRIPT_NAME: /foo", b"X-Forwarded-Proto: https\r\nX-Forwarded-Ssl: off"])
def test_no_caller_says_where_the_service_stands(frontend, header):
    assert frontend.say(b"GET / HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n" + header + b"\r\n\r\n")[0] == 200


HEAD = b"GET /api/products HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n"
UNREADABLE = {
    "a path without an end": (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: shop\r\n\r\n", 414),
    "a header without an end": (HEAD + b"X-A: " + b"a" * 20_000 + b"\r\n\r\n", 431),
    "too many headers": (HEAD + b"".join(b"X-%d: a\r\n" % n for n in range(150)) + b"\r\n", 431),
    "a method in small letters": (b"get / HTTP/1.1\r\nHost: shop\r\n\r\n", 400),
    "a version to come": (b"GET / HTTP/9.9\r\nHost: shop\r\n\r\n", 400),
    "another protocol": (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 400),
    "a line end in a header": (HEAD + b"X-Request-Id: a\rSet-Cookie: x=1\r\n\r\n", 400),
    "a length below nothing": (HEAD + b"Content-Length: -1\r\n\r\n", 400),
    "two lengths": (HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "an unknown coding": (HEAD + b"Transfer-Encoding: gzip\r\n\r\n", 400),
    "an unknown wish": (HEAD + b"Expect: tea\r\n\r\n", 417),
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_what_is_no_request_is_refused_in_json_logged_once_and_counted(frontend, case):
    request, status = UNREADABLE[case]
    labels = {"method": "_OTHER", "route": "unmatched", "code": str(status)}
    before = frontend.counted("http_requests_total", **labels), frontend.counted("http_request_duration_seconds_count", **labels)
    answered, kind, said = frontend.say(request)
    assert (answered, kind) == (status, "application/json"), said
    error = json.loads(said)["error"]
    assert error["code"] and error["message"].endswith(".") and len(said) < 400
    [line] = frontend.until(lambda: frontend.logged(trace_id=error["trace_id"]))
    assert (line["message"], line["level"], line["status"], line["error"]) == ("request", "warn", status, error["code"])
    assert line["request_id"] == error["request_id"] and line["span_id"] and line["duration_ms"] >= 0
    after = frontend.counted("http_requests_total", **labels), frontend.counted("http_request_duration_seconds_count", **labels)
    assert after == (before[0] + 1, before[1] + 1)
    assert frontend.counted("http_requests_in_flight") == 0


@pytest.mark.parametrize("kind", [b"application/openmetrics-text;version=x", b"text/plain;version=x", b";;,\xff"])
def test_a_scraper_that_asks_for_what_is_no_version_gets_the_plain_text(frontend, kind):
    status, got, _page = frontend.say(
        b"GET /metrics HTTP/1.1\r\nHost: shop\r\nConnection: close\r\nAccept: " + kind + b"\r\n\r\n"
    )
    assert status == 200 and got.startswith("text/plain; version=0.0.4")
    assert not frontend.logged(message="unexpected error")


def test_callers_who_never_finish_do_not_keep_the_others_out(frontend):
    half = [socket.create_connection(("127.0.0.1", frontend.port)) for _ in range(40)]  # the service has 32 threads
    for one in half:
        one.sendall(b"POST /api/orders HTTP/1.1\r\nHost: shop\r\nContent-Type: application/json\r\nContent-Le")
    with socket.create_connection(("127.0.0.1", frontend.port), timeout=30) as another:
        another.sendall(b"GET /healthz HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n")
        assert another.recv(100).startswith(b"HTTP/1.1 200")
    for one in half:
        one.close()


def test_a_callers_baggage_is_not_told_as_a_failed_export(frontend):
    frontend.say(b"GET /nothing HTTP/1.1\r\nHost: shop\r\nConnection: close\r\nbaggage: \xff=\xfe,,;\r\n\r\n")
    assert not frontend.logged(message="telemetry export failed")


def test_a_log_that_nobody_reads_any_more_ends_no_request():
    one = Frontend()
    os.close(one.output)
    try:
        assert one.say(b"GET / HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n")[0] == 200
        assert one.say(b"GET /nothing HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n")[0] == 404
    finally:
        one.process.terminate()
        one.process.wait(10)
