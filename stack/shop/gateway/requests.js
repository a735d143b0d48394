// What surrounds every request: ids, span, counts, log line, and the answer itself.

import { randomUUID } from "node:crypto";
import { STATUS_CODES } from "node:http";
import { TraceFlags } from "@opentelemetry/api";
import { clientOf } from "./metrics.js";
import { reasonOf } from "./logs.js";
import { Problem, internal, problemBody, problemOf } from "./problems.js";
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

const UNREAD = {
  HPE_HEADER_OVERFLOW: new Problem(431, "headers_too_large", "The address or the headers are too long."),
  ERR_HTTP_REQUEST_TIMEOUT: new Problem(408, "request_timeout", "The request did not arrive in time."),
};
const NO_REQUEST = new Problem(400, "invalid_request", "This is no request that can be read.");

/**
 * Has `server` answer bytes that are no request, and count, log and trace them like one without a route. When they come while
 * a request is being worked on, they are answered at most: that request is counted.
 */
export function refuseUnread(server, { tracer, log, metrics, faults }) {
  const last = new WeakMap(); // socket -> the answer to the last request that came by it
  server.prependListener("request", (request, response) => last.set(request.socket, response));
  server.on("connect", (request, socket) => refuse(new Error("this is no proxy"), socket));
  server.on("clientError", refuse);

  function refuse(error, socket) {
    const response = last.get(socket);
    const goes_on = response && !(response.req.complete && response.writableFinished);
    // After an answer that was announced as the last, from somebody who has gone, or from somebody who has never said anything.
    const nothing = ["HPE_CLOSED_CONNECTION", "ECONNRESET"].includes(error.code) || socket.bytesRead === 0;
    if (socket.writable && !nothing && !(goes_on && response.headersSent)) {
      const problem = UNREAD[error.code] ?? NO_REQUEST;
      if (goes_on) response.locals.unread = problem; // what is answered is what is counted
      const ids = goes_on ? response.locals : countUnread(problem);
      const bytes = Buffer.from(JSON.stringify(problemBody(problem, { trace_id: ids.trace_id, request_id: ids.request_id })));
      const head = [`HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`, "Connection: close", "Content-Type: application/json"];
      socket.write(`${head.join("\r\n")}\r\nContent-Length: ${bytes.length}\r\n\r\n${bytes}`);
    }
    socket.destroy();
  }

  function countUnread({ status, code }) {
    const attributes = { "http.request.method": "_OTHER", "url.scheme": "http" };
    const { span } = openSpan(tracer, callersContext({}), "HTTP", SpanKind.SERVER, attributes);
    const request_id = randomUUID();
    const scope = { span, route: UNMATCHED, log: logInside(log, span, request_id) };
    const client = () => faults.clientLabel(clientOf());
    metrics.inFlight.inc();
    const response = { statusCode: status, locals: { error: code } };
    leave({ metrics, scope, method: "_OTHER", client, started_ms: performance.now(), response });
    return { trace_id: span.spanContext().traceId, request_id };
  }
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
  const { unread, error: named } = response.locals;
  const [status, error] = unread ? [unread.status, unread.code] : [response.statusCode, named];
  const labels = { method, route, code: status };
  const exemplarLabels = exemplarOf(span);
  metrics.inFlight.dec();
  metrics.requests.inc({ labels, exemplarLabels });
  metrics.requestSeconds.observe({ labels, value: duration_ms / 1000, exemplarLabels });
  metrics.byClient.inc({ client: client() }); // asked now: a fault may have ended since the request came
  span.setAttribute("http.response.status_code", status);
  if (status >= 500) {
    markFailed(span, error);
    span.setAttribute("error.type", String(status));
  }
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
