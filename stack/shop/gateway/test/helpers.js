// A gateway under test, with a payments and an inventory whose answers the test scripts.

import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, request as httpRequest } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace";
import { createGateway } from "../gateway.js";

export const TOKEN = "token-of-the-tests";
export const ORDER_ID = "0b0e8a5e-6f1d-4a52-9d7e-0f8f5b6a7c11";
export const ORDER = { order_id: ORDER_ID, sku: "TEA-001", quantity: 2 };
const PRODUCT = { sku: "TEA-001", name: "Tea", price_cents: 450, stock: 10 };
const FOLDER = fileURLToPath(new URL("..", import.meta.url));

/** Answers of a shop in which nothing is wrong, by "METHOD /path". A test replaces some; a list is used up, its last stays. */
export const GOOD = {
  "GET /products": { status: 200, body: [PRODUCT] },
  "GET /products/TEA-001": { status: 200, body: PRODUCT },
  [`GET /reservations/${ORDER_ID}`]: { status: 200, body: { order_id: ORDER_ID, state: "reserved" } },
  "POST /payments": { status: 201, body: { status: "authorized" } },
  [`POST /payments/${ORDER_ID}/void`]: { status: 200, body: { status: "voided" } },
  "POST /reservations": { status: 201, body: { state: "reserved" } },
  [`POST /reservations/${ORDER_ID}/cancel`]: { status: 200, body: { state: "cancelled" } },
};
export const refused = (status, code) => ({ status, body: { error: { code, message: `Refused: ${code}.` } } });
export const BROKEN = { broken: true }; // the connection ends without an answer
export const SILENT = { silent: true }; // nothing is ever answered

/** One server for both upstreams. `asked` lists the requests it was sent. */
export async function startUpstreams(t, answers = {}) {
  const script = structuredClone({ ...GOOD, ...answers });
  const asked = [];
  const server = createServer(async (request, response) => {
    const text = await textOf(request);
    const name = `${request.method} ${request.url}`;
    asked.push({ name, headers: request.headers, body: text && JSON.parse(text) });
    const scripted = script[name] ?? refused(404, "not_found");
    const answer = Array.isArray(scripted) ? (scripted.length > 1 ? scripted.shift() : scripted[0]) : scripted;
    if (answer.silent) return;
    if (answer.broken) return request.socket.destroy();
    response.writeHead(answer.status, { "content-type": "application/json" });
    response.end(answer.text ?? JSON.stringify(answer.body));
  });
  const url = await listening(server);
  t.after(() => server.closeAllConnections());
  t.after(() => server.close());
  return { url, asked, script, names: () => asked.map(({ name }) => name) };
}

/** A gateway in this process. */
export async function startGateway(t, { answers, config } = {}) {
  const upstreams = await startUpstreams(t, answers);
  const logs = [];
  const exporter = new InMemorySpanExporter();
  const gateway = createGateway(
    {
      host: "127.0.0.1", port: 0, version: "1.4.0", token: TOKEN, otlp_endpoint: "",
      inventory_url: upstreams.url, payments_url: upstreams.url, ...config,
    },
    { write: (line) => logs.push(JSON.parse(line)), processors: [new SimpleSpanProcessor({ exporter })] },
  );
  const base_url = `http://127.0.0.1:${await gateway.listen()}`;
  t.after(() => gateway.stop());
  return { ...client(base_url), gateway, logs, upstreams, spans: () => exporter.getFinishedSpans() };
}

/** A gateway as a process of its own. */
export async function startProcess(t, { answers, environment = {} } = {}) {
  const upstreams = await startUpstreams(t, answers);
  const folder = mkdtempSync(join(tmpdir(), "gateway-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const token_file = join(folder, "token");
  writeFileSync(token_file, `${TOKEN}\n`);
  const env = { PATH: process.env.PATH, LAB_TOKEN_FILE: token_file, INVENTORY_URL: upstreams.url, PAYMENTS_URL: upstreams.url };
  const words = ["--import", "./tracing.js", "server.js", "--listen=127.0.0.1:0"];
  const child = spawn(process.execPath, words, { cwd: FOLDER, env: { ...env, ...environment } });
  t.after(() => child.kill("SIGKILL"));
  const logs = [];
  const errors = [];
  createInterface({ input: child.stdout }).on("line", (line) => logs.push(JSON.parse(line)));
  child.stderr.on("data", (data) => errors.push(String(data)));
  const ended = once(child, "close").then(([code, signal]) => ({ code, signal }));
  const { address } = await until(() => logs.find(({ message }) => message === "listening"), "the process to listen");
  return { ...client(`http://${address}`), child, ended, logs, errors, upstreams };
}

function client(base_url) {
  const ask = (method, path, options) => send(base_url, method, path, options);
  return {
    base_url,
    ask,
    order: (order = ORDER, options = {}) => ask("POST", "/orders", { json: order, ...options }),
    lab: (method, json) => ask(method, "/lab/faults", { json, headers: { authorization: `Bearer ${TOKEN}` } }),
    metrics: async (accept) => (await ask("GET", "/metrics", { headers: accept && { accept } })).text,
  };
}

/** One request: {status, headers, text, json}. */
export function send(base_url, method, path, { json, body, headers = {} } = {}) {
  return new Promise((resolve, reject) => {
    const payload = json === undefined ? body : JSON.stringify(json);
    const type = json === undefined ? {} : { "content-type": "application/json" };
    const call = httpRequest(`${base_url}${path}`, { method, headers: { ...type, ...headers }, agent: false }, async (response) => {
      const text = await textOf(response).catch(reject);
      const is_json = /json$/.test(response.headers["content-type"] ?? "") && text;
      resolve({ status: response.statusCode, headers: response.headers, text, json: is_json ? JSON.parse(text) : undefined });
    });
    call.on("error", reject);
    call.end(payload);
  });
}

export async function listening(server) {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return `http://127.0.0.1:${server.address().port}`;
}

/** What `probe` returns as soon as it returns something. */
export async function until(probe, what, limit_ms = 10_000) {
  const deadline_ms = performance.now() + limit_ms;
  for (;;) {
    const found = await probe();
    if (found) return found;
    if (performance.now() > deadline_ms) throw new Error(`Waited ${limit_ms} ms in vain for ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** The value of one series of the text format; undefined when there is none. */
export function sample(text, series) {
  const line = text.split("\n").find((candidate) => candidate.startsWith(`${series} `));
  return line && Number(line.split(" # ")[0].slice(series.length + 1).split(" ")[0]);
}

async function textOf(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}
