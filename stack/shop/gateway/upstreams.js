// Calls of other services: time-outs, retries, one span and one count a try.

import { Agent, request as httpRequest } from "node:http";
import { SERVICE } from "./config.js";
import { reasonOf } from "./logs.js";
import { logInside } from "./requests.js";
import { SpanKind, markFailed, openSpan, passOn } from "./tracing.js";

const TRIES = 2;
const PAUSE_MS = 100;
const BODY_BYTES = 1 << 20; // no answer of a service is longer
const IDLE_SOCKET_MS = 30_000; // shorter than the services keep one open, so a call seldom meets one that is being closed
const RETRIED_STATUS = [500, 502, 503, 504];

/**
 * What another service said.
 *   {known: true, status, body}              it answered, with a JSON body
 *   {known: false, outcome, status, reason}  nobody can know what happened there
 */
export class Upstream {
  constructor(name, base_url, { metrics, version }) {
    this.name = name;
    this.base_url = base_url.replace(/\/+$/, "");
    this.metrics = metrics;
    this.version = version;
    this.agent = new Agent({ keepAlive: true, timeout: IDLE_SOCKET_MS, maxFreeSockets: 64 });
  }

  /** Asks, and once more when the answer is unknown: every call here may be repeated. `timeout_ms` is for each try. */
  async call(scope, { method, path, timeout_ms, body, headers }) {
    const url = new URL(this.base_url + path);
    for (let attempt = 1; ; attempt++) {
      const answer = await this.#try(scope, { method, url, timeout_ms, body, headers, attempt });
      if (answer.known || !answer.again || attempt === TRIES) return answer;
      await pause(PAUSE_MS * (1 + Math.random())); // jitter: callers must not come back all at once
    }
  }

  async #try(scope, { method, url, timeout_ms, body, headers, attempt }) {
    const attributes = {
      "http.request.method": method,
      "url.full": url.href,
      "server.address": url.hostname.replace(/^\[|\]$/g, ""),
      "server.port": Number(url.port || 80),
      ...(attempt > 1 && { "http.request.resend_count": attempt - 1 }),
    };
    const { span, context } = openSpan(scope.tracer, scope.context, method, SpanKind.CLIENT, attributes);
    const sent = { ...headers, "x-request-id": scope.request_id, "user-agent": `shop-${SERVICE}/${this.version()}` };
    passOn(context, sent);
    const started_ms = performance.now();
    const answer = judge(await ask({ agent: this.agent, method, url, timeout_ms, body, headers: sent }));
    this.metrics.upstreamSeconds.observe({ upstream: this.name }, (performance.now() - started_ms) / 1000);
    this.metrics.upstreamCalls.inc({ upstream: this.name, attempt: attempt > 1 ? "retry" : "first", outcome: answer.outcome });
    this.#close(scope, span, answer, attempt);
    return answer;
  }

  #close(scope, span, answer, attempt) {
    if (answer.status) span.setAttribute("http.response.status_code", answer.status);
    if (!answer.known) {
      markFailed(span, answer.reason);
      span.setAttribute("error.type", answer.status >= 400 ? String(answer.status) : answer.outcome);
      const log = logInside(scope.baseLog, span, scope.request_id);
      log("warn", "upstream call failed", { upstream: this.name, attempt, reason: answer.reason });
    }
    span.end();
  }

  close() {
    this.agent.destroy();
  }
}

/** One HTTP request: {status, bytes}, or {status?, failure, reason} when there is no whole answer. It never throws. */
function ask({ agent, method, url, timeout_ms, body, headers }) {
  return new Promise((resolve) => {
    const payload = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    const content = payload && { "content-type": "application/json", "content-length": payload.length };
    const call = httpRequest(url, { agent, method, headers: { ...headers, ...content } });
    let status;
    const settle = (result) => {
      clearTimeout(timer);
      resolve({ status, ...result });
      if (result.failure) call.destroy();
    };
    const timer = setTimeout(() => settle({ failure: "timeout", reason: `no answer within ${timeout_ms / 1000} s` }), timeout_ms);
    const broken = (error) => settle({ failure: "unreachable", reason: reasonOf(error.message || error.code || error) });
    call.on("error", broken);
    call.on("response", (response) => {
      status = response.statusCode;
      collect(response, settle, broken);
    });
    call.end(payload);
  });
}

function collect(response, settle, broken) {
  const chunks = [];
  let bytes = 0;
  response.on("data", (chunk) => {
    bytes += chunk.length;
    if (bytes > BODY_BYTES) return settle({ failure: "server_error", reason: "the answer is longer than 1 MiB" });
    chunks.push(chunk);
  });
  response.on("end", () => settle({ bytes: Buffer.concat(chunks) }));
  response.on("error", broken);
}

/** What an HTTP answer, or the lack of one, means. */
function judge({ status, bytes, failure, reason }) {
  if (failure) return { known: false, outcome: failure, status, reason, again: failure !== "server_error" };
  if (status >= 500)
    return { known: false, outcome: "server_error", status, reason: `answered ${status}`, again: RETRIED_STATUS.includes(status) };
  try {
    return { known: true, outcome: status >= 400 ? "client_error" : "ok", status, body: JSON.parse(bytes.toString("utf8")) };
  } catch {
    return { known: false, outcome: "server_error", status, reason: `answered ${status} with something that is no JSON` };
  }
}

function pause(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
