// One JSON object a line. What a line may hold stands in ../../telemetry.yaml.

import { SERVICE } from "./config.js";

/**
 * A function log(level, message, fields). `write` takes one finished line; `version()` and `skew_seconds()` are asked
 * for each line, because fault switches change them while the service runs.
 */
export function createLog({ write, version, skew_seconds }) {
  return (level, message, fields = {}) => {
    const time = new Date(Date.now() + skew_seconds() * 1000).toISOString();
    write(JSON.stringify({ time, level, service: SERVICE, version: version(), message, ...fields }));
  };
}

/** What is known about an error, short and in one line. */
export function reasonOf(error) {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return text.replace(/\s+/g, " ").slice(0, 500);
}
