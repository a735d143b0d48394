"""The month's traces -> a folder that Jaeger serves, written by a throwaway Jaeger under the configuration of the archive's own."""

import json
import shutil
import signal
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import groupby, islice
from pathlib import Path
from typing import Any

from monlab import web
from monlab.archive import throwaway
from monlab.archive.records import Month, Span, Trace
from monlab.problem import LabProblem
from monlab.settings import Settings
from monlab.stack import servers

TRACES = 100  # a request
REQUEST_SECONDS = 60
AT_ONCE = 2  # requests
ASKED = 10  # of so many requests, one has a trace that is asked for afterwards
KINDS = {"internal": 1, "server": 2, "client": 3, "producer": 4, "consumer": 5}  # opentelemetry/proto/trace/v1/trace.proto
ERROR = 2  # STATUS_CODE_ERROR


def load(month: Month, into: Path, settings: Settings, progress: Callable[[str], None]) -> None:
    """Puts Jaeger's data into the folder `into`. Raises LabProblem when Jaeger refuses spans, or does not hold what was sent."""
    program = servers.get("jaeger", settings, progress).command("jaeger")
    work = into.with_name("work")
    work.mkdir()
    page, grpc, otlp = throwaway.free_ports(3)
    environment = {
        "JAEGER_READ_ONLY": "false",
        "JAEGER_DATA": str(work / "data"),
        "JAEGER_HTTP": f"127.0.0.1:{page}",
        "JAEGER_GRPC": f"127.0.0.1:{grpc}",
        "JAEGER_OTLP": f"127.0.0.1:{otlp}",
        "OTEL_TRACES_SAMPLER": "always_off",
    }
    command = [*program, f"--config={settings.repo}/stack/jaeger/archive.yaml"]
    ready = f"http://127.0.0.1:{page}/api/services"
    with throwaway.serving(settings, work, command, ready, environment, signal.SIGTERM):
        some = _send(month, f"http://127.0.0.1:{otlp}/v1/traces", progress)
        _check(some, f"http://127.0.0.1:{page}/api/traces")
        progress("traces: ending Jaeger")  # it writes what it still has in memory then
    (work / "data").rename(into)
    shutil.rmtree(work)


def _send(month: Month, url: str, progress: Callable[[str], None]) -> list[Trace]:
    """Sends all spans. Returns the first trace of some requests, to be asked for."""
    traces = month.traces()
    sent = 0
    kept = []
    with ThreadPoolExecutor(AT_ONCE) as pool:
        waiting: deque[Future[None]] = deque()
        while some := list(islice(traces, TRACES)):
            body = json.dumps({"resourceSpans": list(_resources(some))}).encode()
            if len(waiting) > AT_ONCE:
                waiting.popleft().result()
            waiting.append(pool.submit(_post, url, body))
            sent += len(some)
            if sent // TRACES % ASKED == 1 or len(some) < TRACES:
                kept.append(some[0])
            progress(f"traces: {sent:,} sent")
        for one in waiting:
            one.result()
    return kept


def _check(traces: list[Trace], url: str) -> None:
    """Jaeger takes spans of any trace without a word, also of none."""
    for trace in traces:
        answer = web.get(f"{url}/{trace.trace_id}", REQUEST_SECONDS)
        found = answer.json()["data"] if answer.status_code == 200 else []
        held = len(found[0]["spans"]) if found else 0
        if held != len(trace.spans):
            raise LabProblem(
                f"Jaeger holds {held} of {len(trace.spans)} spans of the trace {trace.trace_id!r}. The archive's generator is wrong."
            )


def _post(url: str, body: bytes) -> None:
    answer = web.post(url, REQUEST_SECONDS, data=body, headers={"Content-Type": "application/json"})
    if answer.status_code != 200 or (answer.json().get("partialSuccess") or {}).get("rejectedSpans"):
        raise LabProblem(f"Jaeger refused spans of the month ({answer.status_code}): {answer.text[:300]}")


def _origin(span: Span) -> tuple[str, str, str]:
    return span.service, span.version, span.instance


def _resources(traces: list[Trace]) -> Iterator[dict[str, Any]]:
    """The spans of several traces in OTLP's JSON, by the program that made them."""
    pairs = [(span, trace.trace_id) for trace in traces for span in trace.spans]
    pairs.sort(key=lambda pair: _origin(pair[0]))
    for (service, version, instance), group in groupby(pairs, lambda pair: _origin(pair[0])):
        names = {"service.name": service, "service.version": version, "service.instance.id": instance}
        spans = [_span(span, trace_id) for span, trace_id in group]
        yield {"resource": {"attributes": _attributes(names)}, "scopeSpans": [{"scope": {}, "spans": spans}]}


def _span(span: Span, trace_id: str) -> dict[str, Any]:
    return {
        "traceId": trace_id,
        "spanId": span.span_id,
        "parentSpanId": span.parent_id,
        "name": span.name,
        "kind": KINDS[span.kind],
        "startTimeUnixNano": str(span.start_ns),
        "endTimeUnixNano": str(span.end_ns),
        "attributes": _attributes(span.attributes),
        "events": [{"timeUnixNano": str(span.start_ns), "name": event} for event in span.events],
        "status": {"code": ERROR, "message": span.error} if span.error else {},
    }


def _attributes(pairs: Any) -> list[dict[str, Any]]:
    return [
        {"key": name, "value": {"intValue": str(value)} if isinstance(value, int) else {"stringValue": value}}
        for name, value in pairs.items()
    ]
