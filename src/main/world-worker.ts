import { parentPort } from "node:worker_threads";
import { drawOne, type WorldJob } from "../../models/draw-worlds.ts";
import { parseConfig } from "../config.ts";
import { createOrigin } from "../origin/origin.ts";

// A thread of the pool in world-pool.ts: takes a job, answers with the data set it makes, and waits for the next.
const { lookUp } = await createOrigin(parseConfig("").origin);
parentPort?.on("message", ({ index, job }: { index: number; job: WorldJob }) => {
  const set = drawOne(job, lookUp);
  parentPort?.postMessage({ index, set }, [set.rows.buffer as ArrayBuffer]);
});
