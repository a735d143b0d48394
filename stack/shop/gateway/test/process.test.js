// The gateway as a process: its start, its end, and where its spans go.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import { connect } from "node:net";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { GOOD, SILENT, listening, send, startProcess, until } from "./helpers.js";

const FOLDER = fileURLToPath(new URL("..", import.meta.url));

async function endsWithin(shop, limit_ms) {
  const started_ms = performance.now();
  shop.child.kill("SIGTERM");
  assert.deepEqual(await shop.ended, { code: 0, signal: null });
  assert.ok(performance.now() - started_ms < limit_ms, `took ${performance.now() - started_ms} ms`);
  assert.deepEqual(shop.errors, []);
}

test("an idle process ends at once, connections that are kept open included", async (t) => {
  const shop = await startProcess(t);
  const socket = connect(new URL(shop.base_url).port, "127.0.0.1");
  socket.on("error", () => {});
  socket.write("GET /products HTTP/1.1\r\nHost: x\r\n\r\n");
  await once(socket, "data");
  await endsWithin(shop, 1000);
  assert.equal(shop.logs.at(-1).message, "stopping");
});

test("an order that is being worked on is finished first", async (t) => {
  const shop = await startProcess(t, { answers: { "GET /products/TEA-001": [SILENT, GOOD["GET /products/TEA-001"]] } });
  const answer = shop.order();
  await until(() => shop.upstreams.asked.length, "the first call");
  await endsWithin(shop, 3000);
  assert.equal((await answer).status, 201);
  assert.deepEqual(shop.logs.slice(1).map(({ message }) => message), ["stopping", "upstream call failed", "request"]);
});

test("what takes too long is cut off", async (t) => {
  const shop = await startProcess(t);
  await shop.lab("POST", { name: "slow", seconds: 30 });
  const answer = shop.ask("GET", "/products").catch((error) => error.code);
  await until(async () => /^http_requests_in_flight 1$/m.test(await shop.metrics()), "the request");
  await endsWithin(shop, 6000);
  assert.equal(await answer, "ECONNRESET");
});

test("spans are sent as protobuf, the last ones on the way out", async (t) => {
  const received = [];
  const collector = createServer(async (request, response) => {
    const chunks = await Array.fromAsync(request);
    received.push({ url: request.url, type: request.headers["content-type"], bytes: Buffer.concat(chunks) });
    response.end();
  });
  t.after(() => collector.close().closeAllConnections());
  const shop = await startProcess(t, { environment: { OTEL_EXPORTER_OTLP_ENDPOINT: await listening(collector) } });
  assert.equal((await shop.order()).status, 201);
  await endsWithin(shop, 1000);
  assert.deepEqual([received[0].url, received[0].type], ["/v1/traces", "application/x-protobuf"]);
  const text = Buffer.concat(received.map(({ bytes }) => bytes)).toString("latin1");
  for (const word of ["POST /orders", "check_stock", "pay", "reserve", "service.namespace", "shop.order_id"]) assert.ok(text.includes(word), word);
  assert.ok(!text.includes("telemetry.sdk"));
});

test("a collector that is away is reported once and holds up nothing", async (t) => {
  const shop = await startProcess(t, { environment: { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1" } });
  await shop.ask("GET", "/products");
  const line = await until(() => shop.logs.find(({ message }) => message === "telemetry export failed"), "the report");
  assert.equal(line.level, "warn");
  await shop.ask("GET", "/products");
  await endsWithin(shop, 1000);
  assert.equal(shop.logs.filter(({ message }) => message === "telemetry export failed").length, 1);
});

test("an address that is taken is told and ends the process", async (t) => {
  const shop = await startProcess(t);
  const words = ["server.js", `--listen=${shop.base_url.slice("http://".length)}`];
  const second = spawn(process.execPath, words, { cwd: FOLDER, env: { PATH: process.env.PATH } });
  const [chunk] = await once(second.stdout, "data");
  assert.match(JSON.parse(chunk).reason, /EADDRINUSE/);
  assert.deepEqual(await once(second, "close"), [1, null]);
});

for (const word of ["--listen=8081", "--listen=", "--port=1"])
  test(`${word} is refused`, async () => {
    const child = spawn(process.execPath, ["server.js", word], { cwd: FOLDER, env: { PATH: process.env.PATH } });
    const [chunk] = await once(child.stderr, "data");
    assert.match(String(chunk), /^\S.+\.\n$/);
    assert.deepEqual(await once(child, "close"), [2, null]);
  });

test("a lost reader of the log does not end the service", async (t) => {
  const shop = await startProcess(t);
  shop.child.stdout.destroy();
  for (let i = 0; i < 3; i++) assert.equal((await send(shop.base_url, "GET", "/products")).status, 200);
});
