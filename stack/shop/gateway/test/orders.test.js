// Orders that do not go well: who gets which answer, and where the money is.

import assert from "node:assert/strict";
import { request as httpRequest } from "node:http";
import { test } from "node:test";
import { BROKEN, GOOD, ORDER, ORDER_ID, SILENT, refused, sample, startGateway, until } from "./helpers.js";

const VOID = `POST /payments/${ORDER_ID}/void`;
const CANCEL = `POST /reservations/${ORDER_ID}/cancel`;
const down = { status: 503, body: {} };

const messages = (shop) => shop.logs.map(({ message }) => message).filter((message) => !["listening", "request"].includes(message));
const statuses = (shop) => Object.fromEntries(shop.spans().map((span) => [span.name, span.status.code]));

for (const [what, answers, status, code, asked] of [
  ["an unknown product", { "GET /products/TEA-001": refused(404, "unknown_product") }, 404, "unknown_product", 1],
  ["too few in stock", { "GET /products/TEA-001": { status: 200, body: { price_cents: 1, stock: 1 } } }, 409, "out_of_stock", 1],
  ["a declined card", { "POST /payments": refused(402, "card_declined") }, 402, "card_declined", 2],
  ["a voided payment", { "POST /payments": refused(409, "payment_voided") }, 409, "payment_voided", 2],
  ["an order with other contents", { "POST /reservations": refused(409, "order_differs") }, 409, "order_differs", 3],
])
  test(`${what}: the caller is told, nothing is taken back, no span has failed`, async (t) => {
    const shop = await startGateway(t, { answers });
    const answer = await shop.order();
    assert.deepEqual([answer.status, answer.json.error.code], [status, code]);
    assert.equal(shop.upstreams.asked.length, asked);
    assert.deepEqual(messages(shop), []);
    await until(() => shop.spans().some(({ name }) => name === "POST /orders"), "the server span");
    assert.ok(Object.values(statuses(shop)).every((span_status) => span_status === 0));
  });

test("somebody was faster: the payment is voided", async (t) => {
  const shop = await startGateway(t, { answers: { "POST /reservations": refused(409, "out_of_stock") } });
  const answer = await shop.order();
  assert.deepEqual([answer.status, answer.json.error.code], [409, "out_of_stock"]);
  assert.equal(shop.upstreams.names().at(-1), VOID);
  const line = shop.logs.find(({ message }) => message === "payment voided");
  assert.deepEqual([line.order_id, line.reason], [ORDER_ID, "inventory answered out_of_stock"]);
});

test("a call that fails once is made again, with its own span and count", async (t) => {
  const shop = await startGateway(t, { answers: { "POST /payments": [BROKEN, GOOD["POST /payments"]] } });
  assert.equal((await shop.order()).status, 201);
  const text = await shop.metrics();
  const count = (attempt, outcome) => sample(text, `upstream_requests_total{upstream="payments",attempt="${attempt}",outcome="${outcome}"}`);
  assert.deepEqual([count("first", "unreachable"), count("retry", "ok")], [1, 1]);
  assert.equal(sample(text, 'upstream_request_duration_seconds_count{upstream="payments"}'), 2);
  const line = shop.logs.find(({ message }) => message === "upstream call failed");
  assert.deepEqual([line.level, line.upstream, line.attempt], ["warn", "payments", 1]);
  const tries = shop.spans().filter(({ name, attributes }) => name === "POST" && attributes["url.full"].endsWith("/payments"));
  assert.deepEqual(tries.map(({ attributes }) => attributes["http.request.resend_count"]), [undefined, 1]);
  assert.deepEqual(tries.map(({ status }) => status.code), [2, 0]);
  assert.equal(line.span_id, tries[0].spanContext().spanId);
});

test("what may not help is not repeated", async (t) => {
  for (const answer of [{ status: 501, body: {} }, { status: 200, text: "<html>" }, { status: 200, text: `"${"x".repeat(1 << 21)}"` }]) {
    const shop = await startGateway(t, { answers: { "GET /products": answer } });
    const got = await shop.ask("GET", "/products");
    assert.deepEqual([got.status, got.json.error.code], [502, "upstream_failed"]);
    assert.equal(shop.upstreams.asked.length, 1);
  }
});

test("inventory that does not answer in time is a 504", async (t) => {
  const shop = await startGateway(t, { answers: { "GET /products/TEA-001": SILENT } });
  const answer = await shop.order();
  assert.deepEqual([answer.status, answer.json.error.code], [504, "upstream_timeout"]);
  assert.deepEqual(answer.json.error.details, { order_id: ORDER_ID, state: "not placed" });
  assert.equal(shop.upstreams.asked.length, 2);
  assert.equal(sample(await shop.metrics(), 'upstream_requests_total{upstream="inventory",attempt="retry",outcome="timeout"}'), 1);
  await until(() => statuses(shop)["POST /orders"], "the server span");
  assert.deepEqual(statuses(shop), { GET: 2, check_stock: 2, "POST /orders": 2 });
});

test("inventory that nobody can reach is a 502", async (t) => {
  const shop = await startGateway(t, { config: { inventory_url: "http://127.0.0.1:1" } });
  const answer = await shop.ask("GET", "/products");
  assert.deepEqual([answer.status, answer.json.error.code, answer.json.error.details], [502, "upstream_failed", undefined]);
  assert.doesNotMatch(answer.text, /ECONN/);
});

test("a refusal that is about our own call is not blamed on the caller", async (t) => {
  const shop = await startGateway(t, { answers: { "POST /payments": refused(400, "invalid_request") } });
  assert.deepEqual((await shop.order()).status, 502);
});

for (const failure of [down, BROKEN, { status: 500, body: {} }])
  test(`a payment that stays unknown is voided (${JSON.stringify(failure)})`, async (t) => {
    const shop = await startGateway(t, { answers: { "POST /payments": failure } });
    const answer = await shop.order();
    assert.deepEqual([answer.status, answer.json.error.code], [502, "upstream_failed"]);
    assert.deepEqual(answer.json.error.details, { order_id: ORDER_ID, state: "not placed" });
    const line = await until(() => shop.logs.find(({ message }) => message === "payment voided"), "the void");
    assert.equal(line.trace_id, answer.json.error.trace_id);
    assert.ok(!shop.upstreams.names().includes("POST /reservations"));
  });

test("a payment that cannot be voided either is reported", async (t) => {
  const shop = await startGateway(t, { answers: { "POST /payments": down, [VOID]: refused(409, "payment_captured") } });
  await shop.order();
  const line = await until(() => shop.logs.find(({ message }) => message === "payment not voided"), "the report");
  assert.equal(line.level, "error");
  assert.match(line.reason, /payment_captured/);
});

test("a reservation that stays unknown is cancelled, then the payment is voided", async (t) => {
  const shop = await startGateway(t, { answers: { "POST /reservations": down } });
  const answer = await shop.order();
  assert.deepEqual([answer.status, answer.json.error.details.state], [502, "not placed"]);
  assert.deepEqual(shop.upstreams.names().slice(-2), [CANCEL, VOID]);
  assert.deepEqual(messages(shop).slice(-2), ["reservation cancelled", "payment voided"]);
});

test("a reservation that was confirmed after all is an order", async (t) => {
  const shop = await startGateway(t, { answers: { "POST /reservations": down, [CANCEL]: refused(409, "already_confirmed") } });
  const answer = await shop.order();
  assert.deepEqual([answer.status, answer.json.status], [201, "placed"]);
  assert.ok(!shop.upstreams.names().includes(VOID));
});

for (const failure of [BROKEN, refused(404, "not_found")])
  test(`a reservation that nobody knows about keeps its money (${JSON.stringify(failure)})`, async (t) => {
    const shop = await startGateway(t, { answers: { "POST /reservations": BROKEN, [CANCEL]: failure } });
    const answer = await shop.order();
    assert.deepEqual([answer.status, answer.json.error.code], [504, "upstream_timeout"]);
    assert.deepEqual(answer.json.error.details, { order_id: ORDER_ID, state: "unknown" });
    assert.equal(messages(shop).at(-1), "reservation state unknown");
    assert.ok(!shop.upstreams.names().includes(VOID));
  });

test("an order that is placed is never voided when it is asked for again", async (t) => {
  const shop = await startGateway(t);
  assert.equal((await shop.order()).status, 201);
  shop.upstreams.script["GET /products/TEA-001"] = { status: 200, body: { price_cents: 450, stock: 0 } };
  assert.equal((await shop.order()).status, 201);
  shop.upstreams.script["POST /payments"] = down;
  const answer = await shop.order();
  assert.deepEqual([answer.status, answer.json.error.details.state], [502, "unknown"]);
  assert.ok(!shop.upstreams.names().includes(VOID));
});

test("the same order asked for twice at once is worked on once", async (t) => {
  const shop = await startGateway(t, { answers: { "GET /products/TEA-001": [BROKEN, GOOD["GET /products/TEA-001"]] } });
  const both = [shop.order(), shop.order()];
  await until(() => shop.upstreams.asked.length, "the first call");
  const differs = await shop.order({ ...ORDER, quantity: 3 });
  assert.deepEqual([differs.status, differs.json.error.code], [409, "order_differs"]);
  assert.deepEqual((await Promise.all(both)).map(({ status }) => status), [201, 201]);
  assert.equal(shop.upstreams.names().filter((name) => name === "POST /payments").length, 1);
});

test("an order is worked to its end when the caller hangs up", async (t) => {
  const shop = await startGateway(t, { answers: { "GET /products/TEA-001": [SILENT, GOOD["GET /products/TEA-001"]] } });
  const call = httpRequest(`${shop.base_url}/orders`, { method: "POST", headers: { "content-type": "application/json" } });
  call.on("error", () => {});
  call.end(JSON.stringify(ORDER));
  await until(() => shop.upstreams.asked.length, "the first call");
  call.destroy();
  const line = await until(() => shop.logs.find(({ message }) => message === "request"), "the order's end");
  assert.equal(line.status, 201);
  assert.ok(shop.upstreams.names().includes("POST /reservations"));
  assert.equal(sample(await shop.metrics(), "http_requests_in_flight"), 0);
});

test("a simulation reaches payments", async (t) => {
  const shop = await startGateway(t);
  await shop.order({ ...ORDER, simulate: "slow" });
  assert.deepEqual(shop.upstreams.asked[1].body, { amount_cents: 900, simulate: "slow" });
});
