import { DatabaseSync } from "node:sqlite";
import { parentPort, workerData } from "node:worker_threads";
import { metricsCalls } from "./metrics-calls.ts";
import { metricsReaderCalls } from "./metrics-query.ts";
import { opsCalls } from "./ops-calls.ts";
import type { Calls, Reply, Request, ThreadData } from "./thread.ts";

/**
 * The program of a database thread: opens the database it is told to, then serves calls in order until `close`.
 * It is an entry, started by thread.ts and imported by nobody.
 */
const port = parentPort;
if (!port) throw new Error("worker.ts is the program of a thread");
const { kind, file } = workerData as ThreadData;
const db = new DatabaseSync(file, { readOnly: kind === "metrics-reader" });
const served: Record<ThreadData["kind"], (db: DatabaseSync) => Calls> = {
  metrics: metricsCalls,
  "metrics-reader": metricsReaderCalls,
  ops: opsCalls,
};
const calls = served[kind](db);
const reply = (message: Reply) => port.postMessage(message);

port.on("message", ({ id, name, args }: Request) => {
  if (name === "close") {
    db.close();
    reply({ id, result: undefined });
    return;
  }
  try {
    const call = calls[name];
    if (!call) throw new Error(`no call named ${name}`);
    reply({ id, result: call(...args) });
  } catch (error) {
    reply({ id, error });
  }
});
reply({ id: 0, result: undefined });
