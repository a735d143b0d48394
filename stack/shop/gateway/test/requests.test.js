// What the gateway answers, counts, logs and traces when nothing is wrong but the request.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { connect } from "node:net";
import { test } from "node:test";
import { createApp } from "../app.js";
import { Faults } from "../faults.js";
import { createMetrics } from "../metrics.js";
import { startTracing } from "../tracing.js";
import { BROKEN, ORDER, ORDER_ID, listening, refused, sample, send, startGateway, startProcess, until } from "./helpers.js";

const TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736";
const TRACEPARENT = `00-${TRACE_ID}-00f067aa0ba902b7-01`;
const OPEN_METRICS = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3";

test("an order is placed in three steps, within the caller's trace", async (t) => {
  const shop = await startGateway(t);
  const answer = await shop.order(ORDER, { headers: { traceparent: TRACEPARENT, "x-request-id": "abc.1" } });
  assert.equal(answer.status, 201);
  assert.deepEqual(answer.json, { ...ORDER, amount_cents: 900, status: "placed" });
  assert.equal(answer.headers["x-request-id"], "abc.1");
  assert.deepEqual(shop.upstreams.names(), ["GET /products/TEA-001", "POST /payments", "POST /reservations"]);
  const [, pay, reserve] = shop.upstreams.asked;
  assert.equal(pay.headers["idempotency-key"], ORDER_ID);
  assert.deepEqual(pay.body, { amount_cents: 900 });
  assert.deepEqual(reserve.body, { ...ORDER, amount_cents: 900 });
  for (const { headers } of shop.upstreams.asked) {
    assert.equal(headers["user-agent"], "shop-gateway/1.4.0");
    assert.equal(headers["x-request-id"], "abc.1");
    assert.match(headers.traceparent, new RegExp(`^00-${TRACE_ID}-[0-9a-f]{16}-01$`));
  }
});

test("the spans are those of the contract", async (t) => {
  const shop = await startGateway(t);
  await shop.order(ORDER, { headers: { traceparent: TRACEPARENT } });
  const spans = await until(() => shop.spans().length === 7 && shop.spans(), "seven spans");
  const ids = new Map(spans.map((span) => [span.spanContext().spanId, span.name]));
  const shown = spans.map((span) => [span.name, span.kind, ids.get(span.parentSpanContext.spanId), Object.keys(span.attributes).sort()]);
  const client = ["http.request.method", "http.response.status_code", "server.address", "server.port", "url.full"];
  const server = ["http.request.method", "http.response.status_code", "http.route", "url.path", "url.scheme"];
  assert.deepEqual(shown, [
    ["GET", 2, "check_stock", client],
    ["check_stock", 0, "POST /orders", ["shop.quantity", "shop.sku"]],
    ["POST", 2, "pay", client],
    ["pay", 0, "POST /orders", ["shop.amount_cents", "shop.order_id"]],
    ["POST", 2, "reserve", client],
    ["reserve", 0, "POST /orders", ["shop.order_id", "shop.sku"]],
    ["POST /orders", 1, undefined, server],
  ]);
  assert.equal(spans[6].parentSpanContext.spanId, "00f067aa0ba902b7");
  assert.ok(spans.every((span) => span.status.code === 0 && span.spanContext().traceId === TRACE_ID));
  assert.deepEqual(Object.keys(spans[0].resource.attributes).sort(), [
    "deployment.environment.name", "service.name", "service.namespace", "service.version",
  ]);
});

test("spans of what failed carry the type of the error", async (t) => {
  const shop = await startGateway(t, { answers: { "GET /products": [BROKEN, refused(500, "internal_error")] } });
  assert.equal((await shop.ask("GET", "/products")).status, 502);
  const spans = await until(() => shop.spans().length === 3 && shop.spans(), "three spans");
  assert.deepEqual(spans.map((span) => [span.name, span.attributes["error.type"]]), [["GET", "unreachable"], ["GET", "500"], ["GET /products", "502"]]);
});

test("a request is one log line with its ids", async (t) => {
  const shop = await startGateway(t);
  await shop.ask("GET", "/products", { headers: { traceparent: TRACEPARENT } });
  const line = await until(() => shop.logs.find(({ message }) => message === "request"), "the line");
  const { time, span_id, request_id, duration_ms, ...rest } = line;
  assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.match(span_id, /^[0-9a-f]{16}$/);
  assert.match(request_id, /^[0-9a-f-]{36}$/);
  assert.equal(typeof duration_ms, "number");
  assert.deepEqual(rest, {
    level: "info", service: "gateway", version: "1.4.0", message: "request", trace_id: TRACE_ID,
    method: "GET", route: "/products", status: 200,
  });
});

test("reads are passed on", async (t) => {
  const shop = await startGateway(t, { answers: { [`GET /reservations/${TRACE_ID}`]: refused(404, "unknown_order") } });
  assert.equal((await shop.ask("GET", "/products")).json[0].sku, "TEA-001");
  assert.equal((await shop.ask("GET", `/orders/${ORDER_ID}`)).json.state, "reserved");
  const unknown = await shop.ask("GET", "/orders/11111111-2222-3333-4444-555555555555");
  assert.deepEqual([unknown.status, unknown.json.error.code], [404, "unknown_order"]);
});

const json = { "content-type": "application/json" };
const UNFIT = [
  ["no JSON", { body: "{", headers: json }, 400, "invalid_json"],
  ["an empty body", { headers: json }, 400, "invalid_json"],
  ["broken UTF-8", { body: Buffer.from([0x22, 0xff, 0x22]), headers: json }, 400, "invalid_json"],
  ["another type", { body: "a=1", headers: { "content-type": "text/plain" } }, 415, "unsupported_media_type"],
  ["no type", { body: "{}" }, 415, "unsupported_media_type"],
  ["a compressed body", { body: "{}", headers: { ...json, "content-encoding": "gzip" } }, 415, "unsupported_media_type"],
  ["a long body", { body: " ".repeat(17_000), headers: json }, 413, "body_too_large"],
  ["a list", { json: [] }, 400, "invalid_request"],
  ["null", { json: null }, 400, "invalid_request"],
  ["an unknown field", { json: { ...ORDER, price: 1 } }, 400, "invalid_request"],
  ["a field of the prototype", { body: '{"__proto__": 1}', headers: json }, 400, "invalid_request"],
  ["an order id in capitals", { json: { ...ORDER, order_id: ORDER_ID.toUpperCase() } }, 400, "invalid_request"],
  ["a number as product", { json: { ...ORDER, sku: 1 } }, 400, "invalid_request"],
  ["a product in small letters", { json: { ...ORDER, sku: "tea" } }, 400, "invalid_request"],
  ["a product with a line end", { json: { ...ORDER, sku: "TEA\n" } }, 400, "invalid_request"],
  ...[0, 101, 1.5, "1", true, null, -1].map((quantity) => [
    `the quantity ${JSON.stringify(quantity)}`, { json: { ...ORDER, quantity } }, 400, "invalid_request",
  ]),
  ["another simulation", { json: { ...ORDER, simulate: "explode" } }, 400, "invalid_request"],
];
for (const [what, options, status, code] of UNFIT)
  test(`${what} is refused, counted and logged`, async (t) => {
    const shop = await startGateway(t);
    const answer = await shop.ask("POST", "/orders", options);
    assert.deepEqual([answer.status, answer.json.error.code], [status, code]);
    assert.deepEqual(Object.keys(answer.json.error), ["code", "message", "trace_id", "request_id"]);
    assert.equal(shop.upstreams.asked.length, 0);
    const line = await until(() => shop.logs.find(({ message }) => message === "request"), "the line");
    assert.deepEqual([line.level, line.status, line.error], ["warn", status, code]);
    assert.equal(sample(await shop.metrics(), `http_requests_total{method="POST",route="/orders",code="${status}"}`), 1);
  });

for (const [method, path, status, code, label] of [
  ["GET", "/nowhere", 404, "not_found", "GET"],
  ["GET", "/products/", 404, "not_found", "GET"],
  ["DELETE", "/orders", 405, "method_not_allowed", "DELETE"],
  ["OPTIONS", "/products", 405, "method_not_allowed", "OPTIONS"],
  ["PROPFIND", "/products", 405, "method_not_allowed", "_OTHER"],
  ["GET", "/orders/%zz", 400, "invalid_request", "GET"],
])
  test(`${method} ${path} matches no route`, async (t) => {
    const shop = await startGateway(t);
    const answer = await shop.ask(method, path);
    assert.deepEqual([answer.status, answer.json.error.code], [status, code]);
    assert.equal(sample(await shop.metrics(), `http_requests_total{method="${label}",route="unmatched",code="${status}"}`), 1);
  });

test("a long body is not kept in memory", async (t) => {
  const shop = await startProcess(t);
  const resident = async () => sample(await shop.metrics(), "process_resident_memory_bytes");
  const before_bytes = await resident();
  const chunk = Buffer.alloc(1 << 20);
  const socket = connect(new URL(shop.base_url).port, "127.0.0.1");
  let heard = "";
  socket.on("data", (data) => (heard += data));
  socket.write("POST /orders HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (let i = 0; i < 200; i++) {
    socket.write("100000\r\n");
    socket.write(chunk);
    if (!socket.write("\r\n")) await once(socket, "drain");
  }
  assert.ok((await resident()) - before_bytes < 100e6);
  socket.write("0\r\n\r\n");
  await until(() => heard.includes("413"), "the refusal");
  socket.destroy();
});

test("every counter is there at the start", async (t) => {
  const shop = await startGateway(t);
  const text = await shop.metrics();
  for (const series of [
    'http_requests_total{method="GET",route="/products",code="200"}',
    'http_requests_total{method="POST",route="/orders",code="201"}',
    'http_requests_total{method="GET",route="/orders/{order_id}",code="200"}',
    ...["browser", "k6", "shop", "other"].map((client) => `shop_requests_by_client_total{client="${client}"}`),
    ...["payments", "inventory"].flatMap((upstream) =>
      ["first", "retry"].flatMap((attempt) =>
        ["ok", "client_error", "server_error", "timeout", "unreachable"].map(
          (outcome) => `upstream_requests_total{upstream="${upstream}",attempt="${attempt}",outcome="${outcome}"}`,
        ),
      ),
    ),
    "http_requests_in_flight",
  ])
    assert.equal(sample(text, series), 0, series);
  assert.equal(sample(text, 'shop_build_info{version="1.4.0",language="node"}'), 1);
});

test("both formats stay whole when they are asked for in turn and at once", async (t) => {
  const shop = await startGateway(t);
  await shop.ask("GET", "/products", { headers: { traceparent: TRACEPARENT } });
  const texts = await Promise.all([OPEN_METRICS, "text/plain", OPEN_METRICS, "text/plain"].map((accept) => shop.metrics(accept)));
  for (const [i, text] of texts.entries()) {
    assert.equal(sample(text, 'http_requests_total{method="GET",route="/products",code="200"}'), 1);
    assert.equal(text.endsWith("# EOF\n"), i % 2 === 0);
    assert.equal(/ # \{trace_id="4bf92f3577b34da6a3ce929d0e0e4736"\}/.test(text), i % 2 === 0);
    assert.ok(text.includes(i % 2 ? "# TYPE http_requests_total counter" : "# TYPE http_requests counter"));
  }
});

test("what is not sampled leaves no exemplar", async (t) => {
  const shop = await startGateway(t);
  await shop.ask("GET", "/products", { headers: { traceparent: TRACEPARENT.replace(/01$/, "00") } });
  assert.doesNotMatch(await shop.metrics(OPEN_METRICS), /# \{trace_id/);
});

test("health, scrapes and switches leave no trace", async (t) => {
  const shop = await startGateway(t);
  assert.deepEqual((await shop.ask("GET", "/healthz")).json, { status: "ok" });
  assert.equal((await shop.ask("POST", "/healthz")).status, 405);
  assert.equal((await shop.ask("GET", "/lab/nothing")).status, 404);
  await shop.lab("GET");
  await shop.metrics();
  assert.deepEqual(shop.logs.map(({ message }) => message), ["listening"]);
  assert.equal(shop.spans().length, 0);
  assert.doesNotMatch(await shop.metrics(), /unmatched|healthz|\/lab/);
});

test("clients are told apart by their User-Agent", async (t) => {
  const shop = await startGateway(t);
  for (const agent of ["k6/2.2", "Mozilla/5.0", "shop-frontend/1.4.0", "curl/8", undefined])
    await shop.ask("GET", "/products", { headers: agent && { "user-agent": agent } });
  const text = await shop.metrics();
  const counts = ["k6", "browser", "shop", "other"].map((client) => sample(text, `shop_requests_by_client_total{client="${client}"}`));
  assert.deepEqual(counts, [1, 1, 1, 2]);
});

test("a request id that does not fit is replaced", async (t) => {
  const shop = await startGateway(t);
  const answer = await shop.ask("GET", "/products", { headers: { "x-request-id": "no spaces" } });
  assert.match(answer.headers["x-request-id"], /^[0-9a-f-]{36}$/);
});

test("what nobody expected is logged once and not told", async (t) => {
  const lines = [];
  const log = (level, message, fields) => lines.push({ level, message, ...fields });
  const config = { version: "1.4.0", token: "" };
  const orders = {
    listProducts: async () => {
      throw new TypeError("the secret reason");
    },
  };
  const { tracer } = startTracing(config, log, []);
  const server = createServer(createApp({ config, log, orders, tracer, metrics: createMetrics(), faults: new Faults({}) }));
  t.after(() => server.close());
  const answer = await send(await listening(server), "GET", "/products");
  assert.equal(answer.status, 500);
  const { trace_id, request_id, ...rest } = answer.json.error;
  assert.deepEqual(rest, { code: "internal_error", message: "Something went wrong here. Quote the trace id." });
  await until(() => lines.length === 2, "two lines");
  assert.deepEqual(lines.map(({ message }) => message), ["unexpected error", "request"]);
  assert.deepEqual([lines[0].reason, lines[0].trace_id, lines[0].request_id], ["TypeError: the secret reason", trace_id, request_id]);
});

/** Sends bytes as they are: {status, type, json} of the only answer. */
async function say(shop, bytes) {
  const socket = connect(new URL(shop.base_url).port, "127.0.0.1");
  socket.on("error", () => {});
  socket.write(bytes);
  const said = Buffer.concat(await Array.fromAsync(socket)).toString();
  assert.equal(said.match(/HTTP\/1\.1 \d/g)?.length, 1, said);
  const [head, body] = said.split("\r\n\r\n");
  return { status: Number(head.split(" ")[1]), type: /^content-type: (.*)$/im.exec(head)?.[1], json: body && JSON.parse(body) };
}

const START = "GET /products HTTP/1.1\r\nHost: x\r\nConnection: close\r\n";
for (const [what, bytes, status] of [
  ["a path without an end", `GET /${"a".repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`, 431],
  ["a header without an end", `${START}X-A: ${"a".repeat(20_000)}\r\n\r\n`, 431],
  ["a method of no protocol", "BREW /coffee HTTP/1.1\r\nHost: x\r\n\r\n", 400],
  ["a method in small letters", "get /products HTTP/1.1\r\nHost: x\r\n\r\n", 400],
  ["a way to somewhere else", "CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n", 400],
  ["a version to come", "GET / HTTP/9.9\r\nHost: x\r\n\r\n", 400],
  ["another protocol", Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 13, 10, 13, 10]), 400],
  ["a line end in a header", `${START}X-Request-Id: a\rSet-Cookie: x=1\r\n\r\n`, 400],
  ["a length below nothing", `${START}Content-Length: -1\r\n\r\n`, 400],
])
  test(`${what} is no request: refused in JSON, counted and logged once`, async (t) => {
    const shop = await startGateway(t);
    const answer = await say(shop, bytes);
    assert.deepEqual([answer.status, answer.type], [status, "application/json"]);
    const { code, trace_id, request_id } = answer.json.error;
    const [line, ...more] = shop.logs.filter(({ message }) => message === "request");
    assert.deepEqual([line.level, line.status, line.error, line.trace_id, line.request_id], ["warn", status, code, trace_id, request_id]);
    assert.deepEqual(more, []);
    const text = await shop.metrics();
    assert.equal(sample(text, `http_requests_total{method="_OTHER",route="unmatched",code="${status}"}`), 1);
    assert.equal(sample(text, "http_requests_in_flight"), 0);
    assert.equal(shop.spans()[0].name, "HTTP");
  });

test("chunks that are none are answered in JSON and counted with their request, once", async (t) => {
  const shop = await startGateway(t);
  const head = "POST /orders HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
  const answer = await say(shop, `${head}zz\r\n{}\r\n0\r\n\r\n`);
  assert.deepEqual([answer.status, answer.json.error.code], [400, "invalid_request"]);
  const lines = await until(() => shop.logs.filter(({ message }) => message === "request"), "the line");
  assert.deepEqual(lines.map(({ route, status, request_id }) => [route, status, request_id]), [["/orders", 400, answer.json.error.request_id]]);
  assert.doesNotMatch(await shop.metrics(), /route="unmatched"/);
});

for (const [what, bytes, status] of [
  ["no host", "GET /products HTTP/1.1\r\nConnection: close\r\n\r\n", 400],
  ["an expectation nobody meets", `${START}Expect: 200-ok\r\n\r\n`, 417],
])
  test(`${what} is refused in JSON, counted and logged`, async (t) => {
    const shop = await startGateway(t);
    const answer = await say(shop, bytes);
    assert.deepEqual([answer.status, answer.json.error.code], [status, "invalid_request"]);
    const line = await until(() => shop.logs.find(({ message }) => message === "request"), "the line");
    assert.deepEqual([line.route, line.status, line.error], ["unmatched", status, "invalid_request"]);
    assert.equal(sample(await shop.metrics(), `http_requests_total{method="GET",route="unmatched",code="${status}"}`), 1);
  });

test("a request with something behind it that is none is counted and logged as it was answered", async (t) => {
  const shop = await startGateway(t);
  const answer = await say(shop, "GET /products HTTP/1.1\r\nHost: x\r\n\r\nBREW /coffee\r\n\r\n");
  assert.deepEqual([answer.status, answer.json.error.code], [400, "invalid_request"]);
  const line = await until(() => shop.logs.find(({ message }) => message === "request"), "the line");
  assert.deepEqual([line.route, line.status, line.error], ["/products", 400, "invalid_request"]);
  assert.equal(sample(await shop.metrics(), 'http_requests_total{method="GET",route="/products",code="400"}'), 1);
});

test("a connection that says nothing is no request, whether it is reset or waits until it is closed", async (t) => {
  const shop = await startGateway(t);
  const [reset, silent] = [0, 1].map(() => connect(new URL(shop.base_url).port, "127.0.0.1").on("error", () => {}));
  await once(reset, "connect");
  reset.resetAndDestroy();
  silent.resume();
  await once(silent, "close");
  await shop.ask("GET", "/products");
  assert.doesNotMatch(await shop.metrics(), /route="unmatched"/);
});
