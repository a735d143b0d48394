// Switches that break the service on purpose. Each ends by itself.

import { randomUUID } from "node:crypto";
import { Worker } from "node:worker_threads";
import { invalid } from "./problems.js";

const LASTING = { low: 1, high: 3600, default: 60 }; // seconds until a fault ends by itself
const LEAK_LIMIT_BYTES = 300e6;
const LEAK_STEP_MS = 200;
const SHARE = { low: 0, high: 1, default: 1 };

// name -> parameter -> what it may be
const KNOWN = {
  slow: { seconds: { low: 0.001, high: 60, default: 1 }, share: SHARE },
  errors: { share: SHARE },
  crash: { point: { words: ["after_payment"] } },
  leak: { megabytes_per_second: { low: 1, high: 50, default: 5 } },
  burn: { share: SHARE },
  clock_skew: { seconds: { low: -86400, high: 86400, default: -3600 } },
  cardinality: {},
  bad_deploy: { share: { low: 0, high: 1, default: 0.3 } },
};

export class Faults {
  #active = new Map(); // name -> {name, values, ends_at_ms, timer, stop}
  #told; // {begun(name, values), ended(name)}

  constructor(told) {
    this.#told = told;
  }

  /** Switches on what the JSON value `asked` describes; one of the same name is replaced. Throws a Problem. */
  switchOn(asked) {
    const { name, values, lasting } = read(asked);
    this.#take(name);
    const fault = { name, values, ends_at_ms: performance.now() + lasting * 1000 };
    fault.timer = setTimeout(() => this.#end(name), lasting * 1000);
    fault.timer.unref();
    fault.stop = WORKERS[name]?.(values);
    this.#active.set(name, fault);
    this.#told.begun(name, values);
  }

  endAll() {
    for (const name of [...this.#active.keys()]) this.#end(name);
  }

  list() {
    const shown = ({ name, values, ends_at_ms }) => ({ name, ...values, ends_in_seconds: secondsUntil(ends_at_ms) });
    return [...this.#active.values()].map(shown);
  }

  /** The values of a fault, when it is on. */
  values(name) {
    return this.#active.get(name)?.values;
  }

  /** The values of a fault, when it is on and this request belongs to its share. */
  strikes(name) {
    const values = this.values(name);
    return values && Math.random() < (values.share ?? 1) ? values : undefined;
  }

  clientLabel(usual) {
    return this.#active.has("cardinality") ? `client-${randomUUID()}` : usual;
  }

  #end(name) {
    if (this.#take(name)) this.#told.ended(name);
  }

  #take(name) {
    const fault = this.#active.get(name);
    if (!fault) return false;
    clearTimeout(fault.timer);
    fault.stop?.();
    return this.#active.delete(name);
  }
}

/** Ends the process as a fault in native code would: nothing is finished, flushed or said. */
export function crash() {
  process.exit(1);
}

// name -> function(values) that starts something of its own and returns how to stop it
const WORKERS = { leak, burn };

function leak({ megabytes_per_second }) {
  // One block, reserved now and written bit by bit: written pages are resident, and a block of this size goes back to the
  // system as soon as it is given up, which small ones do not.
  let block = new Uint8Array(LEAK_LIMIT_BYTES);
  const started_ms = performance.now();
  let filled_bytes = 0;
  const grow = () => {
    const wanted_bytes = Math.min(LEAK_LIMIT_BYTES, ((performance.now() - started_ms) / 1000) * megabytes_per_second * 1e6);
    block.fill(1, filled_bytes, wanted_bytes);
    filled_bytes = wanted_bytes;
    if (filled_bytes === LEAK_LIMIT_BYTES) clearInterval(timer);
  };
  const timer = setInterval(grow, LEAK_STEP_MS);
  timer.unref();
  return () => {
    clearInterval(timer);
    block.buffer.transfer(0);
    block = undefined;
  };
}

function burn({ share }) {
  const worker = new Worker(new URL("./burn.js", import.meta.url), { workerData: { share } });
  worker.unref();
  return () => void worker.terminate();
}

function read(asked) {
  if (asked === null || typeof asked !== "object" || typeof asked.name !== "string")
    throw invalid('A switch looks like {"name": "slow", "seconds": 1, "share": 0.3, "lasting": 60}.');
  const { name } = asked;
  if (!Object.hasOwn(KNOWN, name))
    throw invalid(`There is no fault ${JSON.stringify(name.slice(0, 40))}. Known: ${Object.keys(KNOWN).join(", ")}.`);
  const parameters = { ...KNOWN[name], lasting: LASTING };
  for (const key of Object.keys(asked))
    if (key !== "name" && !Object.hasOwn(parameters, key))
      throw invalid(`${name} does not take ${JSON.stringify(key.slice(0, 40))}. It takes: ${Object.keys(parameters).join(", ")}.`);
  const { lasting, ...values } = readValues(parameters, asked);
  return { name, values, lasting };
}

function readValues(parameters, asked) {
  const values = {};
  for (const [key, rule] of Object.entries(parameters)) {
    const value = asked[key] ?? rule.default;
    if (value === undefined) continue;
    if (rule.words && !rule.words.includes(value)) throw invalid(`${key} is one of: ${rule.words.join(", ")}.`);
    if (!rule.words && !(typeof value === "number" && value >= rule.low && value <= rule.high))
      throw invalid(`${key} is a number from ${rule.low} to ${rule.high}.`);
    values[key] = value;
  }
  return values;
}

function secondsUntil(time_ms) {
  return Math.round(Math.max(0, time_ms - performance.now()) / 100) / 10;
}
