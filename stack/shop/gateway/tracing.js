// Spans of OpenTelemetry. They are made by hand, one a request (requests.js), one a step (orders.js) and one a call
// (upstreams.js), so nothing patches express or http. Should instrumentation that does patch ever be added here, it must
// be registered before those two are loaded: `npm start` loads this module first.

import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { ExportResultCode, W3CTraceContextPropagator } from "@opentelemetry/core";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BatchSpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
import { SERVICE } from "./config.js";
import { reasonOf } from "./logs.js";

export { SpanKind };

const EXPORT_DELAY_MS = 1000; // a trace can be looked up soon after its request
const EXPORT_TIMEOUT_MS = 5000;
const QUIET_MS = 60_000; // a collector that is away is reported once in this time

const propagator = new W3CTraceContextPropagator();
const headersGetter = { get: (headers, name) => headers[name], keys: (headers) => Object.keys(headers) };
const headersSetter = { set: (headers, name, value) => void (headers[name] = value) };

/** The tracer and how to flush it. `processors` are used as they are; without them spans go to config.otlp_endpoint. */
export function startTracing(config, log, processors = exporting(config, log)) {
  const resource = resourceFromAttributes({
    "service.name": SERVICE,
    "service.namespace": "shop",
    "service.version": config.version,
    "deployment.environment.name": "lab",
  });
  const provider = new TracerProvider({ resource, spanProcessors: processors });
  return {
    tracer: provider.getTracer("shop"),
    stop: (limit_ms) => Promise.race([provider.shutdown().catch(() => {}), pause(limit_ms)]),
  };
}

/** The context that the caller's traceparent describes. */
export function callersContext(headers) {
  return propagator.extract(ROOT_CONTEXT, headers, headersGetter);
}

/** Writes `traceparent` into `headers`, so that what another service does hangs below the span of `context`. */
export function passOn(context, headers) {
  propagator.inject(context, headers, headersSetter);
}

/** A span below `parent` and the context in which it is the current one. */
export function openSpan(tracer, parent, name, kind, attributes) {
  const span = tracer.startSpan(name, { kind, attributes }, parent);
  return { span, context: trace.setSpan(parent, span) };
}

export function markFailed(span, reason) {
  span.setStatus({ code: SpanStatusCode.ERROR, message: reason });
}

function exporting(config, log) {
  if (!config.otlp_endpoint) return [];
  const exporter = new OTLPTraceExporter({ url: `${config.otlp_endpoint}/v1/traces`, timeoutMillis: EXPORT_TIMEOUT_MS });
  return [new BatchSpanProcessor({ exporter: reporting(exporter, log), scheduledDelayMillis: EXPORT_DELAY_MS })];
}

/** The exporter, with failures in the log: the SDK itself keeps them to itself. */
function reporting(exporter, log) {
  let reported_at_ms = -Infinity;
  const report = (error) => {
    if (performance.now() - reported_at_ms < QUIET_MS) return;
    reported_at_ms = performance.now();
    log("warn", "telemetry export failed", { reason: reasonOf(error ?? "no reason was given") });
  };
  return {
    export: (spans, done) =>
      exporter.export(spans, (result) => {
        if (result.code !== ExportResultCode.SUCCESS) report(result.error);
        done(result);
      }),
    forceFlush: () => exporter.forceFlush(),
    shutdown: () => exporter.shutdown(),
  };
}

function pause(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
