// Customers of the shop at a given rate of arrival: they come whether or not the shop keeps up (an open model).
// The plan (rate, stages, mix, products) comes as JSON in PLAN; the summary goes to the file in SUMMARY.

import { check } from "k6";
import http from "k6/http";
import { Counter, Trend } from "k6/metrics";

const plan = JSON.parse(__ENV.PLAN);
const shop = __ENV.SHOP_URL;
const STATUSES = ["200", "201", "400", "402", "404", "409", "413", "415", "422", "500", "502", "503", "504", "0", "other"];
const actions = Object.keys(plan.mix);
const answers = {};
const seconds = {};
for (const action of actions) {
  seconds[action] = new Trend(`seconds_${action}`);
  for (const status of STATUSES) answers[`${action}_${status}`] = new Counter(`answers_${action}_${status}`);
}

export const options = {
  discardResponseBodies: true,
  summaryTrendStats: ["avg", "med", "p(95)", "p(99)", "max"],
  thresholds: { checks: ["rate>0.95"], ...Object.fromEntries(actions.map((action) => [`seconds_${action}`, ["p(95)<2"]])) },
  scenarios: {
    customers: {
      executor: "ramping-arrival-rate",
      startRate: Math.round(plan.stages[0].rate * 60),
      timeUnit: "1m",
      stages: plan.stages.map((stage) => ({ target: Math.round(stage.rate * 60), duration: `${Math.round(stage.seconds * 1000)}ms` })),
      preAllocatedVUs: 50,
      maxVUs: 400,
      gracefulStop: "20s",
    },
  },
};

function chosen(weights) {
  let left = Math.random() * Object.values(weights).reduce((sum, weight) => sum + weight, 0);
  for (const [name, weight] of Object.entries(weights)) {
    left -= weight;
    if (left < 0) return name;
  }
  return Object.keys(weights)[0];
}

function ask(action) {
  const tags = { tags: { name: action } };
  if (action === "browse") return http.get(`${shop}/`, tags);
  if (action === "stock") return http.get(`${shop}/api/products`, tags);
  const order = { sku: chosen(plan.products), quantity: 1 };
  if (action !== "order") order.simulate = action;
  return http.post(`${shop}/api/orders`, JSON.stringify(order), { ...tags, headers: { "Content-Type": "application/json" } });
}

export default function customer() {
  const action = chosen(plan.mix);
  const answer = ask(action);
  const status = STATUSES.includes(String(answer.status)) ? String(answer.status) : "other";
  answers[`${action}_${status}`].add(1);
  seconds[action].add(answer.timings.duration / 1000);
  check(answer, { "answered without a fault": (got) => got.status > 0 && got.status < 500 });
}

export function handleSummary(data) {
  const rows = [];
  for (const action of actions) {
    const trend = data.metrics[`seconds_${action}`];
    for (const status of STATUSES) {
      const counted = data.metrics[`answers_${action}_${status}`];
      if (counted && counted.values.count) rows.push({ action, status: status === "other" ? -1 : Number(status), count: counted.values.count });
    }
    if (trend) rows.push({ action, seconds: trend.values });
  }
  const dropped = data.metrics.dropped_iterations ? data.metrics.dropped_iterations.values.count : 0;
  const faults = rows.filter((row) => row.status === 0 || row.status >= 500).reduce((sum, row) => sum + row.count, 0);
  return { [__ENV.SUMMARY]: JSON.stringify({ rows, dropped }), stdout: `dropped ${dropped}, faults ${faults}\n` };
}
