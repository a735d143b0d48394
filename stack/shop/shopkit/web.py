"""A Flask application with everything around its routes: ids, errors, counts, log lines, fault switches."""

import hmac
import json
import logging
import re
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

from flask import Flask, Response, g, jsonify, request
from gunicorn.http.errors import ParseException
from opentelemetry import trace
from opentelemetry.instrumentation.flask import FlaskInstrumentor
from prometheus_client import REGISTRY
from prometheus_client.exposition import choose_encoder
from werkzeug.exceptions import HTTPException, MethodNotAllowed, RequestEntityTooLarge

from shopkit import faults, metrics, tracing
from shopkit.config import TROUBLED_VERSION, Config
from shopkit.faults import Faults
from shopkit.logs import FromLibraries, Log

BODY_BYTES = 16 << 10
DRAIN_BYTES = 32 << 20  # a body that is too long is read and thrown away up to here, so that the caller sees our answer
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
ORDER_ID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
SKU = re.compile(r"[A-Z0-9][A-Z0-9-]{0,31}")
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
CODES = {404: "not_found", 405: "method_not_allowed", 413: "body_too_large", 415: "unsupported_media_type"}
INTERNAL = "Something went wrong here. Quote the trace id."


class Refusal(Exception):
    """An answer other than the one asked for: status, code and a sentence for the caller."""

    def __init__(self, status: int, code: str, message: str, **details: Any) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.details = status, code, message, details


class Service:
    """One service of the shop: its Flask application, its log and its fault switches."""

    def __init__(self, config: Config, switches: Faults) -> None:
        self.config, self.faults = config, switches
        self.log = Log(config.service, self.version, lambda: switches.value("clock_skew", "seconds"))
        self.provider = tracing.start(config)
        self.app = Flask(config.service, static_folder=None)
        self.app.config["MAX_CONTENT_LENGTH"] = BODY_BYTES
        self.app.json.sort_keys = False  # type: ignore[attr-defined]
        self.app.url_map.merge_slashes = False  # /a//b would be answered with a redirect to /a/b
        FlaskInstrumentor().instrument_app(self.app, excluded_urls=tracing.NOT_TRACED)
        self.app.before_request(self._arrive)
        self.app.after_request(self._leave)
        self.app.register_error_handler(Exception, self.refuse)
        self.app.add_url_rule("/healthz", view_func=lambda: {"status": "ok"})
        self.app.add_url_rule("/metrics", view_func=_metrics)
        self.app.add_url_rule("/lab/faults", view_func=self._switch, methods=["GET", "POST", "DELETE"])
        metrics.born(metrics.by_client, client=metrics.CLIENTS)
        switches.begin, switches.end = self._fault_begins, self._fault_ends
        self._show_version()

        self.app.extensions["shop"] = self
        self.at_start: list[Callable[[], None]] = []
        logging.getLogger().addHandler(FromLibraries(self.log))

    def started(self, address: tuple[str, int] | str) -> None:
        """Called once by the server when it listens."""
        for action in self.at_start:
            action()
        self.log.info("listening", address=":".join(map(str, address)) if isinstance(address, tuple) else address)

    def stopped(self) -> None:
        """Called once by the server when it ends."""
        self.log.info("stopping")
        self.provider.shutdown()

    def version(self) -> str:
        return TROUBLED_VERSION if self.faults.get("bad_deploy") else self.config.version

    def route(self, rule: str, method: str, success: int = 200) -> Any:
        """Decorates a view. `rule` has {braces}; its series are born at 0 with the code of its success."""
        flask_rule = rule.replace("{", "<").replace("}", ">")
        metrics.requests_total.labels(method, rule, str(success))
        metrics.request_duration.labels(method, rule, str(success))
        return self.app.route(flask_rule, methods=[method], provide_automatic_options=False)

    def must_know_token(self) -> None:
        """Raises Refusal unless the caller shows the lab's token."""
        shown = request.headers.get("Authorization", "").encode()
        if not self.config.token or not hmac.compare_digest(shown, f"Bearer {self.config.token}".encode()):
            raise Refusal(401, "unauthorized", "This needs the lab's token: Authorization: Bearer TOKEN.")

    # around every request

    def _arrive(self) -> Response | None:
        g.start = time.monotonic()
        given = request.headers.get("X-Request-Id", "")
        g.request_id = given if REQUEST_ID.fullmatch(given) else str(uuid.uuid4())
        g.watched = request.path not in ("/healthz", "/metrics") and not request.path.startswith("/lab/")
        g.route = _template()
        if not g.watched:
            return None
        metrics.in_flight.inc()
        g.flying = True
        if g.route != "unmatched":
            span = trace.get_current_span()
            span.update_name(f"{request.method} {g.route}")
            span.set_attribute("http.route", g.route)
            self._break()
        return None

    def _break(self) -> None:
        """What the switches ask for, before the request is handled."""
        slow = self.faults.strikes("slow")
        if slow:
            trace.get_current_span().add_event("fault.slow")
            slow.ended.wait(slow.values["seconds"])
        if self.faults.strikes("errors") or self.faults.strikes("bad_deploy"):
            raise Refusal(500, "internal_error", INTERNAL)

    def _leave(self, answer: Response) -> Response:
        answer.headers["X-Request-Id"] = g.get("request_id", "")
        if not g.get("watched"):
            return answer
        span = trace.get_current_span().get_span_context()
        answer.headers["X-Trace-Id"] = f"{span.trace_id:032x}"
        seconds = time.monotonic() - g.start
        method = request.method if request.method in METHODS else "_OTHER"
        labels = (method, g.route, str(answer.status_code))
        example = metrics.exemplar()
        metrics.requests_total.labels(*labels).inc(exemplar=example)
        metrics.request_duration.labels(*labels).observe(seconds, exemplar=example)
        usual = metrics.client(request.headers.get("User-Agent", ""))
        self.faults.count_client(metrics.by_client, usual)
        if g.pop("flying", False):
            metrics.in_flight.dec()
        fields = {"method": method, "route": g.route, "status": answer.status_code, "duration_ms": round(seconds * 1000, 1)}
        if "error" in g:
            fields["error"] = g.error
        level = self.log.error if answer.status_code >= 500 else self.log.warn if answer.status_code >= 400 else self.log.info
        level("request", **fields)
        return answer

    def refuse(self, problem: Exception) -> tuple[Response, int]:
        details: dict[str, Any] = {}
        if isinstance(problem, Refusal):
            status, code, message, details = problem.status, problem.code, problem.message, problem.details
        elif isinstance(problem, HTTPException) and (problem.code or 500) < 500:
            status = problem.code or 400
            code = CODES.get(status, "invalid_request")
            message = f"{problem.name}."
        else:
            status, code, message = 500, "internal_error", INTERNAL
            self.log.error("unexpected error", reason=f"{type(problem).__name__}: {problem}"[:500])
            trace.get_current_span().record_exception(problem)
        if status == 413:
            _drain()
        if g.get("watched"):
            g.error = code
        span = trace.get_current_span().get_span_context()
        error = {"code": code, "message": message, "request_id": g.get("request_id", "")}
        if span.is_valid:
            error["trace_id"] = f"{span.trace_id:032x}"
        answer = jsonify({"error": {**error, **({"details": details} if details else {})}})
        if isinstance(problem, MethodNotAllowed):
            answer.headers["Allow"] = ", ".join(sorted(problem.valid_methods or ()))
        return answer, status

    def refuse_unread(self, status: int, code: str, message: str) -> bytes:
        """The body of the answer to what never became a request; counted, logged and traced like one without a route."""
        request_id = str(uuid.uuid4())
        attributes = {"http.request.method": "_OTHER", "http.response.status_code": status, "url.scheme": "http"}
        with tracing.tracer.start_as_current_span("HTTP", kind=trace.SpanKind.SERVER, attributes=attributes) as span:
            labels = ("_OTHER", "unmatched", str(status))
            metrics.requests_total.labels(*labels).inc(exemplar=metrics.exemplar())
            metrics.request_duration.labels(*labels).observe(0, exemplar=metrics.exemplar())
            self.faults.count_client(metrics.by_client, "other")
            told = {"method": "_OTHER", "route": "unmatched", "status": status, "duration_ms": 0.0, "error": code}
            self.log.warn("request", request_id=request_id, **told)
            trace_id = f"{span.get_span_context().trace_id:032x}"
        error = {"code": code, "message": message, "request_id": request_id, "trace_id": trace_id}
        return json.dumps({"error": error}).encode()

    # switches

    def _switch(self) -> Any:
        self.must_know_token()
        if request.method == "POST":
            try:
                self.faults.switch_on(json_body())
            except faults.Refused as refused:
                raise Refusal(400, "invalid_request", str(refused)) from refused
        elif request.method == "DELETE":
            self.faults.clear()
        return jsonify(self.faults.active())

    def _fault_begins(self, name: str) -> None:
        self.log.warn("fault switched on", fault=name)
        if name == "crash":
            threading.Timer(0.05, faults.crash).start()  # after the answer
        if name == "bad_deploy":
            self._show_version()

    def _fault_ends(self, name: str) -> None:
        self.log.warn("fault ended", fault=name)
        if name == "bad_deploy":
            self._show_version()
        if name == "cardinality":
            for labels in [labels for labels in list(metrics.by_client._metrics) if labels[0] not in metrics.CLIENTS]:
                metrics.by_client.remove(*labels)

    def _show_version(self) -> None:
        metrics.build_info.clear()
        metrics.build_info.labels(self.version(), "python").set(1)


def json_body() -> Any:
    """The request's JSON. Raises Refusal for another type, for a body that is too long and for what is no JSON."""
    if request.mimetype != "application/json":
        raise Refusal(415, "unsupported_media_type", "The body must be JSON: Content-Type: application/json.")
    try:
        text = request.get_data()
        if request.environ["wsgi.input"].read(1):  # of a long body in chunks the library gives the beginning, without a word
            raise RequestEntityTooLarge
        return json.loads(text.decode())
    except RequestEntityTooLarge as error:
        raise Refusal(413, "body_too_large", f"The body may have {BODY_BYTES} bytes.") from error
    except (OSError, ParseException) as error:
        raise Refusal(400, "invalid_request", "The body could not be read to its end.") from error
    except (HTTPException, ValueError, RecursionError) as error:
        raise Refusal(400, "invalid_json", "The body is not valid JSON.") from error


def fields(body: Any, **kinds: Any) -> list[Any]:
    """The values of a JSON object's fields, in the order of `kinds`; no other field may be there. Raises Refusal (400).

    A kind is a function that returns a sentence about what is wrong with a value, or None.
    """
    if not isinstance(body, dict):
        raise Refusal(400, "invalid_request", "The body must be a JSON object.")
    for name in body:
        if name not in kinds:
            raise Refusal(400, "invalid_request", f"There is no field {name[:40]!r}. Known: {', '.join(kinds)}.")
    for name, wrong in kinds.items():
        complaint = wrong(body.get(name))
        if complaint:
            raise Refusal(400, "invalid_request", f"{name} {complaint}.")
    return [body.get(name) for name in kinds]


def matching(pattern: re.Pattern[str], what: str) -> Any:
    """A kind of field: text that the pattern matches whole."""
    return lambda value: None if isinstance(value, str) and pattern.fullmatch(value) else f"must be {what}"


def whole_number(low: int, high: int) -> Any:
    """A kind of field: an integer from `low` to `high`, written without a decimal point."""
    right = lambda value: isinstance(value, int) and not isinstance(value, bool) and low <= value <= high  # noqa: E731
    return lambda value: None if right(value) else f"must be a whole number from {low} to {high}"


sku_field = matching(SKU, "a product's code, such as TEA-001")
order_id_field = matching(ORDER_ID, "a UUID in small letters")
quantity_field = whole_number(1, 100)


def _template() -> str:
    return request.url_rule.rule.replace("<", "{").replace(">", "}") if request.url_rule else "unmatched"


def _metrics() -> Response:
    try:
        encode, kind = choose_encoder(request.headers.get("Accept", ""))
    except TypeError:  # the library compares a version that is no number
        encode, kind = choose_encoder("")
    return Response(encode(REGISTRY), content_type=kind)


def _drain() -> None:
    stream, left = request.environ["wsgi.input"], DRAIN_BYTES
    try:
        while left > 0 and (chunk := stream.read(1 << 16)):
            left -= len(chunk)
    except (OSError, ParseException):
        return  # the caller has stopped sending, or sends what cannot be read
