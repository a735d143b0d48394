// The metrics. Names, labels, values and buckets stand in ../../telemetry.yaml.

import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from "prom-client";

const BUCKETS_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const ROUTES = [
  { method: "GET", route: "/products", code: 200 },
  { method: "POST", route: "/orders", code: 201 },
  { method: "GET", route: "/orders/{order_id}", code: 200 },
];
const CLIENTS = ["browser", "k6", "shop", "other"];
const UPSTREAMS = ["payments", "inventory"];
const ATTEMPTS = ["first", "retry"];
const OUTCOMES = ["ok", "client_error", "server_error", "timeout", "unreachable"];

export function createMetrics() {
  const registry = new Registry(Registry.OPENMETRICS_CONTENT_TYPE); // only such a one takes exemplars
  collectDefaultMetrics({ register: registry });
  const metrics = define(registry);
  createSeriesAtZero(metrics);
  return { ...metrics, render: renderer(registry) };
}

function define(registry) {
  const registers = [registry];
  const requestLabels = ["method", "route", "code"];
  const counter = (name, help, labelNames, more) => new Counter({ name, help, labelNames, registers, ...more });
  const gauge = (name, help, labelNames) => new Gauge({ name, help, labelNames, registers });
  const seconds = (name, help, labelNames, more) =>
    new Histogram({ name, help, labelNames, registers, buckets: BUCKETS_SECONDS, ...more });
  const withExemplars = { enableExemplars: true };
  return {
    requests: counter(
      "http_requests_total", "Requests answered, by method, route template and status code.", requestLabels, withExemplars,
    ),
    requestSeconds: seconds(
      "http_request_duration_seconds", "Time from the request's arrival to its answer.", requestLabels, withExemplars,
    ),
    inFlight: gauge("http_requests_in_flight", "Requests being worked on now.", []),
    buildInfo: gauge("shop_build_info", "Always 1; its labels tell what runs.", ["version", "language"]),
    byClient: counter("shop_requests_by_client_total", "Requests by kind of client, told by the User-Agent.", ["client"]),
    upstreamCalls: counter(
      "upstream_requests_total",
      "Calls to another service, first tries and retries told apart.",
      ["upstream", "attempt", "outcome"],
    ),
    upstreamSeconds: seconds(
      "upstream_request_duration_seconds", "Time until another service has answered, as the caller sees it.", ["upstream"],
    ),
  };
}

/** A series that is born with its first event shows no rise: rate() misses that event. */
function createSeriesAtZero(metrics) {
  for (const labels of ROUTES) {
    metrics.requests.inc({ labels, value: 0 });
    metrics.requestSeconds.zero(labels);
  }
  for (const client of CLIENTS) metrics.byClient.inc({ client }, 0);
  for (const upstream of UPSTREAMS) {
    metrics.upstreamSeconds.zero({ upstream });
    for (const attempt of ATTEMPTS)
      for (const outcome of OUTCOMES) metrics.upstreamCalls.inc({ upstream, attempt, outcome }, 0);
  }
}

/**
 * A function render(accept) that gives {type, text}, OpenMetrics when `accept` asks for it.
 *
 * The client library keeps the format in the registry and cuts "_total" off the names of counters when it writes
 * OpenMetrics, for good. So the names are put back each time, and one scrape is written after the other.
 */
function renderer(registry) {
  const names = new Map(registry.getMetricsAsArray().map((metric) => [metric, metric.name]));
  let last = Promise.resolve();
  const write = async (type) => {
    for (const [metric, name] of names) metric.name = name;
    registry.setContentType(type);
    return { type, text: await registry.metrics() };
  };
  return (accept = "") => {
    const open = accept.includes("application/openmetrics-text");
    last = last.catch(() => {}).then(() => write(open ? Registry.OPENMETRICS_CONTENT_TYPE : Registry.PROMETHEUS_CONTENT_TYPE));
    return last;
  };
}

/** The kind of client: a closed set, because the header itself could hold anything. */
export function clientOf(user_agent = "") {
  if (user_agent.includes("k6")) return "k6";
  if (user_agent.startsWith("Mozilla")) return "browser";
  return user_agent.startsWith("shop-") ? "shop" : "other";
}

/** Shows `version` as the one that runs; the series of another version disappears. */
export function showVersion(metrics, version) {
  metrics.buildInfo.reset();
  metrics.buildInfo.set({ version, language: "node" }, 1);
}

/** Drops the series that the fault `cardinality` has made. */
export async function dropExtraClients(metrics) {
  const { values } = await metrics.byClient.get();
  for (const { labels } of values) if (!CLIENTS.includes(labels.client)) metrics.byClient.remove(labels);
}
