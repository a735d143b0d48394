"""OpenTelemetry traces: spans in W3C context, sent by OTLP over HTTP."""

import os

import requests
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.urllib3 import URLLib3Instrumentor
from opentelemetry.propagate import set_global_textmap
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from urllib3 import HTTPConnectionPool

from shopkit.config import Config

NOT_TRACED = r"^https?://[^/]+/(healthz|metrics)(\?|$),^https?://[^/]+/lab/"  # regular expressions of URLs


def start(config: Config) -> TracerProvider:
    """Sets up the provider of this process. Without an endpoint spans are made, so that ids stand in logs, and not sent."""
    # Read by the instrumentation libraries: the stable names of HTTP and database attributes.
    os.environ.setdefault("OTEL_SEMCONV_STABILITY_OPT_IN", "http,database")
    resource = Resource(
        {
            "service.name": config.service,
            "service.namespace": "shop",
            "service.version": config.version,
            "deployment.environment.name": "lab",
        }
    )
    provider = TracerProvider(resource=resource)
    if config.otlp_endpoint:
        session = requests.Session()
        session.trust_env = False  # a proxy of the machine has no business between the services
        exporter = OTLPSpanExporter(endpoint=f"{config.otlp_endpoint}/v1/traces", timeout=5, session=session)
        provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=1000))
    trace.set_tracer_provider(provider)
    set_global_textmap(TraceContextTextMapPropagator())  # no baggage: nobody reads it, and a bad one makes the library complain
    return provider


def instrument_calls() -> None:
    """A span for each HTTP call of this process."""
    URLLib3Instrumentor().instrument(request_hook=_name_server)


def _name_server(span: trace.Span, pool: HTTPConnectionPool, _request: object) -> None:
    """The library leaves out whom it called; the conventions require it."""
    span.set_attributes({"server.address": pool.host, "server.port": pool.port or 80})


tracer = trace.get_tracer("shop")
