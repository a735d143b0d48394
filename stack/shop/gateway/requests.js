// What surrounds every request: ids, span, counts, log line, and the answer itself.

import { randomUUID } from "node:crypto";
import { TraceFlags } from "@opentelemetry/api";
import { clientOf } from "./metrics.js";
import { reasonOf } from "./logs.js";
import { internal, problemBody, problemOf } from "./problems.js";
import { SpanKind, callersContext, markFailed, openSpan } from "./tracing.js";

const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];
const REQUEST_ID = /^[A-Za-z0-9._-]{1,64}$/;
const UNMATCHED = "unmatched";

/** A function log(level, message, fields) that adds the ids of the request, with `span` as the one that wrote the line. */
export function logInside(log, span, request_id) {
  const { traceId: trace_id, spanId: span_id } = span.spanContext();
  return (level, message, fields) => log(level, message, { trace_id, span_id, request_id, ...fields });
}

export function requestIdOf(request) {
  const given = request.headers["x-request-id"] ?? "";
  return REQUEST_ID.test(given) ? given : randomUUID();
}

/** Middleware for everything that is watched. It leaves the request's scope in `response.locals.scope`. */
export function watch({ tracer, log, metrics, faults }) {
  return (request, response, next) => {
    const started_ms = performance.now();
    const method = METHODS.includes(request.method) ? request.method : "_OTHER";
    const attributes = { "http.request.method": method, "url.path": request.path, "url.scheme": "http" };
    const name = method === "_OTHER" ? "HTTP" : method;
    const { span, context } = openSpan(tracer, callersContext(request.headers), name, SpanKind.SERVER, attributes);
    const request_id = requestIdOf(request);
    const scope = { tracer, span, context, request_id, route: UNMATCHED, baseLog: log, log: logInside(log, span, request_id) };
    const client = () => faults.clientLabel(clientOf(request.headers["user-agent"]));
    Object.assign(response.locals, { scope, request_id, log: scope.log, trace_id: span.spanContext().traceId });
    metrics.inFlight.inc();
    whenAnswered(response, () => leave({ metrics, scope, method, client, started_ms, response }));
    next();
  };
}

/**
 * Calls `done` once, when the answer has left, or, when the caller has hung up, when the work for it is finished:
 * `send` tells so by response.locals.leave.
 */
function whenAnswered(response, done) {
  let left = false;
  const leaveOnce = () => {
    if (left) return;
    left = true;
    done();
  };
  response.locals.leave = leaveOnce;
  response.on("finish", leaveOnce);
  response.on("close", () => response.writableEnded && leaveOnce());
}

function leave({ metrics, scope, method, client, started_ms, response }) {
  const duration_ms = performance.now() - started_ms;
  const { span, route } = scope;
  const status = response.statusCode;
  const labels = { method, route, code: status };
  const exemplarLabels = exemplarOf(span);
  metrics.inFlight.dec();
  metrics.requests.inc({ labels, exemplarLabels });
  metrics.requestSeconds.observe({ labels, value: duration_ms / 1000, exemplarLabels });
  metrics.byClient.inc({ client: client() }); // asked now: a fault may have ended since the request came
  const error = response.locals.error;
  span.setAttribute("http.response.status_code", status);
  if (status >= 500) markFailed(span, error);
  const level = status >= 500 ? "error" : status >= 400 ? "warn" : "info";
  scope.log(level, "request", { method, route, status, duration_ms: Math.round(duration_ms * 10) / 10, ...(error && { error }) });
  span.end();
}

/** Nobody could look up a trace that is not sampled. */
function exemplarOf(span) {
  const { traceId, traceFlags } = span.spanContext();
  return traceFlags & TraceFlags.SAMPLED ? { trace_id: traceId } : undefined;
}

/** Middleware of a matched route. */
export function onRoute(route) {
  return (request, response, next) => {
    const { scope } = response.locals;
    scope.route = route;
    scope.span.setAttribute("http.route", route);
    scope.span.updateName(`${request.method} ${route}`);
    next();
  };
}

/** Answers with `body` as JSON. */
export function send(response, status, body) {
  const bytes = Buffer.from(JSON.stringify(body));
  response.statusCode = status;
  response.setHeader("Content-Type", "application/json");
  response.setHeader("Content-Length", bytes.length);
  response.setHeader("X-Request-Id", response.locals.request_id);
  response.end(bytes);
  if (response.destroyed) response.locals.leave?.();
}

/** Express error handler: an error becomes an answer; what nobody expected is logged, once, and told to nobody else. */
export function answerError(log) {
  return (error, request, response, next) => {
    let problem = problemOf(error);
    if (!problem) {
      (response.locals.log ?? log)("error", "unexpected error", { reason: reasonOf(error) });
      problem = internal();
    }
    if (response.headersSent) return next(error);
    const { request_id, trace_id } = response.locals;
    response.locals.error = problem.code;
    if (problem.allow) response.setHeader("Allow", problem.allow);
    send(response, problem.status, problemBody(problem, { ...(trace_id && { trace_id }), request_id }));
  };
}
