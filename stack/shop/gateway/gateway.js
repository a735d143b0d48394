// The whole service as one object, for server.js and for the tests.

import { createServer } from "node:http";
import { once } from "node:events";
import { createApp } from "./app.js";
import { TROUBLED_VERSION } from "./config.js";
import { Faults, crash } from "./faults.js";
import { createLog } from "./logs.js";
import { createMetrics, dropExtraClients, showVersion } from "./metrics.js";
import { Orders } from "./orders.js";
import { refuseUnread } from "./requests.js";
import { startTracing } from "./tracing.js";
import { Upstream } from "./upstreams.js";

const FINISH_MS = 5000; // for what is being worked on when the service is told to stop
const FLUSH_MS = 700; // for the last spans, when the collector is away
const OPTIONS = {
  requireHostHeader: false, // its absence is refused by the application, which counts
  headersTimeout: 10_000,
  requestTimeout: 15_000, // for the whole request to arrive
  connectionsCheckingInterval: 1000,
  keepAliveTimeout: 65_000, // longer than callers keep an idle connection, so they close it and not we
};
const SILENT_SOCKET_MS = 120_000; // longer than the longest fault `slow` with the longest order after it

/** `write` takes one log line; `processors` replace the sending of spans. */
export function createGateway(config, { write, processors }) {
  const faults = new Faults({ begun: (name, values) => faultBegun(name, values), ended: (name) => faultEnded(name) });
  const version = () => (faults.values("bad_deploy") ? TROUBLED_VERSION : config.version);
  const log = createLog({ write, version, skew_seconds: () => faults.values("clock_skew")?.seconds ?? 0 });
  const metrics = createMetrics();
  const tracing = startTracing(config, log, processors);
  const inventory = new Upstream("inventory", config.inventory_url, { metrics, version });
  const payments = new Upstream("payments", config.payments_url, { metrics, version });
  const orders = new Orders({ inventory, payments, afterPayment });
  const service = { config, log, metrics, faults, orders, tracer: tracing.tracer };
  const server = createServer(OPTIONS, createApp(service));
  refuseUnread(server, service);
  server.on("checkExpectation", (request, response) => server.emit("request", request, response));
  server.setTimeout(SILENT_SOCKET_MS);
  showVersion(metrics, version());

  function faultBegun(name) {
    log("warn", "fault switched on", { fault: name });
    if (name === "bad_deploy") showVersion(metrics, version());
  }

  function faultEnded(name) {
    log("warn", "fault ended", { fault: name });
    if (name === "bad_deploy") showVersion(metrics, version());
    if (name === "cardinality") dropExtraClients(metrics);
  }

  function afterPayment(scope, order_id) {
    if (faults.values("crash")?.point !== "after_payment") return;
    scope.log("warn", "crash ordered", { fault: "crash", order_id });
    crash();
  }

  async function listen() {
    server.listen(config.port, config.host);
    await once(server, "listening");
    const { address, family, port } = server.address();
    log("info", "listening", { address: family === "IPv6" ? `[${address}]:${port}` : `${address}:${port}` });
    return port;
  }

  async function stop() {
    log("info", "stopping");
    await finishRequests(server, orders);
    await tracing.stop(FLUSH_MS);
    inventory.close();
    payments.close();
    faults.endAll();
  }

  return { listen, stop, server, log };
}

/** Resolves when all connections are closed and all orders are done; what takes too long is cut off. */
async function finishRequests(server, orders) {
  // A connection whose last answer has just left becomes idle only now and would be kept for the next request.
  const sweep = setInterval(() => server.closeIdleConnections(), 50);
  const closed = new Promise((resolve) => server.close(resolve));
  const finished = Promise.all([closed, orders.idle()]);
  let limit;
  await Promise.race([finished, new Promise((resolve) => (limit = setTimeout(resolve, FINISH_MS)))]);
  clearTimeout(limit);
  clearInterval(sweep);
  server.closeAllConnections();
}
