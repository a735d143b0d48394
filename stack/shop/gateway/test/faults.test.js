// The switches: who may use them, what each one breaks, and that it ends.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ORDER_ID, TOKEN, sample, startGateway, startProcess, until } from "./helpers.js";

const NAMES = "slow, errors, crash, leak, burn, clock_skew, cardinality, bad_deploy";
const faultLines = (shop) => shop.logs.filter(({ fault }) => fault).map(({ message, fault }) => `${fault}: ${message}`);

test("without the token nobody may switch", async (t) => {
  const shop = await startGateway(t);
  for (const authorization of [undefined, "", "Bearer", "Bearer wrong", TOKEN, `Basic ${TOKEN}`])
    for (const method of ["GET", "POST", "DELETE"]) {
      const answer = await shop.ask(method, "/lab/faults", { json: { name: "errors" }, headers: authorization ? { authorization } : {} });
      assert.deepEqual([answer.status, answer.json.error.code], [401, "unauthorized"]);
    }
  assert.deepEqual((await shop.lab("GET")).json, []);
});

test("a service that was given no token has no key", async (t) => {
  const shop = await startGateway(t, { config: { token: "" } });
  for (const authorization of ["Bearer ", "Bearer", "Bearer undefined"])
    assert.equal((await shop.ask("GET", "/lab/faults", { headers: { authorization } })).status, 401);
});

for (const [json, told] of [
  [{}, "A switch looks like"],
  [[], "A switch looks like"],
  [null, "A switch looks like"],
  [{ name: "fire" }, `Known: ${NAMES}.`],
  [{ name: "toString" }, `Known: ${NAMES}.`],
  [{ name: "slow", speed: 1 }, "It takes: seconds, share, lasting."],
  [{ name: "slow", seconds: 61 }, "seconds is a number from 0.001 to 60."],
  [{ name: "slow", seconds: "1" }, "seconds is a number from 0.001 to 60."],
  [{ name: "errors", share: true }, "share is a number from 0 to 1."],
  [{ name: "errors", lasting: 0 }, "lasting is a number from 1 to 3600."],
  [{ name: "leak", megabytes_per_second: 51 }, "megabytes_per_second is a number from 1 to 50."],
  [{ name: "clock_skew", seconds: -86401 }, "seconds is a number from -86400 to 86400."],
  [{ name: "crash", point: "now" }, "point is one of: after_payment."],
])
  test(`the switch ${JSON.stringify(json)} is refused with a sentence that helps`, async (t) => {
    const shop = await startGateway(t);
    const answer = await shop.lab("POST", json);
    assert.deepEqual([answer.status, answer.json.error.code], [400, "invalid_request"]);
    assert.ok(answer.json.error.message.includes(told), answer.json.error.message);
    assert.deepEqual((await shop.lab("GET")).json, []);
  });

test("a switch must be JSON, and other methods are refused", async (t) => {
  const shop = await startGateway(t);
  const headers = { authorization: `Bearer ${TOKEN}` };
  assert.equal((await shop.ask("POST", "/lab/faults", { body: "name=slow", headers })).status, 415);
  assert.equal((await shop.lab("PUT", {})).status, 405);
});

test("faults are listed, replaced and ended", async (t) => {
  const shop = await startGateway(t);
  await shop.lab("POST", { name: "slow", seconds: 0.01, share: 0.5, lasting: 100 });
  await shop.lab("POST", { name: "clock_skew", seconds: 5 });
  const [skew, slow, ...others] = (await shop.lab("POST", { name: "slow", seconds: 2, lasting: 200 })).json;
  assert.equal(others.length, 0);
  assert.deepEqual({ ...slow, ends_in_seconds: 0 }, { name: "slow", seconds: 2, share: 1, ends_in_seconds: 0 });
  assert.ok(slow.ends_in_seconds > 190 && slow.ends_in_seconds <= 200);
  assert.ok(skew.ends_in_seconds > 50 && skew.ends_in_seconds <= 60);
  assert.deepEqual((await shop.lab("DELETE")).json, []);
  assert.deepEqual(faultLines(shop), [
    "slow: fault switched on", "clock_skew: fault switched on", "slow: fault switched on", "clock_skew: fault ended", "slow: fault ended",
  ]);
});

test("a fault ends by itself", async (t) => {
  const shop = await startGateway(t);
  await shop.lab("POST", { name: "errors", lasting: 1 });
  assert.equal((await shop.ask("GET", "/products")).status, 500);
  await until(() => faultLines(shop).includes("errors: fault ended"), "the end");
  assert.equal((await shop.ask("GET", "/products")).status, 200);
  assert.deepEqual((await shop.lab("GET")).json, []);
});

test("slow: requests wait inside their span, health and scrapes do not", async (t) => {
  const shop = await startGateway(t);
  await shop.lab("POST", { name: "slow", seconds: 0.3 });
  const started_ms = performance.now();
  await shop.ask("GET", "/healthz");
  await shop.metrics();
  assert.ok(performance.now() - started_ms < 300);
  await shop.ask("GET", "/products");
  const line = await until(() => shop.logs.find(({ message }) => message === "request"), "the line");
  assert.ok(line.duration_ms >= 300);
  const span = shop.spans().find(({ name }) => name === "GET /products");
  assert.deepEqual(span.events.map(({ name }) => name), ["fault.slow"]);
});

test("errors: the caller learns the trace id, and nothing else", async (t) => {
  const shop = await startGateway(t);
  await shop.lab("POST", { name: "errors" });
  const answer = await shop.ask("GET", "/products");
  assert.equal(answer.status, 500);
  assert.equal(answer.json.error.message, "Something went wrong here. Quote the trace id.");
  const line = await until(() => shop.logs.find(({ message }) => message === "request"), "the line");
  assert.deepEqual([line.level, line.error, line.trace_id], ["error", "internal_error", answer.json.error.trace_id]);
  assert.equal(shop.spans().at(-1).status.code, 2);
  assert.equal(shop.upstreams.asked.length, 0);
});

test("a share is a share", async (t) => {
  const shop = await startGateway(t);
  await shop.lab("POST", { name: "errors", share: 0.3 });
  const statuses = await Promise.all(Array.from({ length: 300 }, () => shop.ask("GET", "/products").then(({ status }) => status)));
  const failed = statuses.filter((status) => status === 500).length;
  assert.ok(failed > 45 && failed < 135, `${failed} of 300`);
});

test("bad_deploy: another version runs and fails, until it is taken back", async (t) => {
  const shop = await startGateway(t);
  const versions = async () => (await shop.metrics()).match(/(?<=shop_build_info\{version=")[^"]+/g);
  await shop.lab("POST", { name: "bad_deploy", share: 1 });
  assert.equal((await shop.ask("GET", "/products")).status, 500);
  assert.deepEqual(await versions(), ["1.5.0"]);
  assert.equal(shop.logs.at(-1).version, "1.5.0");
  await shop.lab("DELETE");
  assert.equal((await shop.ask("GET", "/products")).status, 200);
  assert.deepEqual(await versions(), ["1.4.0"]);
  assert.equal(shop.logs.at(-1).version, "1.4.0");
});

test("cardinality: each request makes a series, and they go when it ends", async (t) => {
  const shop = await startGateway(t);
  const clients = async () => (await shop.metrics()).match(/^shop_requests_by_client_total\{/gm).length;
  await shop.lab("POST", { name: "cardinality" });
  for (let i = 0; i < 5; i++) await shop.ask("GET", "/products");
  assert.equal(await clients(), 9);
  await shop.lab("DELETE");
  assert.equal(await clients(), 4);
});

test("clock_skew: only the log's clock is wrong", async (t) => {
  const shop = await startGateway(t);
  await shop.lab("POST", { name: "clock_skew" });
  await shop.ask("GET", "/products");
  const line = await until(() => shop.logs.find(({ message }) => message === "request"), "the line");
  assert.ok(Math.abs(Date.now() - 3600e3 - Date.parse(line.time)) < 5000);
  const { startTime } = shop.spans().find(({ name }) => name === "GET /products");
  assert.ok(Math.abs(Date.now() - startTime[0] * 1000) < 5000);
});

test("leak: resident memory grows and comes back", async (t) => {
  const shop = await startProcess(t);
  const resident = async () => sample(await shop.metrics(), "process_resident_memory_bytes");
  const before_bytes = await resident();
  await shop.lab("POST", { name: "leak", megabytes_per_second: 50 });
  await until(async () => (await resident()) > before_bytes + 80e6, "memory to grow");
  await shop.lab("DELETE");
  await until(async () => (await resident()) < before_bytes + 40e6, "memory to come back");
});

test("burn: a core is busy and requests are still answered", async (t) => {
  const shop = await startProcess(t);
  const cpu = async () => sample(await shop.metrics(), "process_cpu_seconds_total");
  await shop.lab("POST", { name: "burn", share: 0.5 });
  const before_seconds = await cpu();
  await until(async () => (await cpu()) > before_seconds + 0.5, "the processor to be used");
  assert.equal((await shop.ask("GET", "/products")).status, 200);
  await shop.lab("DELETE");
});

test("crash: the process is gone right after the answer", async (t) => {
  const shop = await startProcess(t);
  const answer = await shop.lab("POST", { name: "crash" });
  assert.deepEqual([answer.status, answer.json[0].name], [200, "crash"]);
  assert.deepEqual(await shop.ended, { code: 1, signal: null });
  assert.deepEqual(shop.logs.map(({ message }) => message), ["listening", "fault switched on"]);
  assert.deepEqual(shop.errors, []);
});

test("crash after_payment: the money is held and nothing is reserved", async (t) => {
  const shop = await startProcess(t);
  const answer = await shop.lab("POST", { name: "crash", point: "after_payment" });
  assert.deepEqual({ ...answer.json[0], ends_in_seconds: 0 }, { name: "crash", point: "after_payment", ends_in_seconds: 0 });
  assert.equal((await shop.ask("GET", "/products")).status, 200);
  await assert.rejects(shop.order());
  assert.equal((await shop.ended).code, 1);
  const line = shop.logs.at(-1);
  assert.deepEqual([line.message, line.order_id], ["crash ordered", ORDER_ID]);
  assert.deepEqual(shop.upstreams.names().slice(-2), ["GET /products/TEA-001", "POST /payments"]);
});
