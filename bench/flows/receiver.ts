import { createFlows } from "../../collectors/flows/flows.ts";
import { createFlowMeasure } from "../../collectors/flows/measure.ts";
import { createOrigin } from "../../src/origin/origin.ts";
import { openMetrics } from "../../src/store/metrics-sqlite.ts";

/**
 * Assay's side: the collector, the origin of every address, and the `flow` measurement committed to its store each
 * second. Told to stop by a message; tells its parent its port first and the flows in the store at the end.
 */
const [file, bufferBytes] = process.argv.slice(2);
const origin = await createOrigin({});
const metrics = await openMetrics({ file: file!, rawDays: 7, hourDays: 400 });
const measure = createFlowMeasure(origin.lookUp);
let flows = 0;

const commit = () =>
  metrics.commit({ cursors: new Map(), accounts: new Map(), deltas: measure.takeDeltas() });

const ending = new AbortController();
process.on("message", (message) => {
  if (message === "count") process.send?.({ flows });
  else ending.abort();
});
const collector = createFlows({
  name: "flows",
  host: "127.0.0.1",
  port: 0,
  exporters: ["127.0.0.1"],
  receiveBufferBytes: Number(bufferBytes),
  queueBytes: Number(bufferBytes),
  now: Date.now,
  log: () => {},
  onListening: ({ port }) => process.send?.({ port }),
  onLost: measure.lost,
});
let committedMs = performance.now();
let committing: Promise<unknown> = Promise.resolve();
for await (const batch of collector.collect(ending.signal)) {
  measure.take(batch.observations);
  flows += batch.observations.length;
  if (performance.now() - committedMs < 1000) continue;
  // The store works in a thread of its own; one checkpoint at a time.
  await committing;
  committing = commit();
  committedMs = performance.now();
}
await committing;
await commit();
const rows = await metrics.query({
  measurement: "flow",
  level: "1m",
  fromMs: 0,
  toMs: Number.MAX_SAFE_INTEGER,
});
const stored = rows.reduce((sum, { values }) => sum + values[0]!, 0);
process.send?.({ stored, dropped: collector.report().dropped });
await metrics.close();
process.disconnect?.();
