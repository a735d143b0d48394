// node --import ./tracing.js server.js --listen=0.0.0.0:8081

import { readConfig } from "./config.js";
import { createGateway } from "./gateway.js";
import { reasonOf } from "./logs.js";

const config = readOrExit();
const gateway = createGateway(config, { write: (line) => process.stdout.write(`${line}\n`) });
process.stdout.on("error", () => {}); // nobody reads the log any more: that must not end the service
process.on("uncaughtException", fail); // rejected promises that nobody handles come here too
process.on("SIGTERM", stop);
process.on("SIGINT", stop);
gateway.listen().catch(fail);

function readOrExit() {
  try {
    return readConfig(process.argv.slice(2), process.env);
  } catch (error) {
    process.stderr.write(`${error.message}\n`);
    process.exit(2);
  }
}

let stopping = false;

async function stop() {
  if (stopping) return;
  stopping = true;
  await gateway.stop();
  process.exit(0);
}

function fail(error) {
  gateway.log("error", "unexpected error", { reason: reasonOf(error) });
  process.exit(1);
}
