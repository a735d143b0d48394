// A thread that keeps a share of one core busy until it is terminated.

import { workerData } from "node:worker_threads";

const SLICE_MS = 20;
const sleeper = new Int32Array(new SharedArrayBuffer(4));
const busy_ms = SLICE_MS * workerData.share;

for (;;) {
  const end_ms = performance.now() + busy_ms;
  while (performance.now() < end_ms);
  if (busy_ms < SLICE_MS) Atomics.wait(sleeper, 0, 0, SLICE_MS - busy_ms);
}
