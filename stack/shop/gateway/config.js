// The service's settings: the only module that reads the command line and the environment.

import { readFileSync } from "node:fs";

export const SERVICE = "gateway";
export const TROUBLED_VERSION = "1.5.0"; // what the fault bad_deploy pretends to have rolled out

const DEFAULT_LISTEN = "0.0.0.0:8081";

/** Settings from `words` of the command line and `env`. Throws an Error with a sentence for whoever started it. */
export function readConfig(words, env) {
  return {
    ...readListen(words),
    version: env.SHOP_VERSION || "1.4.0",
    token: env.LAB_TOKEN_FILE ? readFileSync(env.LAB_TOKEN_FILE, "utf8").trim() : "", // empty: nobody may use /lab
    otlp_endpoint: (env.OTEL_EXPORTER_OTLP_ENDPOINT || "").replace(/\/+$/, ""), // empty: spans go nowhere
    inventory_url: env.INVENTORY_URL || "http://inventory:8083",
    payments_url: env.PAYMENTS_URL || "http://payments:8082",
  };
}

function readListen(words) {
  let listen = DEFAULT_LISTEN;
  for (const word of words) {
    if (!word.startsWith("--listen=")) throw new Error(`There is no option ${word}. Known: --listen=HOST:PORT.`);
    listen = word.slice("--listen=".length);
  }
  const found = /^(\[[0-9a-fA-F:.]+\]|[^:[\]]+):(\d{1,5})$/.exec(listen);
  if (!found || Number(found[2]) > 65535) throw new Error(`--listen=${listen} is not HOST:PORT.`);
  return { host: found[1].replace(/^\[|\]$/g, ""), port: Number(found[2]) };
}
